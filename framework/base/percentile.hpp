// Percentiles of a sample.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue {

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
