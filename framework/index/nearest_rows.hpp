// The nearest of a stream of rows. Internal to framework/index.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "framework/index/vector_index.hpp"

namespace segue {

// Keeps up to twice as many as asked for and throws the farther half away when full. What remains does not depend on
// the order of offers.
class NearestRows {
 public:
  explicit NearestRows(std::size_t count) : count_(count) { found_.reserve(2 * count + kSlack); }
  // Nothing farther is among the nearest; infinity until there are enough.
  float bar() const { return bar_; }
  void offer(Neighbour n) {
    if (n.distance > bar_) return;
    found_.push_back(n);
    if (found_.size() < 2 * count_ + kSlack) return;
    cut();
    bar_ = std::max_element(found_.begin(), found_.end())->distance;
  }
  // Writes the nearest, nearest first; returns how many.
  std::size_t sorted(std::span<Neighbour> out) {
    cut();
    std::sort(found_.begin(), found_.end());
    std::ranges::copy(found_, out.begin());
    return found_.size();
  }

 private:
  static constexpr std::size_t kSlack = 16;

  void cut() {
    if (found_.size() <= count_) return;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::nth_element(found_.begin(), end, found_.end());
    found_.erase(end, found_.end());
  }

  std::size_t count_;
  std::vector<Neighbour> found_;
  float bar_ = std::numeric_limits<float>::infinity();
};

}  // namespace segue
