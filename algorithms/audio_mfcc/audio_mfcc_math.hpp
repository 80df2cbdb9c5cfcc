// How alike the timbres of two items are, as inner products of two vectors an item, so that one product compares one with
// all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// The symmetric Kullback-Leibler divergence of two Gaussians (audio::symmetric_kl) as half of <asking a, asked b>,
// without its constant:
//
//   2 KL(a || b) + d + ln|a| - ln|b| = tr(B^-1 A) + (m_a - m_b)' B^-1 (m_a - m_b)
//                                    = <B^-1, A + m_a m_a'> - 2 <B^-1 m_b, m_a> + m_b' B^-1 m_b
//
// and the same with a and b exchanged; logarithms cancel. It does not change under affine maps, and the mean of all
// items is put at 0 and their mean covariance at 1, so that float does: within 1e-3 of it in sum.
struct TimbreVectors {
  Matrix<float> asking, asked;  // items x 2 (d (d + 1) / 2 + d + 1)
};
// Of vectors of that many numbers, (d + 1) (d + 2).
float timbre_divergence(float product, std::size_t numbers);
TimbreVectors timbre_vectors(const ItemSound& sound, std::span<const std::uint8_t> among);

}  // namespace segue
