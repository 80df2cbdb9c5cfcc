// Lists that an index finds, judged beside exact ones: a task of their own, marked, with what they miss of the exact
// lists, and the same for any number of threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;

std::string suite(const std::string& views) {
  return small_suite("[popular, {implicit_als: {factors: 8, epochs: 5}}, {bpr: {factors: 8, epochs: 5}}]",
                     "evaluate:\n  - {metrics: [ndcg@10, coverage@10]}\n" + views);
}

Json task(const Json& board, const std::string& name) {
  for (const Json& t : board["tasks"])
    if (t["task"]["name"] == name) return t;
  ADD_FAILURE() << "no task '" << name << "' in " << board.dump();
  return {};
}

TEST(RetrievalView, OfEverythingHasTheFiguresOfExactLists) {
  const Bench bench(
      suite("  - {retrieval: {hnsw: {search_width: 1000}}, metrics: [ndcg@10, coverage@10]}\n"
            "  - {retrieval: {hnsw: {search_width: 1, links: 2, build_width: 2}}, name: narrow, metrics: [ndcg@10, "
            "coverage@10]}\n"
            "  - {retrieval: {sq8: {lists: 4, probes: 4}}, metrics: [ndcg@10, coverage@10]}\n"
            "latency: {samples: 30, seconds: 0.3}\n"));
  const Outcome run = bench.run();
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("ndcg@10 (hnsw)"));
  EXPECT_THAT(run.out, HasSubstr("of exact"));
  EXPECT_THAT(run.out, HasSubstr("(hnsw) lists that an index found"));
  EXPECT_THAT(run.out, HasSubstr("p50 and p99: of the index"));
  const Json board = bench.leaderboard();
  ASSERT_EQ(board["tasks"].size(), 4u);
  const Json full = task(board, "full"), wide = task(board, "full-hnsw"), narrow = task(board, "narrow"),
             bytes = task(board, "full-sq8");
  EXPECT_NE(full["task"]["id"], wide["task"]["id"]);
  EXPECT_NE(narrow["task"]["id"], wide["task"]["id"]);
  EXPECT_FALSE(full["task"].contains("retrieval"));
  EXPECT_EQ(wide["task"]["retrieval"], "hnsw");
  EXPECT_EQ(full["rows"].size(), 3u);
  ASSERT_EQ(wide["rows"].size(), 2u) << "popular has no vectors";
  const auto row = [](const Json& of, const std::string& label) {
    for (const Json& r : of["rows"])
      if (r["label"] == label) return r;
    ADD_FAILURE() << "no row '" << label << "'";
    return Json();
  };
  for (const std::string label : {"implicit_als", "bpr"}) {
    const Json exact = row(full, label);
    EXPECT_FALSE(exact.contains("exact_recall"));
    EXPECT_FALSE(exact["latency_us"].contains("of"));
    EXPECT_EQ(row(wide, label)["latency_us"]["of"], "hnsw");
    EXPECT_GT(row(wide, label)["latency_us"]["p50"], 0);
    for (const Json& same : {row(wide, label), row(bytes, label)}) {
      EXPECT_EQ(same["exact_recall"], 1.0) << label;
      EXPECT_EQ(same["metrics"]["ndcg@10"]["mean"], exact["metrics"]["ndcg@10"]["mean"]) << label;
      EXPECT_EQ(same["metrics"]["coverage@10"]["mean"], exact["metrics"]["coverage@10"]["mean"]) << label;
    }
  }
  EXPECT_LT(row(narrow, "implicit_als")["exact_recall"], 1.0);
  EXPECT_GT(row(narrow, "implicit_als")["exact_recall"], 0.3);
  EXPECT_THAT(bench.run().err + bench.run().out, HasSubstr("up to date"));
}

TEST(RetrievalView, HasTheLatencyOfItsIndexWheneverItIsMeasured) {
  const std::string views = "  - {retrieval: hnsw, metrics: [ndcg@10]}\n",
                    latency = "latency: {samples: 10, seconds: 0.1}\n";
  const auto expect_measured = [](const Bench& bench) {
    const Json indexed = task(bench.leaderboard(), "full-hnsw");
    ASSERT_EQ(indexed["rows"].size(), 2u);
    for (const Json& row : indexed["rows"]) {
      ASSERT_TRUE(row["latency_us"]["p50"].is_number()) << row.dump();
      EXPECT_GT(row["latency_us"]["p50"], 0);
    }
  };
  const Bench together(suite(views + latency));  // by processes that judged nothing: latency waits for the others
  ASSERT_EQ(together.run({"--jobs", "2", "-q"}).exit_code, 0);
  expect_measured(together);
  const Bench later(suite(views));
  ASSERT_EQ(later.run({"-q"}).exit_code, 0);
  later.write_suite(suite(views + latency));
  ASSERT_EQ(later.run({"-q"}).exit_code, 0);
  expect_measured(later);
}

TEST(RetrievalView, TheSameForAnyNumberOfThreads) {
  std::string first;
  for (const char* threads : {"1", "2", "8"}) {
    const Bench bench(
        suite("  - {retrieval: hnsw, metrics: [ndcg@10]}\n"
              "  - {retrieval: {sq8: {lists: 8, probes: 2}}, metrics: [ndcg@10]}\n"));
    ASSERT_EQ(bench.run({"--threads", threads, "-q"}).exit_code, 0);
    if (first.empty()) first = bench.hash();
    EXPECT_EQ(bench.hash(), first) << threads;
  }
}

TEST(RetrievalView, RefusesWhatNoIndexCanDo) {
  const Outcome none = Bench(small_suite("[popular]", "evaluate:\n  - {retrieval: hnsw, metrics: [ndcg@10]}\n")).run();
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("retrieval 'hnsw' needs an algorithm whose scores are inner products of vectors, and "
                                  "this suite has none; there are: "));
  EXPECT_THAT(none.err, HasSubstr("implicit_als"));
  const Outcome whole =
      Bench(small_suite("[bpr]", "evaluate:\n  - {retrieval: hnsw, metrics: [ndcg@10, auc]}\n")).run();
  EXPECT_EQ(whole.exit_code, 2);
  EXPECT_THAT(
      whole.err,
      HasSubstr("retrieval 'hnsw' finds lists alone, and metric 'auc' needs more; judge it under retrieval: exact"));
}

}  // namespace
}  // namespace segue::test
