// Samples in memory as a source of sound.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "framework/audio/track.hpp"

namespace segue::test {

class Signal final : public audio::SampleSource {
 public:
  static constexpr int kRate = 22050;  // Hz, of FeatureSettings

  explicit Signal(std::vector<float> samples) : samples_(std::move(samples)) {}
  int sample_rate() const override { return kRate; }
  std::size_t read(std::span<float> out) override {
    const std::size_t n = std::min(out.size(), samples_.size() - at_);
    std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
    at_ += n;
    return n;
  }
  void rewind() override { at_ = 0; }
  std::uint64_t samples() const override { return samples_.size(); }

 private:
  std::vector<float> samples_;
  std::size_t at_ = 0;
};

inline audio::Track track_of(std::vector<float> samples, audio::TempoMethod tempo = audio::TempoMethod::kMetre) {
  Signal signal(std::move(samples));
  return audio::analyze_track(signal, {}, tempo);
}

}  // namespace segue::test
