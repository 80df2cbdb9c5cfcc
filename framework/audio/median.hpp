// The median of some numbers: the mean of the two in the middle where their number is even, as numpy has it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace segue::audio {

// x: at least one number.
inline double median(std::vector<double> x) {
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2);
  std::nth_element(x.begin(), middle, x.end());
  return x.size() % 2 == 1 ? *middle : (*middle + *std::max_element(x.begin(), middle)) / 2;
}

}  // namespace segue::audio
