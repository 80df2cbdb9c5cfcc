#include "framework/audio/tempo_accuracy.hpp"

#include <cmath>

#include "framework/base/errors.hpp"

namespace segue::audio {

TempoAccuracy tempo_accuracy(double bpm, double truth) {
  SEGUE_CHECK(truth > 0, "a tempo of {} beats a minute", truth);
  const auto near = [&](double factor) { return std::abs(bpm / (factor * truth) - 1) <= kTempoTolerance; };
  const bool first = near(1);
  return {first, first || near(2) || near(3) || near(1 / 2.0) || near(1 / 3.0)};
}

}  // namespace segue::audio
