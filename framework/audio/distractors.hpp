// Vectors that no recording has, for measuring how a search fares among many: as synthetic as they are named.
#pragma once

#include <cstddef>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::audio {

// `count` rows resampled from the distribution of `rows`: between a row drawn at random and one of its ten nearest, a
// share of the way that is drawn too, and off that line by half the difference of two others of these neighbours times
// a normal number, so that they scatter as rows do thereabouts. A row is a function of (rng, its number) alone.
Matrix<float> resampled_rows(const Matrix<float>& rows, std::size_t count, const Rng& rng, const Executor& exec);

}  // namespace segue::audio
