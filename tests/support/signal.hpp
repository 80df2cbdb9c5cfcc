// Samples in memory as a recording.
#pragma once

#include <utility>
#include <vector>

#include "framework/audio/track.hpp"

namespace segue::test {

inline constexpr int kSignalRate = 22050;  // Hz, of FeatureSettings

inline audio::Track track_of(std::vector<float> samples, audio::TempoMethod tempo = audio::TempoMethod::kMetre) {
  audio::SampleBuffer signal(std::move(samples), kSignalRate);
  return audio::analyze_track(signal, {}, tempo);
}

}  // namespace segue::test
