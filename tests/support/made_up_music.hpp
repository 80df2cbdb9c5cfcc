// Music of a moment, for tests of what finds recordings: notes of harmonics, drawn, over drums of noise, drawn too, so
// that no bar is like another.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "framework/base/rng.hpp"

namespace segue::test {

inline std::vector<float> made_up_music(std::uint64_t seed, double seconds, int sample_rate) {
  std::vector<float> out(static_cast<std::size_t>(seconds * sample_rate));
  Rng rng = Rng(seed).stream("made up music");
  const double beat = 0.2 + 0.3 * rng.uniform(), bright = 0.3 + 0.6 * rng.uniform();
  for (double at = 0; at < seconds; at += beat * (0.8 + 0.4 * rng.uniform())) {
    const double hz = 110 * std::exp2(static_cast<double>(rng.below(30)) / 12), decay = 1.5 + 5 * rng.uniform();
    const bool drum = rng.below(3) == 0;
    const auto from = static_cast<std::size_t>(at * sample_rate);
    for (std::size_t i = 0; i < static_cast<std::size_t>(sample_rate) / 2 && from + i < out.size(); ++i) {
      const double t = static_cast<double>(i) / sample_rate;
      double x = 0;
      for (int h = 1; h <= 6; ++h) x += std::pow(bright, h) * std::sin(2 * std::numbers::pi * hz * h * t);
      out[from + i] += static_cast<float>(0.2 * std::exp(-decay * t) * x);
      if (drum) out[from + i] += static_cast<float>(0.1 * std::exp(-40 * t) * rng.normal());
    }
  }
  return out;
}

}  // namespace segue::test
