// Published figures beside ours, through the real program: after a run, from stored results, and as a gate.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kTwoTasks =
    "evaluate: [{candidates: full, metrics: [ndcg@10]}, {candidates: {sampled: 20}, metrics: [hr@10]}]\n";

// Nobody misses the first, nobody reaches the second.
const std::string kPublished =
    "published:\n"
    "  - {label: popular, task: sampled20, metric: hr@10, value: 0.6, tolerance: 0.6, source: &s \"A 2020, table 1\"}\n"
    "  - {label: item_knn, task: full, metric: ndcg@10, value: 0.99, tolerance: 0.01, source: *s, note: mean of 8 "
    "runs}\n";

TEST(Reproduce, StandsBelowTheLeaderboardAfterARunAndLater) {
  const Bench bench(small_suite("[popular, {item_knn: {neighbours: 5}}]", kTwoTasks + kPublished));
  const Outcome part = bench.run({"-q", "--only", "popular"});
  EXPECT_EQ(part.exit_code, 0) << part.err;
  EXPECT_THAT(part.out,
              AllOf(HasSubstr("sampled20 on Demo music world: published figures and ours"), HasSubstr("reproduced"),
                    HasSubstr("[1] A 2020, table 1\n"), Not(HasSubstr("mean of 8 runs"))));
  const Outcome early = bench.segue({"reproduce", bench.results().string()});
  EXPECT_EQ(early.exit_code, 0) << early.err;
  EXPECT_THAT(early.out, HasSubstr("not run"));
  const std::string before = bench.hash();
  const Outcome whole = bench.run({"-q"});
  EXPECT_THAT(whole.out, AllOf(HasSubstr("worse"), HasSubstr("[1] A 2020, table 1; mean of 8 runs\n")));
  const Outcome stored = bench.segue({"leaderboard", bench.results().string()});
  EXPECT_EQ(stored.out, whole.out);
  EXPECT_NE(bench.hash(), before);

  // Programs read the same.
  const Json board = bench.leaderboard();
  ASSERT_EQ(board["tasks"].size(), 2u);
  const Json figure = board["tasks"][0]["published"][0];
  EXPECT_EQ(figure["verdict"], "worse");
  EXPECT_EQ(figure["ours"], bench.row("item_knn")["metrics"]["ndcg@10"]["mean"]);
  const Outcome json = bench.segue({"reproduce", bench.results().string(), "--format", "json"});
  const Json rows = Json::parse(json.out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["ours"], figure["ours"]);
  EXPECT_EQ(rows[1]["verdict"], "reproduced");
  EXPECT_THAT(bench.segue({"leaderboard", bench.results().string(), "--format", "csv"}).out, Not(HasSubstr("A 2020")));
}

TEST(Reproduce, FailsOnlyWhereItIsAskedTo) {
  const Bench bench(small_suite("[popular, {item_knn: {neighbours: 5}}]", kTwoTasks + kPublished));
  ASSERT_EQ(bench.run({"-q", "--only", "popular"}).exit_code, 0);
  const std::string results = bench.results().string();
  EXPECT_EQ(bench.segue({"reproduce", results}).exit_code, 0);
  EXPECT_EQ(bench.segue({"reproduce", results, "--gate"}).exit_code, 5) << "item_knn has not run";
  EXPECT_EQ(bench.segue({"reproduce", results + ":sampled20", "--gate"}).exit_code, 0);
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.segue({"reproduce", results + ":full", "--gate"}).exit_code, 5) << "item_knn is worse";
}

// What others published changes nothing that was trained, and may be added later.
TEST(Reproduce, FiguresMayBeAddedToFinishedResults) {
  const std::string plain = small_suite("[popular, {item_knn: {neighbours: 5}}]", kTwoTasks);
  const Bench bench(plain);
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  const auto files = bench.trial_files();
  const std::string hash = bench.hash();
  const Outcome none = bench.segue({"reproduce", bench.results().string()});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_EQ(none.err, "segue: the suite of " + bench.results().string() +
                          " states no published figures; a list `published` in it would\n");
  bench.write_suite(plain + kPublished);
  const Outcome again = bench.run();
  EXPECT_THAT(again.err, HasSubstr("up to date"));
  EXPECT_THAT(again.out, HasSubstr("published figures and ours"));
  EXPECT_EQ(bench.trial_files(), files);
  EXPECT_EQ(bench.hash(), hash);
}

TEST(Reproduce, RowsWithSeedsOfTheirOwnHaveAsManyTrials) {
  const Bench bench(small_suite("[{popular: , seeds: 9}, random]", "seeds: [1, 2, 3]\n"));
  ASSERT_EQ(bench.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.row("popular")["trials"], 1);
  EXPECT_EQ(bench.row("random")["trials"], 3);
}

}  // namespace
}  // namespace segue::test
