// Landmarks of a recording: pairs of peaks of its spectrogram, by which the very same recording is known again (Wang
// 2003, "An industrial-strength audio search algorithm"). What another performance of the same piece has in common with
// it is little.
//
// A peak is a bin whose power is the largest within `peak_frames` and `peak_bins` to all sides, and among the
// `peaks_near` largest such of its band within `density_frames` before and after. So a band has at most `peaks_near`
// peaks in any density_frames + 1 successive frames: with the defaults below 21 peaks a second in all, about 12 in
// music. Only comparisons of powers decide: the level of a recording, or of a part of it, changes nothing.
//
// A landmark is a peak and one of the `fan_out` first that follow it in its target zone: `least_gap` to 63 frames
// later, no more than `zone_bins` apart. Its hash is (bin of the first, bin of the second, frames between): 10, 10 and
// 6 bits from the highest to the lowest.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/sound_file.hpp"
#include "framework/audio/stft.hpp"

namespace segue::audio {

struct LandmarkSettings {
  static constexpr int kMostGap = 63;                    // frames, what a hash has bits for
  int sample_rate = 22050;                               // Hz
  StftSettings stft;                                     // 93 ms every 23 ms; bins of 10.8 Hz
  std::vector<int> bands = {10, 28, 56, 112, 224, 512};  // first bins, and the end: 108 Hz to 5.5 kHz, about octaves
  int peak_frames = 4, peak_bins = 8;                    // to both sides
  int density_frames = 21, peaks_near = 2;               // half a second
  int least_gap = 2, zone_bins = 128, fan_out = 3;

  double frame_seconds() const { return static_cast<double>(stft.hop) / sample_rate; }
  // Every setting by name, and the version of the definition: equal texts, comparable hashes.
  std::string canonical() const;
};

struct Peak {
  std::uint32_t frame = 0, bin = 0;
  float power = 0;
};

struct Landmark {
  std::uint32_t hash = 0;
  std::uint32_t frame = 0;  // of its first peak
  auto operator<=>(const Landmark&) const = default;
};

constexpr std::uint32_t landmark_hash(std::uint32_t first_bin, std::uint32_t second_bin, std::uint32_t gap) {
  return first_bin << 16 | second_bin << 6 | gap;
}

// Of a signal that arrives piece by piece; spectra are forgotten after `peak_frames` more of them.
class PeakPicker {
 public:
  explicit PeakPicker(const LandmarkSettings& settings);
  void push(std::span<const float> samples);
  // The end of the signal. All peaks, ascending by frame, then bin.
  std::vector<Peak> finish();

 private:
  struct Row {
    std::vector<float> power, near;  // of a frame's bins, and the largest within peak_bins of each
  };
  void add(const SpectrumBlock<float>& block);
  void look_at(std::int64_t frame);
  Row& row(std::int64_t frame) { return rows_[static_cast<std::size_t>(frame) % rows_.size()]; }

  LandmarkSettings settings_;
  Stft<float> stft_;
  std::size_t low_, high_;  // bins
  std::vector<Row> rows_;   // the last of them, by frame modulo their number
  std::int64_t frames_ = 0;
  std::vector<Peak> peaks_;  // before their density is limited
};

// Pairs of peaks that ascend by frame, then bin. Ascending by frame, then as peaks were given.
std::vector<Landmark> pair_peaks(std::span<const Peak> peaks, const LandmarkSettings& settings);

// Reads the source to its end. UsageError unless its sample rate is that of the settings.
std::vector<Landmark> find_landmarks(SampleSource& source, const LandmarkSettings& settings = {});

// Of a short clip, which begins somewhere between two frames of the recording it was cut from: it is heard `shifts`
// times, each a fraction of a hop later, and each peak is paired with twice as many. What is known of it then is told
// at a resolution of hop / shifts.
struct ClipLandmarks {
  int shifts = 2;
  std::size_t plain = 0;            // landmarks that it would have as a recording
  std::vector<Landmark> landmarks;  // frame: in hops / shifts. Ascending by hash, then frame; none twice
};
ClipLandmarks find_clip_landmarks(std::span<const float> samples, const LandmarkSettings& settings = {},
                                  int shifts = 2);

}  // namespace segue::audio
