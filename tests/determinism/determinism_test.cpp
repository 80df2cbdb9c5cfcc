// One hash over all results of a suite with every algorithm that the program lists: the same for 1, 2, 3 and 8 threads,
// and after the rows of the input files are shuffled.
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "framework/base/rng.hpp"
#include "framework/cli/builtin.hpp"
#include "tests/run/bench.hpp"
#include "tests/support/data_dir.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_choices(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) out.push_back(word.substr(word.find_first_not_of(' ')));
  return out;
}

// Entries of `algorithms:` for everything that `segue algo list` shows, made small by the parameters' shared names: the
// defaults and, with all_choices, every choice of every parameter that has choices; else only those that say "ratings".
struct Rows {
  std::string yaml;
  std::set<std::string> algorithms;
};
// What has to listen to a data set has a test of its own: listening to a few hundred tracks takes its time.
enum class Sound { kWithout, kOnly };

Rows every_algorithm(bool all_choices, bool only_raters = false, Sound sound = Sound::kWithout) {
  const Bench bench;
  Rows rows;
  for (const Json& listed : Json::parse(bench.segue({"algo", "list", "--format", "json"}).out)) {
    const std::string name = listed["name"];
    const Json shown = Json::parse(bench.segue({"algo", "show", name, "--format", "json"}).out);
    const bool rates = shown["algorithm"].dump().find("predicts ratings") != std::string::npos;
    if (only_raters && !rates) continue;
    const bool listens = listed["needs"].get<std::string>().find("item_sound") != std::string::npos;
    if (listens != (sound == Sound::kOnly)) continue;
    std::string params;
    std::vector<std::string> variants{""};
    for (const Json& p : shown.value("parameters", Json::array())) {
      const std::string key = p["parameter"];
      if (key == "epochs") params += "epochs: 3, ";
      if (key == "factors") params += "factors: 16, ";
      const std::string range = p["range"].is_string() ? p["range"].get<std::string>() : "";
      if (range.empty() || range.find_first_of("[(") != std::string::npos) continue;
      for (const std::string& choice : split_choices(range))
        if (choice != p["default"] && (all_choices || choice == "ratings")) variants.push_back(key + ": " + choice);
    }
    for (std::size_t v = 0; v < variants.size(); ++v)
      rows.yaml += fmt::format("  - {{{}: {{{}{}}}, label: {}_{}}}\n", name, params, variants[v], name, v);
    rows.algorithms.insert(name);
  }
  return rows;
}

// Which rows are there, and how: the same in every run; every algorithm has one that worked.
std::string statuses(const Bench& bench, const std::set<std::string>& algorithms) {
  std::map<std::string, std::string> out;
  std::set<std::string> worked;
  const Json board = bench.leaderboard();
  for (const Json& task : board["tasks"]) {
    for (const Json& row : task["rows"]) {
      out[task["task"]["name"].get<std::string>() + row["label"].get<std::string>()] = row["status"];
      if (row["status"] == "ok") worked.insert(row["algorithm"].get<std::string>());
    }
  }
  EXPECT_EQ(worked, algorithms);
  std::string text;
  for (const auto& [row, status] : out) text += row + " " + status + "\n";
  return text;
}

struct Result {
  std::string hash, statuses;
  friend bool operator==(const Result&, const Result&) = default;
  friend void PrintTo(const Result& r, std::ostream* out) { *out << r.hash << r.statuses; }
};

Result run(const std::string& suite, const Rows& rows, int threads, const std::string& data_dir = "") {
  Bench bench(suite);
  if (!data_dir.empty()) bench.set_environment("SEGUE_DATA_DIR", data_dir);
  const Outcome outcome = bench.run({"-q", "--threads", std::to_string(threads)});
  EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 1) << outcome.err;
  return {bench.hash(), statuses(bench, rows.algorithms)};
}

void expect_same_for_threads(const std::string& suite, const Rows& rows) {
  const Result one = run(suite, rows, 1);
  for (int threads : {2, 3, 8}) EXPECT_EQ(run(suite, rows, threads), one) << threads << " threads";
}

TEST(Determinism, ThreadsOnTheDemoWorld) {
  const Rows rows = every_algorithm(true);
  // Early stopping listens to validation data, so that the judge's bits decide what is learned.
  expect_same_for_threads(
      "version: 1\nname: demo\ndataset: {name: demo, users: 150, artists: 60, tracks: 600}\n"
      "feedback: {transform: log_confidence}\nsplit: {strategy: global_time, test: 0.1, validation: 0.1}\n"
      "stopping: {patience: 1}\nevaluate:\n  - {metrics: [ndcg@10, coverage@10]}\n  - {candidates: {sampled: 50}, "
      "metrics: [hr@10]}\n"
      "algorithms:\n" +
          rows.yaml,
      rows);
}

TEST(Determinism, SoundsOfTheDemoWorld) {
  const Rows rows = every_algorithm(true, false, Sound::kOnly);
  ASSERT_FALSE(rows.algorithms.empty());
  expect_same_for_threads(
      "version: 1\nname: sounds\ndataset: {name: demo, users: 60, artists: 12, tracks: 48}\n"
      "feedback: {transform: log_confidence}\nsplit: {strategy: cold_items, test: 0.4}\n"
      "evaluate:\n  - {catalogue: unseen, metrics: [ndcg@10]}\n"
      "algorithms:\n" +
          rows.yaml,
      rows);
}

// There is no demo file to shuffle: its events are written to one, in two orders.
TEST(Determinism, OrderOfRowsOfADelimitedFile) {
  Registry algorithms;
  DatasetRegistry datasets;
  register_builtin(algorithms, datasets);
  Value params = Value::map();
  for (const auto& [key, value] : {std::pair{"users", 100}, {"artists", 40}, {"tracks", 400}, {"days", 90}})
    params.set(key, Value::integer(value));
  const Dataset demo = datasets.find("demo").make()->load(params, {});
  std::vector<std::string> lines;
  for (const Event& e : demo.events.rows()) {
    if (e.kind == EventKind::kPlay)
      lines.push_back(
          fmt::format("{},{},{},{}\n", demo.users[raw(e.user)], demo.items[raw(e.item)], e.time, e.session));
  }
  ASSERT_GT(lines.size(), 5000u);
  // Their tags too, for those who recommend by them.
  const ItemTags& tags = demo.facets.require<ItemTags>();
  std::vector<std::string> about;
  for (std::size_t i = 0; i < demo.items.size(); ++i) {
    std::vector<std::string> own;
    for (const TermIdx t : tags.weights.indices(i)) {
      const std::string tag(tags.tags[static_cast<std::size_t>(t)]);
      if (tag.find_first_of(",|\"") == std::string::npos) own.push_back(tag);
    }
    about.push_back(fmt::format("{},{}\n", demo.items[i], fmt::join(own, "|")));
  }
  const Rows rows = every_algorithm(false);
  const std::string suite =
      "version: 1\nname: rows\ndataset: {name: delimited, path: plays.csv, user: user, item: item, time: time, "
      "session: session, items: items.csv, items_item: item, items_tags: tags}\n"
      "split: {strategy: leave_last_out, test: 2, validation: 1}\nevaluate: [{metrics: [ndcg@10]}]\nalgorithms:\n" +
      rows.yaml;
  std::vector<Result> results;
  for (std::uint64_t order : {0u, 1u, 2u}) {
    if (order > 0) Rng(order).shuffle(std::span(lines));
    if (order > 0) Rng(order).shuffle(std::span(about));
    const TempFolder folder;
    folder.write("plays.csv", fmt::format("user,item,time,session\n{}", fmt::join(lines, "")));
    folder.write("items.csv", fmt::format("item,tags\n{}", fmt::join(about, "")));
    results.push_back(run(suite, rows, 2, folder.path().string()));
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> out;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// A data folder with MovieLens 100K, the rows of all files of events in another order.
void copy_shuffled(const fs::path& from, const TempFolder& to) {
  std::uint64_t seed = 1;
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool events = name == "u.data" || entry.path().extension() == ".base" || entry.path().extension() == ".test";
    if (!events) {
      fs::create_directories(to / "ml-100k");
      if (entry.is_regular_file()) fs::copy_file(entry.path(), to / ("ml-100k/" + name));
      continue;
    }
    std::vector<std::string> lines = lines_of(entry.path());
    Rng(seed++).shuffle(std::span(lines));
    to.write("ml-100k/" + name, fmt::format("{}\n", fmt::join(lines, "\n")));
  }
}

class MovieLens : public testing::Test {
 protected:
  void check(const std::string& suite, const Rows& rows) {
    const auto folder = real_data("ml-100k");
    if (!folder) GTEST_SKIP() << missing_data("ml-100k");
    expect_same_for_threads(suite, rows);
    const TempFolder shuffled;
    copy_shuffled(*folder, shuffled);
    EXPECT_EQ(run(suite, rows, 2, shuffled.path().string()), run(suite, rows, 2)) << "after the rows were shuffled";
  }
};

TEST_F(MovieLens, Ranking) {
  const Rows rows = every_algorithm(false);
  check(
      "version: 1\nname: ml\ndataset: {name: movielens, edition: 100k}\nfeedback: {transform: binary, min_value: 4}\n"
      "split: {strategy: global_time, test: 0.1}\nevaluate: [{metrics: [ndcg@10]}]\nalgorithms:\n" +
          rows.yaml,
      rows);
}

TEST_F(MovieLens, Ratings) {
  const Rows rows = every_algorithm(false, true);
  check(
      "version: 1\nname: ml\ndataset: {name: movielens, edition: 100k}\nfeedback: {transform: rating}\n"
      "split: {strategy: given, names: [u1, u4]}\nevaluate: [{metrics: [rmse, mae]}]\nalgorithms:\n" +
          rows.yaml,
      rows);
}

}  // namespace
}  // namespace segue::test
