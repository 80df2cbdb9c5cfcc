// The step of WARP, the weighted approximate-rank pairwise loss.
// Weston, Bengio & Usunier 2011, "WSABIE: Scaling up to large vocabulary image annotation", IJCAI, section 3.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/model/pairwise.hpp"

namespace segue {

// weights[n - 1] is the weight of a violation that the n-th draw found: with the estimated rank r = floor((items - 1) /
// n) of the positive item, 1 + 1/2 + ... + 1/r, and 0 for r = 0.
std::vector<float> warp_weights(std::size_t items, std::size_t max_sampled);

// Draws items j until <p, q_j> + b_j > <p, q_i> + b_i - 1, at most weights.size() times. An item that the user has
// counts as a draw without violation: has(j) is asked of those alone that would violate. On a violating j, the step of
// pair_update() for the loss weight * (1 - x_uij), with the rows {q_j, &b_j} = rows(j). Returns that loss before the
// step, or 0 where no draw violated.
template <class Draw, class Has, class Rows>
float warp_step(float* p, float* q_i, float& b_i, std::size_t d, std::span<const float> weights, const PairStep& step,
                Draw draw, Has has, Rows rows) {
  const float s_i = lane_dot({p, d}, {q_i, d}) + b_i;
  for (const float weight : weights) {
    const std::uint32_t j = draw();
    const auto [q_j, b_j] = rows(j);
    const float miss = 1 - s_i + (lane_dot({p, d}, {q_j, d}) + *b_j);
    if (!(miss > 0) || has(j)) continue;
    pair_update(p, q_i, q_j, b_i, *b_j, d, weight, step);
    return weight * miss;
  }
  return 0;
}

}  // namespace segue
