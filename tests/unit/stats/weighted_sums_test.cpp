#include "framework/stats/weighted_sums.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue::stats {
namespace {

float value_at(std::size_t row, std::size_t unit) {
  return static_cast<float>(Rng(1).stream("value", row, unit).uniform() - 0.5);
}
float weight_at(std::size_t draw, std::size_t unit) {
  return static_cast<float>(Rng(2).stream("weight", draw, unit).below(4));
}

std::vector<std::vector<float>> product(std::size_t rows, std::size_t units, std::size_t draws, int threads) {
  std::vector<std::vector<float>> out(rows);
  WeightedSums task{.rows = rows, .units = units, .draws = draws, .load = {}, .weigh = {}, .use = {}};
  task.load = [&](std::size_t row, std::span<float> to) {
    for (std::size_t u = 0; u < units; ++u) to[u] = value_at(row, u);
  };
  task.weigh = [&](std::size_t draw, std::span<float> to) {
    for (std::size_t u = 0; u < units; ++u) to[u] += weight_at(draw, u);  // +=: they are promised to be zero
  };
  task.use = [&](std::size_t row, std::span<float> sums) { out[row].assign(sums.begin(), sums.end()); };
  weighted_sums(task, Executor(threads));
  return out;
}

// Around slices of 512 units, groups of 64 rows, and 64 draws at once.
TEST(WeightedSums, AgreeWithDouble) {
  for (const auto [rows, units, draws] : std::vector<std::array<std::size_t, 3>>{
           {1, 1, 1}, {1, 511, 3}, {3, 512, 64}, {2, 513, 65}, {64, 20, 63}, {65, 33, 130}, {130, 1030, 9}}) {
    const std::vector<std::vector<float>> out = product(rows, units, draws, 2);
    for (std::size_t r = 0; r < rows; ++r) {
      ASSERT_EQ(out[r].size(), draws);
      for (std::size_t d = 0; d < draws; ++d) {
        double sum = 0, squares = 0;
        for (std::size_t u = 0; u < units; ++u) {
          sum += double{value_at(r, u)} * double{weight_at(d, u)};
          squares += double{value_at(r, u)} * double{value_at(r, u)};
        }
        ASSERT_NEAR(double{out[r][d]}, sum, 0.1 * kSumError * std::sqrt(squares))
            << rows << 'x' << units << 'x' << draws;
      }
    }
  }
}

TEST(WeightedSums, SameBitsForAnyThreadsAndAnyCompany) {
  const std::vector<std::vector<float>> one = product(70, 700, 100, 1);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(product(70, 700, 100, threads), one);
  const std::vector<std::vector<float>> alone = product(1, 700, 100, 2);
  EXPECT_EQ(alone[0], one[0]);
}

// More draws than fit beside 64 rows: the rows go in chunks of 32.
TEST(WeightedSums, RowsInChunks) {
  const std::size_t draws = 600'000;
  WeightedSums task{.rows = 70, .units = 2, .draws = draws, .load = {}, .weigh = {}, .use = {}};
  task.load = [](std::size_t row, std::span<float> to) { to[0] = static_cast<float>(row), to[1] = 1; };
  task.weigh = [](std::size_t draw, std::span<float> to) { to[0] = 1, to[1] = static_cast<float>(draw); };
  std::vector<int> used(70, 0);
  task.use = [&](std::size_t row, std::span<float> sums) {
    for (const std::size_t d : {std::size_t{0}, std::size_t{77'777}, draws - 1})
      if (sums[d] == static_cast<float>(row + d)) ++used[row];
  };
  weighted_sums(task, Executor(2));
  EXPECT_EQ(used, std::vector<int>(70, 3));
}

TEST(WeightedSums, ScaleIsAPowerOfTwo) {
  for (const double x : {1e-300, 0.3, 1.0, 1.99, 2.0, 7e9}) {
    int exponent = 0;
    EXPECT_EQ(std::frexp(float_scale(x), &exponent), 0.5);
    EXPECT_GE(x * float_scale(x), 1);
    EXPECT_LT(x * float_scale(x), 2);
  }
  EXPECT_EQ(float_scale(0), 1);
}

}  // namespace
}  // namespace segue::stats
