// Which pitches a spectrum holds: peaks between bins, the tuning of a recording, and the key that fits its chroma.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/stft.hpp"

namespace segue::audio {

// Collects spectral peaks of a recording and says how far it is tuned from A4 = 440 Hz, as librosa 0.11.0's
// estimate_tuning does on power spectra.
template <class T>  // of the spectra
class TuningEstimate {
 public:
  TuningEstimate(int sample_rate, int frame);

  // Local maxima over frequency between 150 and 4000 Hz that exceed a tenth of their frame's largest power, placed
  // between bins by a parabola (Smith, "Spectral audio signal processing", quadratic interpolation of peaks).
  void add(const SpectrumBlock<T>& block);

  // Of the peaks at or above their median power, the most frequent distance to the next semitone, in bins of a
  // hundredth of one: the lower edge, in [-0.5, 0.5). 0 without peaks.
  double tuning() const;

 private:
  double bin_width_;
  std::size_t begin_, end_;  // bins
  // Of each peak. An hour of noise has millions: they take no more than they must, and never move.
  std::deque<T> powers_;
  std::deque<std::uint8_t> distances_;  // bins, as in tuning()
};

struct Key {
  int tonic = 0;  // 0 = C, 1 = C#, ... 11 = B
  bool minor = false;
  double correlation = 0;  // of the chroma with the key's profile, in [-1, 1]; 0 where the chroma is constant
  double lead = 0;         // correlation over that of the second best key
};
// The key whose profile correlates best with a chroma vector (C first): Krumhansl 1990, "Cognitive foundations of
// musical pitch", the probe-tone algorithm, with the profiles of Temperley 1999 by default.
Key estimate_key(std::span<const double, 12> chroma);
std::string to_text(const Key& key);  // "A minor"

}  // namespace segue::audio
