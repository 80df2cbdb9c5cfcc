// A recording as a whole: its features, and what people ask of it.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "framework/audio/dynamics.hpp"
#include "framework/audio/features.hpp"
#include "framework/audio/sound_file.hpp"
#include "framework/audio/tempo.hpp"

namespace segue::audio {

struct TrackSummary {
  double seconds = 0;
  Tempo tempo;
  Key key;
  double tuning = 0;                     // semitones from A4 = 440 Hz
  double loudness = Loudness::kSilence;  // LUFS, of the mono mix
  double energy = 0;                     // [0, 1], energy_of(loudness)
  double danceability = 0;
  double onsets_a_second = 0;
  // Means over frames.
  double centroid = 0, bandwidth = 0, rolloff = 0;  // Hz
  double flatness = 0, zero_crossing_rate = 0, rms = 0;
  std::vector<double> mfcc, chroma, contrast;
};

struct Track {
  FeatureSettings settings;
  Features<float> features;
  std::vector<std::size_t> beats;   // frames
  std::vector<std::size_t> onsets;  // frames
  TrackSummary summary;
};

// Reads the source to its end, twice where it is long. sample_rate of the settings must be the source's. progress,
// where given, is told the seconds read.
Track analyze_track(SampleSource& source, const FeatureSettings& settings = {}, TempoMethod tempo = TempoMethod::kMetre,
                    const std::function<void(double)>& progress = {});

// A signal with a short click at each of these frames (ascending), 1 kHz, so that beats can be heard. The signal must
// outlive it.
class Clicked final : public SampleSource {
 public:
  Clicked(SampleSource& signal, std::vector<std::size_t> frames, int hop);

  int sample_rate() const override { return signal_->sample_rate(); }
  std::size_t read(std::span<float> out) override;
  void rewind() override { seek(0); }
  std::uint64_t samples() const override { return signal_->samples(); }
  void seek(std::uint64_t sample) override;

 private:
  SampleSource* signal_;
  std::vector<std::uint64_t> begins_;  // of the clicks, in samples
  std::vector<float> click_;
  std::uint64_t at_ = 0;
};

}  // namespace segue::audio
