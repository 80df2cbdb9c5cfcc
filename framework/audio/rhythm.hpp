// Onsets, tempo and beats from an onset envelope: how much each frame of a recording rises over the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/audio/frame_rows.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::audio {

// Frames a second of envelopes: sample rate / hop.
struct FrameRate {
  int sample_rate = 22050, hop = 512;
  double hz() const { return static_cast<double>(sample_rate) / hop; }
};

enum class OverBands { kMean, kMedian };

// Spectral flux of a log-mel spectrogram (frames x bands, dB): the mean or median over bands of max(0, L[t] - L[t -
// 1]), values below floor_db counting as floor_db. It is delayed by frame / (2 hop) frames, so that an onset stands
// where it is heard: the first 1 + frame / (2 hop) values are 0. Boeck & Widmer 2013 with librosa's defaults.
template <class T>
std::vector<double> onset_strength(const FrameRows<T>& log_mel, T floor_db, int frame, int hop, OverBands over);

// Frames where the envelope peaks: its maximum over 30 ms before, at least 0.07 of its range above its mean over 100 ms
// on either side, and 30 ms after the last (Boeck, Krebs & Schedl 2012). Ascending.
std::vector<std::size_t> onset_frames(std::span<const double> envelope, FrameRate rate);

// The autocorrelation of 8.0 s of the envelope around each frame, under a periodic Hann window, over its largest value
// (Grosche, Mueller & Kurth 2010). The envelope falls linearly to zero beyond both ends.
class Tempogram {
 public:
  explicit Tempogram(FrameRate rate, double seconds = 8.0);
  std::size_t lags() const { return lags_; }
  double bpm(std::size_t lag) const;  // beats a minute of that many frames a beat; infinite for lag 0
  // A row of lags() for each of these frames.
  Matrix<double> local(std::span<const double> envelope, std::span<const std::size_t> frames) const;
  // Its mean over the frames, at a quarter of the cost. Empty without frames.
  std::vector<double> mean(std::span<const double> envelope) const;

 private:
  std::vector<double> padded(std::span<const double> envelope) const;
  FrameRate rate_;
  std::size_t lags_;
};

// librosa 0.11.0's tempo: the lag where log(1 + 10^6 mean tempogram) plus a log-normal prior around 120 beats a minute,
// an octave wide, is largest, below 320 a minute. A grid: 117.45, 123.05, 129.20, ...
double tempo_librosa(std::span<const double> envelope, FrameRate rate);

// Ellis 2007, "Beat tracking by dynamic programming": frames of beats a period of `bpm` apart as nearly as the envelope
// allows, equation 5 with tightness 100. Ascending; empty where the envelope is zero.
std::vector<std::size_t> beat_frames(std::span<const double> envelope, double bpm, FrameRate rate);

}  // namespace segue::audio
