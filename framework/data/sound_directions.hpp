// How items sound as directions: inner products are cosines, so that one product compares an item with all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/audio/fingerprint.hpp"
#include "framework/data/facets.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// The items to learn a scale from: heard ones that are flagged in `among`, or all that are heard. Ascending.
std::vector<std::size_t> sounds_to_learn_from(const ItemSound& sound, std::span<const std::uint8_t> among);

// Rows of length 1, or 0 for items that nobody has heard: statistics and fingerprints with zero mean and unit variance
// over the items flagged in `among` (all, where none of them sounds); with `whiten` the fields of each part also
// uncorrelated, as far as a covariance to which a tenth of its mean variance is added says (Ledoit & Wolf 2004 on why).
// Then each field times the square root of its part's weight. Inner products are cosines.
Matrix<float> fingerprint_directions(const ItemSound& sound, std::span<const std::uint8_t> among,
                                     const std::array<double, audio::kSoundParts>& weights, bool whiten);

}  // namespace segue
