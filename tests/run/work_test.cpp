// What a suite makes of its time: one fit for several views, jobs, parts of a suite, dry runs, overrides and grids.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string kFull = "{candidates: full, metrics: [ndcg@10, recall@20]}";
const std::string kSampled = "{candidates: {sampled: 50}, metrics: [hr@10]}";

std::vector<std::string> states(const Bench& bench) {
  const Outcome dry = bench.run({"--dry-run", "--format", "json"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  std::vector<std::string> out;
  for (const Json& row : Json::parse(dry.out)) out.push_back(row["state"]);
  return out;
}

TEST(Views, ShareOneFitAndCanBeAddedLater) {
  const std::string algorithms = "[item_knn, {implicit_als: {factors: 8, epochs: 3}}]";
  const Bench both(small_suite(algorithms, "evaluate: [" + kFull + ", " + kSampled + "]\n"));
  ASSERT_EQ(both.run({"-q"}).exit_code, 0);
  EXPECT_EQ(both.count("started", "implicit_als"), 1u);
  EXPECT_EQ(both.leaderboard()["tasks"].size(), 2u);

  const Bench bench(small_suite(algorithms, "evaluate: [" + kFull + "]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const Json before = bench.row("implicit_als");
  EXPECT_THAT(states(bench), ElementsAre("done", "done"));
  bench.write_suite(small_suite(algorithms, "evaluate: [" + kFull + ", " + kSampled + "]\n"));
  EXPECT_THAT(states(bench), ElementsAre("lists missing", "lists missing"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const Json after = bench.row("implicit_als");
  EXPECT_EQ(after["fit_seconds"], before["fit_seconds"]) << "it was fitted again";
  EXPECT_EQ(after["metrics"], before["metrics"]);
  EXPECT_EQ(bench.trial_files().size(), 2u);
  EXPECT_EQ(bench.hash(), both.hash());
  // Among fewer candidates the hit rate can only rise.
  const Json sampled = bench.leaderboard({"--task", "sampled50"});
  EXPECT_EQ(sampled["task"]["name"], "sampled50");
  EXPECT_TRUE(sampled["task"]["sampled"].get<bool>());
}

TEST(Views, LatencyCanBeAddedLater) {
  const Bench bench(small_suite("[popular, item_knn]"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string hash = bench.hash();
  const Json before = bench.row("item_knn");
  EXPECT_TRUE(before["latency_us"]["p50"].is_null());
  bench.write_suite(small_suite("[popular, item_knn]", "latency: {batch: [1, 8], seconds: 0.1, samples: 20}\n"));
  EXPECT_THAT(states(bench), ElementsAre("latency missing", "latency missing"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const Json after = bench.row("item_knn");
  EXPECT_EQ(after["fit_seconds"], before["fit_seconds"]);
  EXPECT_GT(after["latency_us"]["p50"], 0.0);
  EXPECT_GE(after["latency_us"]["p99"], after["latency_us"]["p50"]);
  EXPECT_EQ(bench.hash(), hash) << "timings are no results";
}

TEST(Jobs, GiveTheSameResultsAndMeasureLatencyAlone) {
  const std::string suite =
      small_suite("[popular, item_knn, user_knn, {implicit_als: {factors: 8, epochs: 20}}, {sgd_mf: {epochs: 3}}]",
                  "latency: {batch: [1], seconds: 0.1, samples: 20}\n");
  const Bench one(suite), two(suite);
  ASSERT_EQ(one.run({"-q"}).exit_code, 0);
  const Outcome outcome = two.run({"--jobs", "2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(one.hash(), two.hash());
  // Each label is started to fit, then, once all fits are over, again to be measured; then never beside another.
  std::map<std::string, int> starts;
  std::size_t running = 0, most = 0, measured = 0;
  for (const Json& entry : two.journal()) {
    if (entry["event"] == "started") {
      ++running;
      most = std::max(most, running);
      if (++starts[entry["label"]] == 2) {
        ++measured;
        EXPECT_EQ(running, 1u) << entry["label"] << " was measured beside another trial";
      }
    } else {
      --running;
    }
  }
  EXPECT_EQ(most, 2u);
  EXPECT_EQ(measured, 5u);
  for (const Json board = two.leaderboard(); const Json& row : board["rows"])
    EXPECT_GT(row["latency_us"]["p50"], 0.0) << row;
  EXPECT_EQ(two.run({"-q", "--jobs", "0"}).exit_code, 2);
}

TEST(Only, RunsSomeRowsAndKeepsTheOthers) {
  const Bench bench(small_suite("[popular, {implicit_als: {factors: [4, 8], epochs: 2}}, item_knn]"));
  ASSERT_EQ(bench.run({"-q", "--only", "popular"}).exit_code, 0);
  EXPECT_EQ(bench.trial_files().size(), 1u);
  EXPECT_EQ(bench.row("item_knn")["status"], "not run");
  ASSERT_EQ(bench.run({"-q", "--only", "implicit_als factors=8"}).exit_code, 0);
  EXPECT_EQ(bench.trial_files().size(), 2u);
  ASSERT_EQ(bench.run({"-q", "--only", "implicit_als,popular"}).exit_code, 0);  // the grid's name means all of it
  EXPECT_EQ(bench.trial_files().size(), 3u);
  EXPECT_EQ(bench.count("started", "popular"), 1u);
  // An override after it is no label.
  ASSERT_EQ(bench.run({"-q", "--only", "popular", "+seeds=[1]"}).exit_code, 0);
  const Outcome wrong = bench.run({"--only", "itm_knn"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'item_knn'?"));
}

TEST(DryRun, ListsTheTrialsAndWritesNothing) {
  const Bench bench(small_suite("[popular, {implicit_als: {factors: [4, 8]}}]", "seeds: [1, 2]\n"));
  const Outcome outcome = bench.run({"--dry-run"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("6 of 6 trials to run"));
  EXPECT_THAT(outcome.out, HasSubstr("nothing was run"));
  EXPECT_FALSE(std::filesystem::exists(bench.results()));
  EXPECT_THAT(states(bench), ElementsAre("to do", "to do", "to do", "to do", "to do", "to do"));
  EXPECT_FALSE(std::filesystem::exists(bench.results()));
  // The ids are those of the files that a run then writes.
  const Outcome dry = bench.run({"--dry-run", "--format", "json"});
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  for (const Json& row : Json::parse(dry.out))
    EXPECT_TRUE(bench.trial_files().contains(row["fit"].get<std::string>() + ".h5")) << row;
}

// The memory that a dry run promises is that of the trial's process: where the program itself is most of it, and where the
// algorithm is.
TEST(DryRun, TheMemoryIsWithinAFifthOfWhatTrialsMeasure) {
  const Bench bench(
      "version: 1\nname: memory\ndataset: {name: demo, users: 1500, artists: 500, tracks: 3000, days: 200}\n"
      "feedback: {transform: binary}\nsplit: {strategy: random_ratio, test: 0.2, per: user}\nevaluate: [{metrics: "
      "[ndcg@10]}]\n"
      "algorithms: [popular, item_knn, {ease: {reg: 100}}, {implicit_als: {factors: 64, epochs: 2}}]\n");
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const Json trials = Json::parse(bench.run({"--dry-run", "--format", "json"}).out);
  ASSERT_EQ(trials.size(), 4u);
  for (const Json& t : trials) {
    const double measured = t["measured"];
    EXPECT_NEAR(t["memory"], measured, 0.2 * measured) << t["label"];
    EXPECT_EQ(bench.row(t["label"])["peak_rss_bytes"], measured) << t["label"];
  }
}

TEST(Overrides, ChangeTheSuiteAndGridsMultiplyIt) {
  const Bench bench(small_suite("[popular, {implicit_als: {factors: 16, epochs: 2}}]"));
  ASSERT_EQ(bench.run({"-q", "algorithms.implicit_als.factors=4,8", "+seeds=[1,2]", "+algorithms.implicit_als.alpha=3"})
                .exit_code,
            0);
  const Json rows = bench.leaderboard()["rows"];
  std::vector<std::string> labels;
  for (const Json& row : rows) {
    labels.push_back(row["label"]);
    EXPECT_EQ(row["trials"], 2) << row;
    EXPECT_EQ(row["status"], "ok");
  }
  EXPECT_THAT(labels, UnorderedElementsAre("popular", "implicit_als factors=4", "implicit_als factors=8"));
  EXPECT_EQ(bench.trial_files().size(), 6u);
  const Outcome wrong = bench.run({"algorithms.implicit_als.factor=4"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("factor"));
  // What was written in the suite and what was overridden to the same are the same fit.
  const Bench written(small_suite("[popular, {implicit_als: {factors: 4, epochs: 2, alpha: 3}}]"));
  ASSERT_EQ(written.run({"-q"}).exit_code, 0);
  for (const auto& [file, time] : written.trial_files()) EXPECT_TRUE(bench.trial_files().contains(file)) << file;
}

TEST(Seeds, AreRowsOfTheSameLabelAndFoldsAreOneTask) {
  const Bench bench("version: 1\nname: folds\n" + kSmallDemo +
                    "split: {strategy: k_fold, folds: 3}\nalgorithms: [popular, random]\nevaluate: [{metrics: "
                    "[ndcg@10]}]\nseeds: [1, 2]\n");
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const Json board = bench.leaderboard();
  EXPECT_EQ(board["tasks"].size(), 1u);
  EXPECT_EQ(board["rows"].size(), 2u);
  for (const Json& row : board["rows"]) EXPECT_EQ(row["trials"], 6) << row;
  EXPECT_EQ(bench.row("popular")["metrics"]["ndcg@10"]["n"], bench.row("random")["metrics"]["ndcg@10"]["n"]);
}

}  // namespace
}  // namespace segue::test
