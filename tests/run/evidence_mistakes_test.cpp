// What people get wrong when they ask for evidence, and what they are told.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(EvidenceMistakes, MistakesAreOneLineThatHelps) {
  const Bench bench(small_suite(
      "[popular, {item_knn: {neighbours: 5}}]",
      "evaluate: [{candidates: full, metrics: [ndcg@10]}, {candidates: {sampled: 20}, metrics: [hr@10]}]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string folder = bench.results().string();
  const Bench stars(
      "version: 1\nname: stars\ndataset: {name: delimited, path: stars.csv, rating: rating, values: rating}\nfeedback: "
      "{transform: "
      "rating}\nsplit: {strategy: random_ratio, test: 0.3}\nalgorithms: [bias]\nevaluate: [{metrics: [rmse]}]\n");
  std::string csv = "user,item,rating\n";
  for (int i = 0; i < 120; ++i)
    csv += "u" + std::to_string(i % 11) + ",i" + std::to_string(i % 13) + "," + std::to_string(1 + i % 5) + "\n";
  stars.folder().write("stars.csv", csv);
  const Outcome run = stars.run({"-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string ratings = stars.results().string();
  const auto refused = [&](const std::vector<std::string>& command, int code, const std::string& says) {
    const Outcome outcome = bench.segue(command);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(StartsWith("segue: "), HasSubstr(says)));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  };
  refused({"leaderboard", folder + "x"}, 2, "is not a results folder: there is no such folder; run a suite first");
  refused({"leaderboard", bench.folder().path().string()}, 2, "is not a results folder: it has no plan.json");
  refused({"leaderboard", folder + ":ful"}, 2, "has no task 'ful'; did you mean 'full'?");
  refused({"leaderboard", folder + ":"}, 2, "names no task; write FOLDER, or FOLDER:TASK");
  refused({"leaderboard", folder + ":full", "--task", "sampled20"}, 2, "contradict each other");
  refused({"leaderboard", folder, "--metrics", "ndgc@10"}, 2, "unknown metric 'ndgc'; did you mean 'ndcg'?");
  refused({"leaderboard", folder, "--metrics", "ndcg"}, 2, "ndcg needs a cut-off: write ndcg@10");
  refused({"leaderboard", folder, "--level", "95"}, 2, "--level: 95 is not between 0.5 and 0.9999");
  refused({"leaderboard", folder, "--format"}, 2, "--format needs a value: table|md|csv|json|latex|html");
  refused({"leaderboard", folder, "--gate", "none.yaml"}, 2, "none.yaml");
  refused({"evaluate", folder, "--as", "trek"}, 2, "unknown library 'trek'");
  refused({"evaluate", folder, "--as", "trec", "--metrics", "ndcg_cut.10"}, 2, "did you mean 'ndcg_cut_10'?");
  refused({"evaluate", folder, "--as", "trec", "--ceiling"}, 2, "--as shows another library's figures");
  refused({"evaluate", folder, "--by", "popularty"}, 2, "unknown parts 'popularty'; did you mean 'popularity'?");
  refused({"evaluate", folder, "--metrics", "ndcg@10:act1", "--by", "activity"}, 2, "is one already");
  refused({"evaluate", folder, "--metrics", "coverage@10", "--by", "popularity"}, 2,
          "coverage does not read the truth");
  refused({"evaluate", folder, "--rows", "item_kn"}, 2, "did you mean 'item_knn'?");
  refused({"evaluate", folder, "--embeddings", "popular", "--metrics", "ild_vectors@10"}, 2,
          "'popular' has no item vectors");
  refused({"evaluate", ratings, "--as", "trec"}, 2, "--as goes with rankings, and these tasks predict ratings");
  refused({"evaluate", ratings, "--per-query", "x.tsv"}, 2, "--per-query goes with rankings");
  refused({"evaluate", ratings, "--metrics", "ndcg@10"}, 2, "task 'ratings' predicts ratings");
  refused({"compare", folder, "--metrics", "coverage@10"}, 2, "one value for all lists together");
  refused({"compare", folder, "--baseline", "item_kn"}, 2, "did you mean 'item_knn'?");
  refused({"compare", folder, "--baseline", "popular", "--all-pairs"}, 2, "takes no --baseline");
  refused({"compare", folder, "--test", "wilcox"}, 2, "--test: unknown 'wilcox'; did you mean 'wilcoxon'?");
  refused({"compare", folder, "--resamples", "x"}, 2, "--resamples: 'x' is not a number");
  refused({"compare", folder, "--seed", "-1"}, 2, "--seed: -1 is not between 0");
  refused({"compare", ratings, "--across"}, 2, "can be compared over two or more tasks; one was found");
  refused({"plot", folder, "metric_bar"}, 2, "unknown plot 'metric_bar'; did you mean 'metric_bars'?");
  refused({"plot", folder, "p_values", "--size", "colum"}, 2, "did you mean 'column'?");
  refused({"plot"}, 2, "RESULTS is missing");
  refused({"report", folder, ratings}, 2, "needs a place: -o FILE");
}

TEST(Evidence, AFolderThatCannotBeWrittenToIsStillRead) {
  const Bench bench(small_suite("[popular, random]"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const std::string folder = bench.results().string();
  const std::string board = bench.segue({"leaderboard", folder}).out;
  // A file where a folder would have to be: not even root can write below it.
  for (const char* name : {"cache", "plots"}) {
    fs::remove_all(bench.results() / name);
    std::ofstream(bench.results() / name) << "in the way\n";
  }
  const Outcome again = bench.segue({"leaderboard", folder});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, board);
  const Outcome plot = bench.segue({"plot", folder, "metric_bars"});
  EXPECT_EQ(plot.exit_code, 4) << plot.err;
  EXPECT_THAT(plot.err, HasSubstr((bench.results() / "plots").string()));
  const std::string below = (bench.results() / "plots/x.tsv").string();
  EXPECT_EQ(bench.segue({"evaluate", folder, "--metrics", "hr@5", "--per-query", below}).exit_code, 4);
  EXPECT_EQ(
      bench.segue({"export", folder, "--what", "runs", "-o", (bench.results() / "plots/runs").string()}).exit_code, 4);
  EXPECT_EQ(bench.segue({"report", folder, "--no-plots", "-o", (bench.results() / "plots/r.html").string()}).exit_code,
            4);
}

}  // namespace
}  // namespace segue::test
