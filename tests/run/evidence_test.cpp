// Evidence from stored trials, through the real program: what leaderboard, evaluate and compare say, and that nothing
// is trained or changed for it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Content and time of change of every file of the folder below `part`.
std::map<std::string, std::pair<std::string, fs::file_time_type>> state_of(const fs::path& folder) {
  std::map<std::string, std::pair<std::string, fs::file_time_type>> out;
  for (const auto& e : fs::recursive_directory_iterator(folder))
    if (e.is_regular_file()) out[e.path().string()] = {text_of(e.path()), e.last_write_time()};
  return out;
}

const std::string kTwoTasks =
    "evaluate: [{candidates: full, metrics: [ndcg@10, coverage@10]}, {candidates: {sampled: 20}, metrics: [hr@10]}]\n";

std::string suite(const std::string& algorithms, int split_seed, const std::string& rest = "") {
  std::string text = small_suite(algorithms, rest);
  const std::string per = "per: user}";
  return text.replace(text.find(per), per.size(), "per: user, seed: " + std::to_string(split_seed) + "}");
}

// Results that only this file reads; made when first asked for.
const Bench& ran(const std::string& text) {
  static std::map<std::string, std::unique_ptr<Bench>> benches;
  std::unique_ptr<Bench>& bench = benches[text];
  if (bench == nullptr) {
    bench = std::make_unique<Bench>(text);
    const Outcome run = bench->run({"-q"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
  }
  return *bench;
}

const Bench& first() {
  return ran(suite("[popular, {item_knn: {neighbours: 5}}, {implicit_als: {factors: 8, epochs: 3}}]", 5, kTwoTasks));
}
const Bench& same_task() {
  return ran(suite("[popular, {user_knn: {neighbours: 5}}]", 5, kTwoTasks + "description: the same\n"));
}
const Bench& other_split() { return ran(suite("[popular, {item_knn: {neighbours: 5}}]", 7, kTwoTasks)); }

std::vector<std::string> labels(const Json& board) {
  std::vector<std::string> out;
  for (const Json& row : board["rows"]) out.push_back(row["label"]);
  std::sort(out.begin(), out.end());
  return out;
}

Json json_of(const Bench& bench, std::vector<std::string> command) {
  command.insert(command.end(), {"--format", "json"});
  const Outcome outcome = bench.segue(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return Json::parse(outcome.out, nullptr, false);
}

TEST(EvidenceLeaderboard, OneTableATaskNeverMixed) {
  const std::string a = first().results().string(), b = same_task().results().string(),
                    c = other_split().results().string();
  const Json alone = json_of(first(), {"leaderboard", a});
  ASSERT_EQ(alone["tasks"].size(), 2u);

  const Json joined = json_of(first(), {"leaderboard", a, b});
  ASSERT_EQ(joined["tasks"].size(), 2u) << "the same two tasks";
  EXPECT_THAT(labels(joined["tasks"][0]), ElementsAre("implicit_als", "item_knn", "popular", "user_knn"));
  for (std::size_t t = 0; t < 2; ++t) {
    EXPECT_EQ(joined["tasks"][t]["task"], alone["tasks"][t]["task"]);
    std::map<std::string, Json> means;
    for (const Json& row : joined["tasks"][t]["rows"])
      for (const auto& [metric, m] : row["metrics"].items())
        means[row["label"].get<std::string>() + metric] = m["mean"];
    for (const Json& row : alone["tasks"][t]["rows"])
      for (const auto& [metric, m] : row["metrics"].items())
        EXPECT_EQ(means.at(row["label"].get<std::string>() + metric), m["mean"]);
  }

  const Json apart = json_of(first(), {"leaderboard", a, c});
  ASSERT_EQ(apart["tasks"].size(), 4u);
  std::map<std::string, std::vector<std::string>> rows;
  for (const Json& board : apart["tasks"]) rows[board["task"]["id"]] = labels(board);
  EXPECT_EQ(rows.size(), 4u);
  for (const Json& board : alone["tasks"]) EXPECT_EQ(rows.at(board["task"]["id"]), labels(board));

  // CSV is one table, and says of each row which task it is of.
  const Outcome csv = first().segue({"leaderboard", a, c, "--format", "csv"});
  EXPECT_THAT(csv.out, StartsWith("task,task id,rank,label,"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 1 + 3 + 3 + 2 + 2);
  // People are told what makes tables of one name different.
  EXPECT_THAT(first().segue({"leaderboard", a + ":full", c + ":full"}).out,
              HasSubstr("another task than " + alone["task"]["id"].get<std::string>() +
                        "; they differ in split.seed: 5 and 7\n"));
  EXPECT_EQ(json_of(first(), {"leaderboard", a + ":full"})["tasks"].size(), 1u);
}

TEST(EvidenceLeaderboard, KeptIsWhatIsComputed) {
  const std::string folder = first().results().string();
  for (const std::string format : {"table", "csv", "json", "md", "latex", "html"}) {
    const std::vector<std::string> command{"leaderboard", folder, "--format", format};
    std::vector<std::string> fresh = command;
    fresh.emplace_back("--fresh");
    const Outcome computed = first().segue(fresh);
    ASSERT_EQ(computed.exit_code, 0) << computed.err;
    EXPECT_EQ(first().segue(command).out, computed.out) << format;
    EXPECT_EQ(first().segue(fresh).out, computed.out) << format;
  }
  EXPECT_TRUE(fs::is_directory(first().results() / "cache"));
}

TEST(EvidenceLeaderboard, GatesAreFloorsThatExitWithFive) {
  const Bench& bench = first();
  const std::string folder = bench.results().string();
  const auto gate = [&](const std::string& rules) {
    const fs::path file = bench.folder().write("gate.yaml", rules);
    return bench.segue({"leaderboard", folder, "--no-inference", "--gate", file.string()});
  };
  const Outcome kept = gate(
      "- {task: full, label: popular, metric: ndcg@10, min: 0.001}\n"
      "- {task: full, label: popular, metric: precision@3, max: 1}\n");
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.err, HasSubstr("gate kept: full: popular ndcg@10 = 0."));
  EXPECT_THAT(kept.out, HasSubstr("precision@3"));
  const Outcome missed = gate(
      "- {task: full, label: popular, metric: ndcg@10, min: 0.001}\n"
      "- {task: full, label: item_knn, metric: ndcg@10, min: 0.99}\n");
  EXPECT_EQ(missed.exit_code, 5);
  EXPECT_THAT(missed.err, AllOf(HasSubstr("gate kept: full: popular"), HasSubstr("gate MISSED: full: item_knn"),
                                HasSubstr(", must be >= 0.99\n")));
  const Outcome gone = gate("- {task: full, label: populr, metric: ndcg@10, min: 0}\n");
  EXPECT_EQ(gone.exit_code, 5);
  EXPECT_THAT(gone.err, HasSubstr("there is no such row; did you mean 'popular'?"));
  const Outcome wrong = gate("- {label: popular, metric: ndcg@10, min: 0}\n");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("gate.yaml:1:3: say which task is meant: full, sampled20"));
  EXPECT_EQ(gate("- {task: full, label: popular, metric: ndcg@10, min: 0, use: low}\n").exit_code, 2);
}

TEST(EvidenceLeaderboard, AFailedTrialIsARowWithItsError) {
  Bench bench(small_suite("[popular, plugin_throws]", "plugins: [" SEGUE_TEST_PLUGIN_DIR "/plugin_throws.so]\n"));
  bench.set_environment("COLUMNS", "200");
  ASSERT_EQ(bench.run({"-q"}).exit_code, 1);
  const std::string folder = bench.results().string();
  const Outcome text = bench.segue({"leaderboard", folder});
  EXPECT_EQ(text.exit_code, 0) << "failed trials are the run's business";
  EXPECT_THAT(text.out, AllOf(HasSubstr("\n1  popular "), HasSubstr("\n!  plugin_throws "),
                              HasSubstr("failed: thrown by a plugin: "), HasSubstr("\n! failed\n")));
  const std::string csv = bench.segue({"leaderboard", folder, "--format", "csv"}).out;
  EXPECT_THAT(csv, HasSubstr(",,plugin_throws,plugin_throws,small,failed,thrown by a plugin: "));
  EXPECT_THAT(bench.segue({"evaluate", folder}).out, HasSubstr("\nleft out: plugin_throws: failed\n"));
  const Outcome compare = bench.segue({"compare", folder});
  EXPECT_EQ(compare.exit_code, 2);
  EXPECT_THAT(compare.err, HasSubstr("only one complete row to compare (plugin_throws: 1 of 1 trials are missing"));
}

TEST(EvidenceEvaluate, OtherMetricsNeedNoTraining) {
  const Bench& bench = first();
  const std::string folder = bench.results().string();
  const auto trials = state_of(bench.results() / "trials"), tasks = state_of(bench.results() / "tasks");
  const std::string hash = bench.hash(), journal = text_of(bench.results() / "journal.jsonl");
  const Json rows = json_of(bench, {"evaluate", folder + ":full", "--metrics",
                                    "mrr@3,precision@7,gini@10,recall@20:warm,auc,serendipity@10,map@10"});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(state_of(bench.results() / "trials") == trials) << "not even touched";
  EXPECT_TRUE(state_of(bench.results() / "tasks") == tasks);
  EXPECT_EQ(text_of(bench.results() / "journal.jsonl"), journal);
  EXPECT_EQ(bench.hash(), hash);
  // A suite that names these metrics from the beginning finds the same.
  const Bench& named = ran(suite("[popular, {item_knn: {neighbours: 5}}, {implicit_als: {factors: 8, epochs: 3}}]", 5,
                                 "evaluate: [{candidates: full, metrics: [mrr@3, precision@7, gini@10, map@10]}]\n"));
  for (const Json& row : rows) {
    const Json metrics = named.row(row["label"])["metrics"];
    for (const char* m : {"mrr@3", "precision@7", "gini@10", "map@10"})
      EXPECT_EQ(row[m].get<double>(), metrics[m]["mean"].get<double>()) << row["label"] << " " << m;
  }
}

TEST(EvidenceEvaluate, OtherLibrariesAgreeWhereTheyMeanTheSame) {
  const std::string full = first().results().string() + ":full";
  const Json ours =
      json_of(first(), {"evaluate", full, "--metrics", "ndcg@10,map@10,precision@10,recall@10,hr@10,mrr@10"});
  const auto same = [&](const std::string& library, const std::map<std::string, std::string>& names) {
    const Json theirs = json_of(first(), {"evaluate", full, "--as", library});
    ASSERT_EQ(theirs.size(), ours.size());
    for (std::size_t r = 0; r < ours.size(); ++r)
      for (const auto& [their, our] : names)
        EXPECT_NEAR(theirs[r].value(their, -1.0), ours[r][our].get<double>(), 1e-12) << library << " " << their;
  };
  same("trec", {{"ndcg_cut_10", "ndcg@10"},
                {"map_cut_10", "map@10"},
                {"P_10", "precision@10"},
                {"recall_10", "recall@10"},
                {"success_10", "hr@10"}});
  same("recbole", {{"ndcg@10", "ndcg@10"},
                   {"recall@10", "recall@10"},
                   {"precision@10", "precision@10"},
                   {"hit@10", "hr@10"},
                   {"mrr@10", "mrr@10"}});
  same("lenskit", {{"Hit@10", "hr@10"}, {"RecipRank@10", "mrr@10"}});
  same("implicit", {{"ndcg@10", "ndcg@10"}});
}

TEST(EvidenceEvaluate, PerQueryValuesAverageToTheTable) {
  const std::string folder = first().results().string(), file = (first().folder() / "per_query.tsv").string();
  const Json rows =
      json_of(first(), {"evaluate", folder, "--metrics", "ndcg@10,hr@5,recall@20:cold", "--per-query", file});
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "task\tlabel\tfold\tseed\tuser\tmetric\tvalue");
  std::map<std::string, std::pair<double, int>> sums;
  std::map<std::string, int> users;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string task, label, fold, seed, user, metric, value;
    for (std::string* field : {&task, &label, &fold, &seed, &user, &metric, &value}) std::getline(fields, *field, '\t');
    auto& [sum, n] = sums[task + "/" + label + "/" + metric];
    sum += std::stod(value);
    ++n;
    EXPECT_EQ(++users[task + "/" + label + "/" + metric + "/" + user], 1);
  }
  ASSERT_EQ(rows.size(), 6u) << "three rows in two tasks";
  for (const Json& row : rows)
    for (const char* metric : {"ndcg@10", "hr@5", "recall@20:cold"}) {
      const auto& [sum, n] =
          sums[row["task"].get<std::string>() + "/" + row["label"].get<std::string>() + "/" + metric];
      ASSERT_GT(n, 0) << metric;
      EXPECT_NEAR(sum / n, row[metric].get<double>(), 1e-12) << metric;
    }
}

TEST(EvidenceEvaluate, SlicesAndCeilings) {
  const std::string full = first().results().string() + ":full";
  const Json rows = json_of(
      first(), {"evaluate", full, "--metrics", "ndcg@10,coverage@10", "--by", "popularity,temperature", "--ceiling"});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3]["label"], "(ceiling)");
  for (const Json& row : rows) {
    EXPECT_EQ(row.contains("coverage@10:pop1"), false) << "coverage reads no truth that could be cut into parts";
    for (const char* slice : {"", ":pop1", ":pop5", ":warm", ":cold"}) {
      const std::string metric = std::string("ndcg@10") + slice;
      if (!row[metric].is_null() && !rows[3][metric].is_null()) {
        EXPECT_LE(row[metric].get<double>(), rows[3][metric].get<double>() + 1e-12) << metric;
      }
    }
  }
  const Outcome text =
      first().segue({"evaluate", full, "--metrics", "ndcg@10,coverage@10", "--by", "popularity", "--ceiling"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("not by popularity: metric 'coverage@10:pop1': coverage does not read the"),
                              HasSubstr("(ceiling): every truth item that ")));
}

TEST(EvidenceCompare, AcrossTasksIsRefusedAndTheSettingNamed) {
  const std::string a = first().results().string(), b = same_task().results().string(),
                    c = other_split().results().string();
  const Outcome refused = first().segue({"compare", a, c});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(
      refused.err,
      AllOf(HasSubstr("are different tasks, so their figures cannot be compared; they differ in split.seed: 5 and 7 "),
            HasSubstr(a), HasSubstr(c)));
  EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1);
  EXPECT_THAT(first().segue({"compare", a + ":full", a + ":sampled20"}).err,
              HasSubstr("they differ in candidates: full and sampled:20 "));
  // A seed that is not written down is still a seed.
  const Bench& plain = ran(small_suite("[popular]"));
  EXPECT_THAT(first().segue({"compare", plain.results().string(), c}).err, HasSubstr("split.seed: 42 and 7"));

  const Json shared = json_of(first(), {"compare", a + ":full", b + ":full", "--baseline", "popular"});
  std::vector<std::string> rows;
  for (const Json& pair : shared["pairs"]) {
    EXPECT_EQ(pair["against"], "popular");
    rows.push_back(pair["row"]);
  }
  EXPECT_THAT(rows, testing::UnorderedElementsAre("item_knn", "implicit_als", "user_knn"));
  const Json across = json_of(first(), {"compare", a + ":full", c + ":full", "--across"});
  EXPECT_EQ(across["ranks"].size(), 2u);
  EXPECT_EQ(across["tests"][0]["tasks"], 2);
}

TEST(EvidenceCompare, TheSameNumbersAgainAndOnOneCore) {
  const std::string folder = first().results().string();
  const std::vector<std::vector<std::string>> commands{
      {"compare", folder, "--all-pairs", "--metrics", "ndcg@10,hr@5", "--resamples", "2000", "--format", "csv"},
      {"leaderboard", folder, "--fresh", "--format", "json"},
      {"evaluate", folder, "--metrics", "ndcg@10,auc,gini@10,novelty@10", "--format", "json"}};
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "one core only";
  int core = 0;
  while (!CPU_ISSET(core, &all)) ++core;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  for (const auto& command : commands) {
    const Outcome usual = first().segue(command), again = first().segue(command);
    ASSERT_EQ(usual.exit_code, 0) << usual.err;
    EXPECT_EQ(again.out, usual.out);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);  // what is started inherits it
    const Outcome alone = first().segue(command);
    ASSERT_EQ(::sched_setaffinity(0, sizeof all, &all), 0);
    EXPECT_EQ(alone.out, usual.out);
  }
  std::vector<std::string> other = commands[0];
  other.insert(other.end(), {"--seed", "2"});
  EXPECT_NE(first().segue(other).out, first().segue(commands[0]).out) << "or there would be nothing to reproduce";
}

TEST(Evidence, TablesFitTheTerminalAndKeepEveryColumn) {
  Bench bench(small_suite("[popular, {item_knn: {neighbours: [5, 20]}}, random]", kTwoTasks + "seeds: [1, 2]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string folder = bench.results().string();
  const auto widest = [](const std::string& text) {
    std::size_t out = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_FALSE(line.ends_with(' ')) << line;
      out = std::max(out, static_cast<std::size_t>(
                              std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; })));
    }
    return out;
  };
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"leaderboard", folder},
                                             {"compare", folder, "--all-pairs", "--resamples", "200"},
                                             {"evaluate", folder, "--by", "activity"}}) {
    bench.set_environment("COLUMNS", "60");
    const Outcome narrow = bench.segue(command);
    bench.set_environment("COLUMNS", "1000");
    const Outcome wide = bench.segue(command);
    ASSERT_EQ(narrow.exit_code, 0) << narrow.err;
    EXPECT_LE(widest(narrow.out), 60u) << narrow.out;
    EXPECT_GT(widest(wide.out), 60u) << wide.out;
    EXPECT_THAT(narrow.out, Not(HasSubstr("\033")));
  }
  // A grid's settings were tried against each other.
  const std::string table = bench.segue({"leaderboard", folder}).out;
  EXPECT_THAT(table, AllOf(HasSubstr("  tried  "), HasSubstr("tried: settings of the same entry")));
  for (const Json& row : json_of(bench, {"leaderboard", folder})["rows"])
    EXPECT_EQ(row["tried"], row["algorithm"] == "item_knn" ? 2 : 1);
}

}  // namespace
}  // namespace segue::test
