#include "framework/index/recall.hpp"

#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

TEST(Recall, IsTheShareOfTheTruth) {
  const std::vector<Neighbour> truth = {{4, 0.1f}, {7, 0.2f}, {1, 0.3f}, {9, 0.4f}};
  EXPECT_EQ(recall_of(truth, truth), 1);
  EXPECT_EQ(recall_of(std::vector<Neighbour>{{9, 0.4f}, {5, 0.5f}, {4, 0.6f}, {}}, truth), 0.5);
  EXPECT_EQ(recall_of(std::vector<Neighbour>(4), truth), 0);
  // Of fewer neighbours than were asked for, those that there are.
  EXPECT_EQ(
      recall_of(std::vector<Neighbour>{{4, 0.1f}, {}, {}, {}}, std::vector<Neighbour>{{4, 0.1f}, {7, 0.2f}, {}, {}}),
      0.5);
  EXPECT_EQ(recall_of(std::vector<Neighbour>(4), std::vector<Neighbour>(4)), 1);
}

// The mean over queries, each against distances in double.
TEST(Recall, OfAnIndexIsTheMeanOverQueries) {
  const Executor exec(2);
  const Matrix<float> rows = test::clustered_rows(0, 2000), queries = test::clustered_rows(8000, 30);
  const auto exact = build_index(rows, {.distance = Distance::kL2}, exec);
  const auto index = build_index(rows,
                                 {.kind = IndexKind::kHnsw,
                                  .distance = Distance::kL2,
                                  .links = 4,
                                  .build_width = 20,
                                  .effort = {.search_width = 5}},
                                 exec);
  double sum = 0;
  for (std::size_t q = 0; q < 30; ++q) {
    const auto found = test::search(*index, row_span(queries, q), 5);
    const auto truth = test::true_neighbours(Distance::kL2, row_span(queries, q), rows, [](auto) { return true; });
    for (std::size_t i = 0; i < 5; ++i) sum += std::ranges::find(found, truth[i].row, &Neighbour::row) != found.end();
  }
  const IndexQuality quality = measure_index(*index, *exact, queries, 5, exec);
  EXPECT_NEAR(quality.recall, sum / 150, 1e-12);
  EXPECT_LT(quality.recall, 1);
  EXPECT_EQ(quality.queries, 30u);
  EXPECT_GT(quality.p50, 0);
  EXPECT_LE(quality.p50, quality.p95);
  EXPECT_LE(quality.p95, quality.p99);
  EXPECT_EQ(measure_index(*exact, *exact, queries, 5, exec).recall, 1);
}

TEST(Recall, IsPrintedBesideLatency) {
  EXPECT_EQ(to_text({.queries = 1000, .k = 10, .recall = 0.98823, .p50 = 102.6, .p95 = 140.2, .p99 = 171, .mean = 108}),
            "recall@10 0.9882, p50 103 us, p95 140 us, p99 171 us (1000 queries, one thread)");
}

}  // namespace
}  // namespace segue
