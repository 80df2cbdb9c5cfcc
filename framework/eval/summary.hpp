// Small summaries of a sample, in double and in the order given.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "framework/base/percentile.hpp"

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

}  // namespace segue
