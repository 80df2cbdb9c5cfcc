// Neighbours the slow and obvious way, in double, and the shapes that the tests of indexes use.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "framework/index/vector_index.hpp"
#include "tests/support/clustered.hpp"

namespace segue::test {

inline double true_distance(Distance distance, std::span<const float> q, std::span<const float> x) {
  double product = 0, qq = 0, xx = 0, square = 0;
  for (std::size_t j = 0; j < q.size(); ++j) {
    product += double{q[j]} * double{x[j]};
    qq += double{q[j]} * double{q[j]};
    xx += double{x[j]} * double{x[j]};
    square += (double{q[j]} - double{x[j]}) * (double{q[j]} - double{x[j]});
  }
  if (distance == Distance::kL2) return square;
  if (distance == Distance::kInnerProduct) return 1 - product;
  return qq == 0 || xx == 0 ? 1 : 1 - product / std::sqrt(qq * xx);
}

struct TrueNeighbour {
  double distance;
  std::uint32_t row;
  auto operator<=>(const TrueNeighbour&) const = default;
};

// All rows that `passes` lets through, nearest first.
template <class Passes>
std::vector<TrueNeighbour> true_neighbours(Distance distance, std::span<const float> query, const Matrix<float>& rows,
                                           Passes passes) {
  std::vector<TrueNeighbour> out;
  for (std::uint32_t r = 0; r < static_cast<std::uint32_t>(rows.rows()); ++r)
    if (passes(r)) out.push_back({true_distance(distance, query, row_span(rows, r)), r});
  std::sort(out.begin(), out.end());
  return out;
}

// Rows as the oracle has them, but for neighbours whose distances differ by less than float tells apart.
inline void expect_neighbours(std::span<const Neighbour> found, const std::vector<TrueNeighbour>& truth) {
  constexpr double kClose = 2e-5;
  const std::size_t count = std::min(found.size(), truth.size());
  for (std::size_t i = 0; i < count; ++i) {
    const double tolerance = kClose * (1 + std::abs(truth[i].distance));
    EXPECT_NEAR(double{found[i].distance}, truth[i].distance, tolerance) << i;
    if (found[i].row == truth[i].row) continue;
    const auto own = std::ranges::find(truth, found[i].row, &TrueNeighbour::row);
    ASSERT_NE(own, truth.end()) << "row " << found[i].row << " may not be found";
    EXPECT_NEAR(own->distance, truth[i].distance, tolerance) << i;
  }
  for (std::size_t i = count; i < found.size(); ++i) EXPECT_EQ(found[i], Neighbour{});
}

inline std::vector<Neighbour> search(const VectorIndex& index, std::span<const float> query, std::size_t k,
                                     const RowFilter& filter = {}) {
  std::vector<Neighbour> out(k);
  index.search(query, out, filter);
  return out;
}

inline std::vector<std::uint32_t> bits_of(std::size_t rows, const auto& passes) {
  std::vector<std::uint32_t> words((rows + 31) / 32);
  for (std::uint32_t r = 0; r < rows; ++r)
    if (passes(r)) words[r / 32] |= std::uint32_t{1} << r % 32;
  return words;
}

inline constexpr Distance kDistances[] = {Distance::kInnerProduct, Distance::kCosine, Distance::kL2};

}  // namespace segue::test
