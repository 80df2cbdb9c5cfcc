// Does a recording find itself after it was made quieter, noisy, compressed or short? Degraded fingerprints are asked
// for among those of a catalogue.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/audio/degrade.hpp"
#include "framework/audio/fingerprint.hpp"

namespace segue::audio {

// Of an excerpt at any sample rate; it is heard at that of the settings.
std::vector<float> excerpt_fingerprint(std::vector<float> samples, int sample_rate, const FeatureSettings& settings);

struct DuplicateQuery {
  std::size_t own = 0;             // its original's row in the catalogue
  std::vector<float> fingerprint;  // of what became of it
};
struct DuplicateRank {
  std::size_t rank = 0;     // 1: first. Others that are as near come before it
  std::size_t nearest = 0;  // the row that is nearest, of others where one is as near
};
// catalogue: a fingerprint a row, as extracted. Scales are learned from it, and fingerprint_distance() decides.
std::vector<DuplicateRank> rank_duplicates(const Matrix<float>& catalogue, std::span<const DuplicateQuery> queries);

// How far each field moved between originals and queries: the mean of absolute differences, in deviations of the
// catalogue.
std::vector<double> moved_fields(const Matrix<float>& catalogue, std::span<const DuplicateQuery> queries);

}  // namespace segue::audio
