// Small summaries of a sample, in double and in the order given.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue {

// NaN for an empty sample.
inline double mean_of(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += v;
  return values.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(values.size());
}

// Sample standard deviation, divisor n - 1 (two passes); NaN for fewer than two values.
inline double stddev_of(std::span<const double> values) {
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = mean_of(values);
  double squares = 0;
  for (double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// The p-th percentile, p in [0, 100], with linear interpolation between order statistics: position p/100 (n - 1) of the
// sorted sample (Hyndman & Fan 1996, type 7; the default of NumPy and R). `sorted` ascending; NaN for an empty sample.
inline double percentile_of_sorted(std::span<const double> sorted, double p) {
  SEGUE_CHECK(p >= 0 && p <= 100, "a percentile lies between 0 and 100, not {}", p);
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double position = p / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

// The same for a sample in any order.
inline double percentile(std::span<const double> values, double p) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return percentile_of_sorted(sorted, p);
}

}  // namespace segue
