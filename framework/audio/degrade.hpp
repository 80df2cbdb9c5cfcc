// What happens to recordings on their way: the same excerpt quieter, noisy, compressed, cut short. For asking whether
// it is still recognised.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/rng.hpp"

namespace segue::audio {

// Times 10^(decibels / 20). Nothing is clipped.
std::vector<float> with_gain(std::vector<float> samples, double decibels);

// With white Gaussian noise whose mean power is the signal's, over all of it, less `snr` decibels. Silence stays
// silent.
std::vector<float> with_noise(std::vector<float> samples, double snr, Rng rng);

// The middle `seconds` of it; all where it is not longer.
std::vector<float> middle(std::span<const float> samples, int sample_rate, double seconds);

enum class DegradationKind { kGain, kNoise, kMp3, kCrop };

struct DegradationCard {
  DegradationKind kind;
  const char* name;  // "noise"
  const char* unit;  // "dB SNR"
  double low, high;  // of amounts
  const char* meaning;
};
const std::vector<DegradationCard>& degradation_cards();

struct Degradation {
  DegradationKind kind;
  double amount;
  std::string text() const;  // "noise:20"
};
// "gain:-12,noise:20". UsageError naming what there is, for what is none of it.
std::vector<Degradation> parse_degradations(std::string_view list);

// rng: of this excerpt.
std::vector<float> degraded(std::span<const float> samples, int sample_rate, const Degradation& how, const Rng& rng);

}  // namespace segue::audio
