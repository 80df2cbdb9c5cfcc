// The median of some numbers: the mean of the two in the middle where their number is even, as numpy has it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace segue::audio {

// x: at least one number.
template <class T>
double median(std::vector<T> x) {
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2);
  std::nth_element(x.begin(), middle, x.end());
  const auto upper = static_cast<double>(*middle);
  return x.size() % 2 == 1 ? upper : (upper + static_cast<double>(*std::max_element(x.begin(), middle))) / 2;
}

}  // namespace segue::audio
