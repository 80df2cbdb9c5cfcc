#include "framework/linalg/lane_product.hpp"

#include <gtest/gtest.h>

#include "framework/linalg/best_rows.hpp"
#include "tests/support/triplets.hpp"

namespace segue {
namespace {

using test::by_user;
using test::random_ratings;

struct Obvious {
  double n = 0, xy = 0, xx = 0, yy = 0, x = 0, y = 0;
};

Obvious sums_of(const Csr<ItemIdx>& rows, std::size_t a, std::size_t b) {
  Obvious out;
  for (std::size_t p = 0; p < rows.row_size(a); ++p) {
    for (std::size_t q = 0; q < rows.row_size(b); ++q) {
      if (rows.indices(a)[p] != rows.indices(b)[q]) continue;
      const double x = double{rows.values(a)[p]}, y = double{rows.values(b)[q]};
      out.n += 1, out.xy += x * y, out.xx += x * x, out.yy += y * y, out.x += x, out.y += y;
    }
  }
  return out;
}

template <class T, std::size_t kSums>
void expect_obvious_sums(const Csr<ItemIdx>& rows) {
  using Product = LaneProduct<T, kSums>;
  const Csr<std::uint32_t> columns = rows.transposed<std::uint32_t>();
  Product product(columns);
  for (std::size_t first : {std::size_t{0}, std::size_t{3}, rows.rows() - 2}) {  // one object, several blocks
    const std::size_t count = std::min(Product::kLanes, rows.rows() - first);
    product.template pack<ItemIdx>(
        count, [&](std::size_t l) { return rows.indices(first + l); },
        [&](std::size_t l) { return rows.values(first + l); });
    std::size_t next = 0;
    product.run([&](std::size_t right, const T* sums) {
      for (; next < right; ++next) {  // passed over: nothing in common
        for (std::size_t l = 0; l < count; ++l) ASSERT_EQ(sums_of(rows, first + l, next).n, 0);
      }
      ++next;
      for (std::size_t l = 0; l < count; ++l) {
        const Obvious o = sums_of(rows, first + l, right);
        const double expected[] = {o.n, o.xy, o.xx, o.yy, o.x, o.y};
        for (std::size_t s = 0; s < kSums; ++s)
          ASSERT_EQ(double(sums[s * Product::kLanes + l]), expected[s]) << first + l << " " << right << " sum " << s;
      }
    });
    for (; next < rows.rows(); ++next) {
      for (std::size_t l = 0; l < count; ++l) ASSERT_EQ(sums_of(rows, first + l, next).n, 0);
    }
  }
}

TEST(LaneProduct, AddsUpWhatTheObviousLoopDoes) {
  const Csr<ItemIdx> rows = by_user(random_ratings(50, 40, 0.4, 1), 50, 40);  // half stars: exact in float
  expect_obvious_sums<std::uint16_t, 1>(rows);
  expect_obvious_sums<float, 1>(rows);
  expect_obvious_sums<float, 2>(rows);
  expect_obvious_sums<float, 4>(rows);
  expect_obvious_sums<float, 6>(rows);
  std::vector<test::Triplet> real = random_ratings(50, 40, 0.4, 2);
  Rng rng(3);
  for (test::Triplet& t : real) t.weight = static_cast<float>(rng.normal());
  expect_obvious_sums<double, 1>(by_user(real, 50, 40));
  expect_obvious_sums<double, 6>(by_user(real, 50, 40));
}

TEST(LaneProduct, CutsManyRightRowsIntoTiles) {
  const Csr<ItemIdx> rows = by_user(random_ratings(3000, 6, 0.3, 4), 3000, 6);
  ASSERT_GT((LaneProduct<float, 6>(rows.transposed<std::uint32_t>()).tiles()), 1u);
  expect_obvious_sums<float, 6>(rows);
  expect_obvious_sums<double, 4>(rows);
}

TEST(LaneProduct, CountsItsVisits) {
  const Csr<ItemIdx> rows = by_user({{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {2, 1, 1}}, 3, 2);
  const Csr<std::uint32_t> columns = rows.transposed<std::uint32_t>();
  LaneProduct<double, 1> product(columns);
  product.pack<ItemIdx>(
      1, [&](std::size_t l) { return rows.indices(l); }, [&](std::size_t l) { return rows.values(l); });
  EXPECT_EQ(product.used_columns(), 2u);
  EXPECT_EQ(product.visits(), 4u);
  EXPECT_EQ(product.separate_visits(), 4u);
}

TEST(BestRows, KeepsWhatASortWouldWhateverTheOrder) {
  Rng rng(5);
  for (std::size_t count : {0u, 1u, 3u, 40u, 500u}) {
    std::vector<SimilarRow> rows;
    for (std::uint32_t r = 0; r < 400; ++r)  // many ties
      rows.emplace_back(r, 0.1f * static_cast<float>(1 + rng.below(8)), static_cast<std::uint32_t>(rng.below(3)));
    BestRows best;
    best.reset(count);
    for (const SimilarRow& r : rows) best.offer(r.row, r.similarity(), static_cast<std::uint32_t>(r.key));
    const std::span<const SimilarRow> kept = best.sorted();
    std::sort(rows.begin(), rows.end());
    ASSERT_EQ(kept.size(), std::min<std::size_t>(count, 400));
    for (std::size_t p = 0; p < kept.size(); ++p) ASSERT_EQ(kept[p].row, rows[p].row) << count << " " << p;
    EXPECT_TRUE(count == 0 || count >= 400 || best.bar() <= kept.back().similarity());
  }
}

}  // namespace
}  // namespace segue
