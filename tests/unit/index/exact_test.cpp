// Exact search against distances in double.
#include <cstring>
#include <numeric>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

using test::clustered_rows;
using test::kDistances;
using test::search;

IndexSettings exact(Distance distance) { return {.kind = IndexKind::kExact, .distance = distance}; }

// Sizes around tiles of 4 x 4 and 16 rows, and lanes of 16 dimensions.
TEST(ExactIndex, FindsWhatDoubleFinds) {
  const Executor exec(1);
  for (const Distance distance : kDistances)
    for (const std::size_t dims : {1u, 3u, 15u, 16u, 17u, 40u})
      for (const std::size_t count : {1u, 3u, 4u, 17u, 70u, 300u}) {
        const Matrix<float> rows = clustered_rows(0, count, {.dims = dims}),
                            queries = clustered_rows(1000, 9, {.dims = dims});
        const auto index = build_index(rows, exact(distance), exec);
        for (std::size_t q = 0; q < 9; ++q) {
          SCOPED_TRACE(testing::Message() << to_text(distance) << ", " << dims << " dimensions, " << count << " rows");
          test::expect_neighbours(
              search(*index, row_span(queries, q), 12),
              test::true_neighbours(distance, row_span(queries, q), rows, [](auto) { return true; }));
        }
      }
}

// A distance has the same bits in a search alone, in a block, and for any number of threads.
TEST(ExactIndex, SameBitsInAnyBatch) {
  const Matrix<float> rows = clustered_rows(0, 1501, {.dims = 37}), queries = clustered_rows(5000, 101, {.dims = 37});
  for (const Distance distance : kDistances) {
    const auto index = build_index(rows, exact(distance), Executor(1));
    constexpr std::size_t kMany = 7;
    std::vector<Neighbour> alone(101 * kMany), together(101 * kMany);
    for (std::size_t q = 0; q < 101; ++q)
      index->search(row_span(queries, q), std::span(alone).subspan(q * kMany, kMany));
    for (const int threads : {1, 2, 3, 8}) {
      std::ranges::fill(together, Neighbour{});
      index->search(queries, kMany, together, Executor(threads));
      EXPECT_EQ(std::memcmp(alone.data(), together.data(), alone.size() * sizeof(Neighbour)), 0) << threads;
    }
  }
}

TEST(ExactIndex, EqualDistancesStandInOrderOfRows) {
  Matrix<float> rows(40, 8);
  for (Eigen::Index r = 0; r < 40; ++r) rows.row(r).setConstant(r % 3 == 0 ? 1.0f : 2.0f);
  const auto index = build_index(rows, exact(Distance::kL2), Executor(1));
  const std::vector<float> query(8, 1.0f);
  const auto found = search(*index, query, 15);
  for (std::size_t i = 0; i < 14; ++i) EXPECT_EQ(found[i], (Neighbour{static_cast<std::uint32_t>(3 * i), 0.0f}));
  EXPECT_EQ(found[14], (Neighbour{1, 8.0f}));
}

TEST(ExactIndex, MemoryIsThatOfTheRows) {
  const auto index = build_index(clustered_rows(0, 50, {.dims = 10}), exact(Distance::kL2), Executor(1));
  EXPECT_EQ(index->memory().rows, 50u * 10 * 4);
  EXPECT_EQ(index->memory().structure, 0u);
  EXPECT_FALSE(index->memory().rows_mapped);
}

TEST(IndexSettings, NamesAndRanges) {
  EXPECT_EQ(index_kind_of("hnsw"), IndexKind::kHnsw);
  EXPECT_EQ(distance_of("cosine"), Distance::kCosine);
  EXPECT_EQ(test::message_of<UsageError>([] { index_kind_of("hsnw"); }),
            "unknown kind of index 'hsnw'; did you mean 'hnsw'? known: exact, hnsw, ivfpq, sq8");
  EXPECT_EQ(test::message_of<UsageError>([] { make_index(8, {.links = 1}); }),
            "'links' of an index is 1; it may be 2 to 512");
  EXPECT_EQ(test::message_of<UsageError>([] { make_index(100, {.kind = IndexKind::kIvfPq, .code_bytes = 64}); }),
            "'code_bytes' of an index is 64, which must divide the 100 dimensions; 50 would");
}

}  // namespace
}  // namespace segue
