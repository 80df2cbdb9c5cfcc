#include "framework/index/row_store.hpp"

#include <set>

#include "framework/index/nearest_rows.hpp"
#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

// Rows that come one by one are moved now and then, not every time; rows that come together take no more than they are.
TEST(RowStore, GrowsByMoreThanARow) {
  const Matrix<float> rows = test::clustered_rows(0, 2000, {.dims = 3});
  RowStore store(3);
  std::set<const float*> places;
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    store.append(rows.middleRows(r, 1));
    places.insert(store.all().data());
  }
  EXPECT_LT(places.size(), 40u);
  ASSERT_EQ(store.rows(), 2000u);
  for (std::size_t r = 0; r < 2000; ++r) ASSERT_TRUE(std::ranges::equal(store.row(r), row_span(rows, r))) << r;
}

TEST(RowStore, NearestOfAllAreThoseOfTheListOfAll) {
  for (const std::size_t count : {0u, 1u, 255u, 256u, 257u, 1100u}) {
    const Matrix<float> rows = test::clustered_rows(0, count, {.dims = 7}),
                        query = test::clustered_rows(4000, 1, {.dims = 7});
    RowStore store(7);
    store.append(rows);
    std::vector<std::uint32_t> list;
    for (std::uint32_t r = 0; r < count; ++r) list.push_back(r);
    for (const Distance distance : test::kDistances)
      for (const std::size_t k : {0u, 1u, 12u, 2000u}) {
        std::vector<Neighbour> all(k), listed(k);
        EXPECT_EQ(nearest_of_all(distance, row_span(query, 0), store, all), std::min(k, count));
        nearest_of(distance, row_span(query, 0), store, list, listed);
        EXPECT_EQ(all, listed) << count << " rows, " << k;
      }
  }
}

TEST(NearestRows, KeepsWhatASortWould) {
  for (const std::size_t count : {0u, 1u, 5u, 60u, 700u}) {
    NearestRows nearest(count);
    std::vector<Neighbour> all, out(count);
    for (std::uint32_t r = 0; r < 500; ++r) {
      all.push_back({r, static_cast<float>(r * 7919 % 90)});  // many ties
      nearest.offer(all.back());
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min<std::size_t>(count, all.size()));
    EXPECT_EQ(nearest.sorted(out), all.size());
    out.resize(all.size());
    EXPECT_EQ(out, all) << count;
    if (!all.empty()) {
      EXPECT_GE(nearest.bar(), all.back().distance);
    }
  }
}

}  // namespace
}  // namespace segue
