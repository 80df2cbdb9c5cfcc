// What stands out of a recording's own level: how far its log-mel spectrogram is above a floor, 10 dB below what its
// mean power would be as white noise. What lies under the floor is nothing, so that neither gain, nor noise 20 dB below
// the signal, nor the empty bands of lossy compression change much of it.
//
// Prominence of a band: max(0, 10 log10(P / floor)), in dB; 0 for silence.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/audio/features.hpp"

namespace segue::audio {

struct Prominence {
  static constexpr std::size_t kCepstra = 20, kBands = 16;
  FrameRows<float> cepstra;           // frames x 20: orthonormal DCT-II over all mel bands
  FrameRows<float> bands;             // frames x 16: means of neighbouring mel bands
  std::vector<double> sum;            // over mel bands
  std::vector<double> centre, width;  // in mel bands: mean and deviation, weighted by prominence; 0 where nothing is
  std::vector<double> rise;           // mean over mel bands of max(0, what it is more than the frame before)
};

// Of features that hold log-mel with filters of equal area, and rms. UsageError otherwise, and where 16 does not divide
// the number of mel bands.
Prominence prominence(const Features<float>& features, const FeatureSettings& settings);

}  // namespace segue::audio
