// The nearest of a stream of rows. Internal to framework/index.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "framework/index/vector_index.hpp"
#include "framework/linalg/best_rows.hpp"

namespace segue {

class NearestRows {
 public:
  explicit NearestRows(std::size_t count) : best_(count) {}
  // Nothing farther is among the nearest; infinity until there are enough.
  float bar() const { return bar_; }
  void offer(Neighbour n) {
    if (!(n.distance > bar_) && best_.offer(n)) bar_ = best_.worst().distance;
  }
  // Writes the nearest, nearest first; returns how many.
  std::size_t sorted(std::span<Neighbour> out) {
    const std::span<const Neighbour> found = best_.sorted();
    std::ranges::copy(found, out.begin());
    return found.size();
  }

 private:
  BestOf<Neighbour> best_;
  float bar_ = std::numeric_limits<float>::infinity();
};

}  // namespace segue
