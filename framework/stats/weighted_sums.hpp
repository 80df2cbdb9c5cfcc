// The product behind resampling: many rows, and the same random weights of the units for all of them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "framework/base/executor.hpp"

namespace segue::stats {

struct WeightedSums {
  std::size_t rows = 0, units = 0, draws = 0;
  // All three are called by several threads at once, and more than once for the same draw; they must be functions of
  // position.
  std::function<void(std::size_t row, std::span<float> values)> load;     // units values
  std::function<void(std::size_t draw, std::span<float> weights)> weigh;  // units weights, zero on entry
  std::function<void(std::size_t row, std::span<float> sums)> use;        // draws sums; may be reordered in place
};

// use(row) gets sums[draw] = sum over units of weight(draw, unit) value(row, unit). Sums are floats inside 512 units
// and doubles across them, so with values of mean zero a sum is good to about 1e-6 of the root of their sum of squares;
// kSumError bounds it. The bits do not depend on threads or on which other rows there are. Cost: 2 rows units draws
// flop, and the weights once for every 128 MiB of rows or sums. Memory: about 256 MiB however many rows and draws.
void weighted_sums(const WeightedSums& task, const Executor& exec);

constexpr double kSumError = 5e-5;

// A power of two that brings values of this largest magnitude near 1 without rounding them: floats then neither
// overflow nor vanish.
double float_scale(double largest);

}  // namespace segue::stats
