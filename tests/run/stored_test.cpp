// What a results folder is good for afterwards: leaderboards for scripts, metrics from the stored lists,
// recommendations.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;

TEST(Leaderboard, JsonHasTheShapeThatScriptsRelyOn) {
  const Bench bench(small_suite("[popular, random, item_knn]",
                                "evaluate:\n  - {candidates: full, metrics: [ndcg@10, coverage@10]}\n  - {candidates: "
                                "{sampled: 20}, metrics: [hr@10]}\n"
                                "latency: {batch: [1, 4], seconds: 0.1, samples: 10}\n"));
  const Outcome run = bench.run({"--format", "json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Json board = bench.leaderboard();
  EXPECT_EQ(Json::parse(run.out), board) << "what `run` prints is what `leaderboard` prints";
  ASSERT_TRUE(board.is_object());
  EXPECT_TRUE(board["task"]["id"].is_string());
  ASSERT_EQ(board["tasks"].size(), 2u);
  EXPECT_EQ(board["tasks"][0]["task"], board["task"]);
  EXPECT_EQ(board["tasks"][0]["rows"], board["rows"]);
  EXPECT_NE(board["tasks"][1]["task"]["id"], board["task"]["id"]);
  double last = 1;
  for (const Json& row : board["rows"]) {
    for (const char* key : {"label", "algorithm", "status"}) EXPECT_TRUE(row[key].is_string()) << key;
    EXPECT_EQ(row["status"], "ok");
    EXPECT_EQ(row["trials"], 1);
    ASSERT_EQ(row["metrics"].size(), 2u) << row;
    for (const char* metric : {"ndcg@10", "coverage@10"}) {
      EXPECT_TRUE(row["metrics"][metric]["mean"].is_number_float()) << row;
      EXPECT_TRUE(row["metrics"][metric]["n"].is_number_integer());
    }
    EXPECT_GT(row["metrics"]["ndcg@10"]["n"], 20);
    EXPECT_GE(row["fit_seconds"], 0.0);
    EXPECT_GT(row["latency_us"]["p50"], 0.0);
    EXPECT_GE(row["latency_us"]["p99"], row["latency_us"]["p50"]);
    EXPECT_TRUE(row["peak_rss_bytes"].is_number_integer());
    EXPECT_GT(row["peak_rss_bytes"], 1 << 20);
    const double mean = row["metrics"]["ndcg@10"]["mean"];
    EXPECT_LE(mean, last) << "best first";
    last = mean;
  }
}

TEST(Metrics, OfStoredListsAreWhatAnotherProgramFinds) {
  const Bench bench(small_suite(
      "[popular, random, item_knn, {implicit_als: {factors: 8, epochs: 5}}]",
      "evaluate:\n  - {metrics: [ndcg@10, hr@10]}\n  - {candidates: {sampled: 30}, metrics: [hr@10, ndcg@10]}\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const auto script = std::filesystem::path(SEGUE_SOURCE_DIR) / "tests/run/recompute.py";
  int code = 77;
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    const std::string command = std::string(python) + " " + script.string() + " " + bench.results().string();
    const int status = std::system(command.c_str());
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code != 77 && code != 127) break;
  }
  if (code == 77 || code == 127) GTEST_SKIP() << "no Python with h5py here";
  EXPECT_EQ(code, 0);
}

TEST(StoredModel, RecommendsAndFindsSimilarItems) {
  const Bench bench(small_suite("[popular, item_knn, {implicit_als: {factors: 8, epochs: 5}}]"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string();
  // Any listener of the task.
  const Outcome help =
      bench.segue({"recommend", "--trial", "implicit_als", "--results", results, "--user", "nobody at all"});
  EXPECT_EQ(help.exit_code, 2);
  EXPECT_THAT(help.err, HasSubstr("60 users, such as "));
  std::string user = help.err.substr(help.err.find("such as ") + 8);
  user.erase(user.find_last_not_of("\n") + 1);

  const Outcome text =
      bench.segue({"recommend", "--trial", "implicit_als", "--results", results, "--user", user, "-n", "5"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  for (const char* head : {"title", "artist", "score", "match", "implicit_als for user"})
    EXPECT_THAT(text.out, HasSubstr(head));
  const Outcome json = bench.segue(
      {"recommend", "--trial", "implicit_als", "--results", results, "--user", user, "-n", "5", "--format", "json"});
  const Json rows = Json::parse(json.out);
  ASSERT_EQ(rows.size(), 5u);
  double last = 1e9;
  for (const Json& row : rows) {
    for (const char* key : {"title", "artist", "match", "id"})
      EXPECT_TRUE(row[key].is_string() && !row[key].empty()) << row;
    EXPECT_NE(row["title"], row["id"]) << "a title, not an id";
    EXPECT_LE(row["score"].get<double>(), last);
    last = row["score"];
  }
  // A model without vectors shows tags instead; both know similar items.
  EXPECT_THAT(bench.segue({"recommend", "--trial", "item_knn", "--results", results, "--user", user}).out,
              HasSubstr("tags"));
  const std::string item = rows[0]["id"];
  for (const char* trial : {"implicit_als", "item_knn"}) {
    const Outcome similar =
        bench.segue({"similar", "--trial", trial, "--results", results, "--item", item, "-n", "4", "--format", "json"});
    ASSERT_EQ(similar.exit_code, 0) << similar.err;
    const Json items = Json::parse(similar.out);
    ASSERT_EQ(items.size(), 4u);
    for (const Json& row : items) EXPECT_NE(row["id"], item);
  }
  // By title too; a wrong trial is answered with those that exist.
  EXPECT_EQ(bench
                .segue({"similar", "--trial", "item_knn", "--results", results, "--item",
                        rows[0]["title"].get<std::string>()})
                .exit_code,
            0);
  const Outcome wrong = bench.segue({"recommend", "--trial", "item_kn", "--results", results, "--user", user});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'item_knn'?"));
}

// Three tracks that have a title of their own, without commas.
std::vector<Json> some_tracks(const Bench& bench, const std::string& user) {
  const Json rows = Json::parse(bench
                                    .segue({"recommend", "--trial", "item_knn", "--results", bench.results().string(),
                                            "--user", user, "-n", "50", "--format", "json"})
                                    .out);
  std::vector<Json> out;
  for (const Json& row : rows) {
    const std::string title = row["title"];
    const bool alone =
        std::count_if(rows.begin(), rows.end(), [&](const Json& r) { return r["title"] == row["title"]; }) == 1;
    if (alone && title.find(',') == std::string::npos && out.size() < 3) out.push_back(row);
  }
  EXPECT_EQ(out.size(), 3u);
  return out;
}

TEST(StoredModel, KnowsWhatComesNext) {
  const Bench bench(small_suite("[item_knn, popular, {sgd_mf: {loss: logistic, epochs: 5}}]"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string();
  const Outcome nobody =
      bench.segue({"recommend", "--trial", "popular", "--results", results, "--user", "nobody at all"});
  std::string user = nobody.err.substr(nobody.err.find("such as ") + 8);
  user.erase(user.find_last_not_of("\n") + 1);
  const std::vector<Json> tracks = some_tracks(bench, user);
  std::vector<std::string> ids;
  for (const Json& track : tracks) ids.push_back(track["id"]);
  const auto next = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"next", "--results", results};
    words.insert(words.end(), more.begin(), more.end());
    return bench.segue(words);
  };
  const auto parsed = [&](std::vector<std::string> more) {
    more.push_back("--json");
    const Outcome outcome = next(more);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
  };
  const std::string history = fmt::format("{}, \"{}\" ,{}", ids[0], tracks[1]["title"].get<std::string>(), ids[2]);

  // The order of a history, however it is given.
  const Json all = parsed({"--trial", "item_knn", "--history", history, "-n", "4"});
  ASSERT_EQ(all["history"].size(), 3u);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(all["history"][n]["id"], ids[n]);
  EXPECT_EQ(parsed({"--trial", "item_knn", "--item", ids[0], "--item", ids[1], "--item", ids[2], "-n", "4"}), all);
  EXPECT_EQ(parsed({"--trial", "item_knn", "--item", ids[2], "--history", ids[0] + "," + ids[1], "-n", "4",
                    "--exclude-history"}),
            all);

  // What was heard does not come again, unless that is asked for.
  ASSERT_EQ(all["next"].size(), 4u);
  double last = 1;
  for (const Json& row : all["next"]) {
    EXPECT_THAT(ids, testing::Not(testing::Contains(row["id"].get<std::string>())));
    EXPECT_LE(row["relative"].get<double>(), last);
    last = row["relative"];
  }
  EXPECT_EQ(all["next"][0]["relative"], 1.0);
  EXPECT_FALSE(all["next"][0].contains("probability")) << "similarities are no probabilities";
  const Json repeated = parsed({"--trial", "popular", "--history", history, "-n", "200", "--repeats"});
  std::size_t again = 0;
  for (const Json& row : repeated["next"]) again += std::count(ids.begin(), ids.end(), row["id"].get<std::string>());
  EXPECT_EQ(again, 3u);
  EXPECT_EQ(next({"--trial", "popular", "--history", history, "--repeats", "--exclude-history"}).exit_code, 2);

  // Logits are shown as probabilities.
  const Json logits = parsed({"--trial", "sgd_mf", "--history", history});
  ASSERT_EQ(logits["next"].size(), 10u);
  last = 1;
  for (const Json& row : logits["next"]) {
    const double p = row["probability"];
    EXPECT_GT(p, 0);
    EXPECT_LE(p, last);
    last = p;
  }
  const Outcome recommended = bench.segue({"recommend", "--trial", "sgd_mf", "--results", results, "--user", user});
  EXPECT_THAT(recommended.out, HasSubstr("probability"));
  EXPECT_THAT(bench.segue({"recommend", "--trial", "item_knn", "--results", results, "--user", user}).out,
              testing::Not(HasSubstr("probability")));

  // Each tag of the vibe stands behind as many items as it says.
  EXPECT_FALSE(all["vibe"].empty());
  for (const Json& tag : all["vibe"]) {
    EXPECT_THAT((std::vector<std::string>{"history", "next"}), testing::Contains(tag["of"].get<std::string>()));
    EXPECT_GE(tag["items"].get<int>(), 2);
    EXPECT_GT(tag["z"].get<double>(), 1.645);
  }
  const Outcome text = next({"--trial", "item_knn", "--history", history});
  for (const char* part :
       {"next by item_knn on demo", "vibe of the history:", "vibe of what is next:", "are no probabilities"})
    EXPECT_THAT(text.out, HasSubstr(part));
  EXPECT_THAT(next({"--trial", "item_knn", "--history", history, "--format", "csv"}).out, HasSubstr("relative"));

  // Mistakes.
  EXPECT_THAT(next({"--trial", "item_knn"}).err, HasSubstr("what was heard?"));
  EXPECT_THAT(next({"--trial", "item_knn", "--history", " , "}).err, HasSubstr("what was heard?"));
  EXPECT_THAT(next({"--trial", "item_knn", "--history", "\"" + ids[0]}).err, HasSubstr("is not closed"));
  std::string slip = tracks[1]["title"];
  slip.back() = slip.back() == 'x' ? 'y' : 'x';
  const Outcome unknown = next({"--trial", "item_knn", "--history", ids[0] + ", " + slip});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no item '" + slip + "'"));
  EXPECT_THAT(unknown.err, HasSubstr("'" + tracks[1]["title"].get<std::string>() + "'"));
}

// What is said of a model that gives everybody the same list, and of none that does not.
TEST(StoredModel, SaysWhereTheHistoryIsNotRead) {
  const Bench bench(
      "version: 1\nname: reads\ndataset: {name: delimited, path: stars.csv, user: user, item: item, rating: stars}\n"
      "split: {strategy: random_ratio, test: 0.2, per: user}\nalgorithms: [popular, item_knn, {sgd_mf: {epochs: 3}}]\n"
      "evaluate: [{metrics: [hr@3]}]\n");
  std::string csv = "user,item,stars\n";
  for (int u = 0; u < 20; ++u)
    for (int i = 0; i < 12; ++i)
      if ((u + i) % 3 != 0) csv += fmt::format("u{},i{},{}\n", u, i, 1 + (u * i) % 5);
  bench.folder().write("stars.csv", csv);
  const auto reads = [&](const std::string& trial, const std::string& setting) {
    const std::string results = (bench.folder() / setting).string();
    const Outcome outcome =
        bench.segue({"next", "--trial", trial, "--results", results, "--history", "i3, i5", "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const Json model = Json::parse(outcome.out)["model"];
    EXPECT_EQ(model["label"], trial);
    EXPECT_EQ(outcome.err.find("does not read this history") == std::string::npos, model["reads_history"].get<bool>());
    return model["reads_history"].get<bool>();
  };
  // Ratings are what squared loss learns from, and who has only heard something has given none. A play has a weight.
  for (const std::string setting : {"rating", "log_confidence"}) {
    ASSERT_EQ(bench
                  .segue({"run", bench.suite().string(), "-q", "-o", (bench.folder() / setting).string(),
                          "+feedback.transform=" + setting})
                  .exit_code,
              0);
    EXPECT_FALSE(reads("popular", setting));
    EXPECT_TRUE(reads("item_knn", setting));
    EXPECT_EQ(reads("sgd_mf", setting), setting == "log_confidence");
  }
}

// Of data with sessions too: a current session that is not told from what came before it gives other lists.
TEST(StoredModel, RecommendsWhatTheTrialStored) {
  const Bench bench("version: 1\nname: sessions\n" + kSmallDemo +
                    "split: {strategy: leave_last_out}\nalgorithms: [vsknn, stan, popular]\n"
                    "evaluate: [{repeats: allow, metrics: [hr@10]}]\n");
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string results = bench.results().string();
  for (const std::string trial : {"vsknn", "stan", "popular"}) {
    const std::string file = (bench.folder() / (trial + ".trec")).string();
    ASSERT_EQ(bench.segue({"export", results, "--what", "runs", "--label", trial, "-o", file}).exit_code, 0);
    std::map<std::string, std::vector<std::string>> stored;
    std::ifstream in(file);
    for (std::string user, q0, item, rank, score, name; in >> user >> q0 >> item >> rank >> score >> name;)
      stored[user].push_back(item);
    ASSERT_GT(stored.size(), 20u);
    for (auto it = stored.begin(); it != stored.end() && std::distance(stored.begin(), it) < 10; ++it) {
      const Outcome outcome = bench.segue({"recommend", "--trial", trial, "--results", results, "--user", it->first,
                                           "--repeats", "-n", "10", "--format", "json"});
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
      std::vector<std::string> items;
      for (const Json& row : Json::parse(outcome.out)) items.push_back(row["id"]);
      EXPECT_EQ(items, it->second) << trial << " for " << it->first;
    }
  }
}

// A file beside the suite was found when it ran, and must be found again afterwards.
TEST(StoredModel, FindsItsDataBesideTheSuite) {
  const Bench bench(
      "version: 1\nname: beside\ndataset: {name: delimited, path: plays.csv}\nalgorithms: [item_knn]\nevaluate: "
      "[{metrics: [hr@10]}]\n");
  std::string csv;
  for (int u = 0; u < 20; ++u)
    for (int i = 0; i < 12; ++i)
      if ((u + i) % 3 != 0) csv += "u" + std::to_string(u) + ",i" + std::to_string(i) + "\n";
  bench.folder().write("plays.csv", csv);
  const Outcome run = bench.run({"-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Outcome outcome = bench.segue(
      {"recommend", "--trial", "item_knn", "--results", bench.results().string(), "--user", "u3", "-n", "2"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(Config, ShowsWinnersAndLosersWithTheirPlaces) {
  Bench bench(small_suite("[{implicit_als: {factors: 8}}]", "seeds: [1]\n"));
  bench.set_environment("SEGUE_SEEDS", "[3]");
  bench.folder().write("config/segue/config.yaml", "limits: {timeout: 5m}\nseeds: [9]\n");
  const Outcome outcome =
      bench.segue({"config", "show", bench.suite().string(), "--origin", "split.test=0.3", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto find = [&](const std::string& key) {
    for (const Json& row : Json::parse(outcome.out))
      if (row["key"].get<std::string>().starts_with(key)) return row;
    return Json();
  };
  const Json seeds = find("seeds");
  EXPECT_THAT(seeds.dump(), HasSubstr("environment"));
  EXPECT_THAT(seeds.dump(), HasSubstr("suite.yaml:"));
  EXPECT_THAT(seeds.dump(), HasSubstr("config.yaml"));
  EXPECT_THAT(find("limits").dump(), HasSubstr("config.yaml:1"));
  EXPECT_THAT(outcome.out, HasSubstr("command line"));
  const Outcome shown = bench.segue({"config", "show", bench.suite().string(), "split.test=0.3", "--format", "json"});
  const Json resolved = Json::parse(shown.out);
  EXPECT_EQ(resolved["split"]["test"], 0.3);
  EXPECT_EQ(resolved["seeds"], Json::parse("[3]"));
  EXPECT_EQ(resolved["limits"]["timeout"], "5m");
}

TEST(Config, SchemaIsJsonAndKnowsEveryAlgorithm) {
  const Bench bench;
  const Outcome outcome = bench.segue({"config", "schema"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json schema = Json::parse(outcome.out);
  EXPECT_EQ(schema["type"], "object");
  for (const char* key : {"dataset", "algorithms", "evaluate", "split", "feedback"})
    EXPECT_TRUE(schema["properties"].contains(key)) << key;
  const std::string text = outcome.out;
  for (const Json& algorithm : Json::parse(bench.segue({"algo", "list", "--format", "json"}).out))
    EXPECT_THAT(text, HasSubstr("\"" + algorithm["name"].get<std::string>() + "\""));
}

}  // namespace
}  // namespace segue::test
