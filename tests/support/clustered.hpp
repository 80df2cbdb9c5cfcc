// Vectors that are distributed as learnt or extracted features are: groups of unequal size, and few directions that
// hold most of the variance. Uniform noise, on which every neighbour is about as far as every other, says nothing about
// an index.
//
// A mixture of Gaussians: `groups` centres, whose shares fall like 1 / (rank + 3); in both the centres and the groups
// the variance of direction j falls like 1 / (j + 1) (at 512 dimensions as many effective directions as 28 equal ones,
// (sum of variances)^2 / sum of squares), and a group has `spread` of the centres' deviation. Sixteen random
// reflections turn the directions away from the axes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::test {

struct ClusteredShape {
  std::size_t dims = 32, groups = 20;
  double spread = 0.7;
};

// Rows [first, first + count) of one endless sample: rows and queries are drawn from one mixture with different
// `first`.
inline Matrix<float> clustered_rows(std::size_t first, std::size_t count, const ClusteredShape& shape = {},
                                    std::uint64_t seed = 1) {
  constexpr std::size_t kReflections = 16;
  const Rng rng(seed);
  const std::size_t d = shape.dims;
  std::vector<float> deviation(d);
  for (std::size_t j = 0; j < d; ++j) deviation[j] = static_cast<float>(1 / std::sqrt(static_cast<double>(j + 1)));
  std::vector<double> cumulative(shape.groups);
  double sum = 0;
  for (std::size_t g = 0; g < shape.groups; ++g) cumulative[g] = sum += 1 / static_cast<double>(g + 3);
  std::vector<float> centres(shape.groups * d);
  rng.stream("centres").fill_normal(centres, 0, 1);
  std::vector<float> mirrors(kReflections * d);
  rng.stream("mirrors").fill_normal(mirrors, 0, 1);
  for (std::size_t m = 0; m < kReflections; ++m) {
    float square = 0;
    for (std::size_t j = 0; j < d; ++j) square += mirrors[m * d + j] * mirrors[m * d + j];
    for (std::size_t j = 0; j < d; ++j) mirrors[m * d + j] /= std::sqrt(square);
  }
  Matrix<float> out(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(d));
  for (std::size_t r = 0; r < count; ++r) {
    Rng own = rng.stream("row", first + r);
    const auto found = std::lower_bound(cumulative.begin(), cumulative.end(), own.uniform() * sum);
    const float* centre = centres.data() + static_cast<std::size_t>(found - cumulative.begin()) * d;
    const std::span<float> row = row_span(out, r);
    own.fill_normal(row, 0, static_cast<float>(shape.spread));
    for (std::size_t j = 0; j < d; ++j) row[j] = (row[j] + centre[j]) * deviation[j];
    for (std::size_t m = 0; m < kReflections; ++m) {
      const float* mirror = mirrors.data() + m * d;
      float along = 0;
      for (std::size_t j = 0; j < d; ++j) along += row[j] * mirror[j];
      for (std::size_t j = 0; j < d; ++j) row[j] -= 2 * along * mirror[j];
    }
  }
  return out;
}

}  // namespace segue::test
