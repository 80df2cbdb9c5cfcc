// How alike two items sound, as inner products of two vectors an item, so that one product compares one with all.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/audio/fingerprint.hpp"
#include "framework/data/facets.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// Rows of length 1, or 0 for items that nobody has heard: statistics and fingerprints with zero mean and unit variance
// over the items flagged in `among` (all, where none of them sounds); with `whiten` the fields of each part also
// uncorrelated, as far as a covariance to which a tenth of its mean variance is added says (Ledoit & Wolf 2004 on why).
// Then each field times the square root of its part's weight. Inner products are cosines.
Matrix<float> fingerprint_directions(const ItemSound& sound, std::span<const std::uint8_t> among,
                                     const std::array<double, audio::kSoundParts>& weights, bool whiten);

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
