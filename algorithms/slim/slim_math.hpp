// One item's share of SLIM (Ning & Karypis 2011, equation 4): the non-negative elastic net of its column on the others,
// from the Gram matrix alone.
//
//   minimise over w >= 0, w_j = 0:   w^T G w / 2 - g^T w + reg/2 |w|^2 + l1 sum w,   G = X^T X, g its column j.
//
// Coordinate descent over a growing set of active items: those that gain most join, the problem among them is solved in
// a compact matrix, and the gradient of all items says who joins next; at the end nobody's gradient asks for more. For
// reg > 0 the minimum is unique, so the order in which items join matters to the time only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/matrix.hpp"

namespace segue {

struct SlimSettings {
  double l1 = 0, reg = 1;
  double tolerance = 1e-4;     // the largest change of a weight at which descent stops
  int sweeps = 100;            // over the active items, each time that some have joined
  std::size_t candidates = 0;  // only the items most similar by cosine may have a weight (fsSLIM); 0: all
};

// Solves one item after another with the same scratch; one object a block of items. gram: items x items, symmetric, not
// below zero; must outlive this.
class SlimSolver {
 public:
  SlimSolver(const Matrix<float>& gram, const SlimSettings& settings);

  // Items ascending and their weights, all above zero. Valid until the next call.
  void solve(std::size_t item);
  std::span<const std::uint32_t> items() const { return items_; }
  std::span<const float> weights() const { return weights_; }

 private:
  void allow(std::size_t item);
  bool join();  // the items that gain most become active; false where none gains
  void descend(std::size_t item);
  void update_gradient(std::size_t item);
  const float* row(std::size_t i) const { return gram_.data() + i * n_; }

  const Matrix<float>& gram_;
  SlimSettings settings_;
  std::size_t n_;
  std::vector<double> gradient_;    // g - G w
  std::vector<std::uint8_t> open_;  // may still join
  std::vector<std::uint32_t> active_;
  std::vector<double> w_, among_;  // of active items; their Gram matrix, stride_ wide
  std::size_t stride_ = 0;
  std::vector<std::uint32_t> items_;
  std::vector<float> weights_;
};

}  // namespace segue
