// How loud a recording is, and how regularly its loudness moves.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "framework/audio/rhythm.hpp"

namespace segue::audio {

// Integrated loudness of ITU-R BS.1770-4 (EBU R 128) by libebur128: K-weighted, gated, in LUFS. Of the mono signal as
// it is given, so that stereo recordings come out up to 3 LU below what a meter on both channels shows.
class Loudness {
 public:
  explicit Loudness(int sample_rate);
  ~Loudness();
  Loudness(const Loudness&) = delete;
  Loudness& operator=(const Loudness&) = delete;
  void push(std::span<const float> samples);
  // kSilence where nothing is above the absolute gate of -70 LUFS, or the signal is shorter than 0.4 s.
  double lufs() const;
  static constexpr double kSilence = -70;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Loudness on a line from 0, at -60 LUFS and below, to 1 at 0 LUFS.
double energy_of(double lufs);

// Streich & Herrera 2005, "Detrended fluctuation analysis of music signals: danceability estimation and further
// semantic characterization": the inverse of the mean exponent with which fluctuations of the level (here rms, a value
// a frame) grow with the time, 0.31 to 8.8 s, over which they are seen. Steady beats fluctuate as much over a bar as
// over many: about 2 and more; music without a beat is about 1, noise whose level drifts below. 0 where the signal is
// shorter than 4 s, or its level constant.
double danceability(std::span<const double> rms, FrameRate rate);

}  // namespace segue::audio
