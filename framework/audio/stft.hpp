// The short-time Fourier transform of a signal that arrives piece by piece: power spectra of centred frames.
//
// Frame t is centred on sample t * hop; what lies beyond either end of the signal is zero. A signal of n >= 1 samples
// has 1 + floor(n / hop) frames. Frames are weighted by a periodic Hann window, 0.5 - 0.5 cos(2 pi n / frame); neither
// window nor transform is scaled.
//
// Spectra come sixteen frames at a time, bin by bin: one pass over the bins serves sixteen frames in the lanes of a
// register, and each sum over bins is a chain of its frame's own, whatever its neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "framework/audio/fft.hpp"
#include "framework/linalg/wide.hpp"

namespace segue::audio {

struct StftSettings {
  int frame = 2048;  // samples, even, the size of the transform
  int hop = 512;     // samples, at most a frame
};

// Sixteen frames side by side; those beyond `count` are silent.
template <class T>
struct SpectrumBlock {
  std::size_t first = 0, count = 0;   // frames [first, first + count), 1 <= count <= kWide
  std::size_t bins = 0;               // frame / 2 + 1
  const T* power = nullptr;           // bins x kWide: |X|^2
  const double* rms = nullptr;        // kWide: root of the mean square of the frame's samples, unwindowed
  const double* crossings = nullptr;  // kWide: changes of sign within the frame over its length
};

template <class T>
class Stft {
 public:
  using Sink = std::function<void(const SpectrumBlock<T>&)>;

  explicit Stft(const StftSettings& settings);

  // More of the signal; calls sink for each sixteen frames that are complete. A block's memory is the Stft's.
  void push(std::span<const T> samples, const Sink& sink);
  // The end of the signal: the frames that are left. A signal without samples has none.
  void finish(const Sink& sink);

  std::size_t bins() const { return fft_.bins(); }
  std::uint64_t samples() const { return received_; }
  std::uint64_t frames() const { return frames_; }  // given to sinks so far

 private:
  void take(const Sink& sink);
  void hand_over(const Sink& sink);

  StftSettings settings_;
  RealFft<T> fft_;
  std::vector<T> window_;
  std::vector<T> pending_;              // of the padded signal, from where the next frame begins
  std::vector<std::uint8_t> crossing_;  // of each of these: whether its sign is not that of the sample before
  bool negative_ = false;               // the last sample
  std::size_t begin_ = 0;               // of it in pending_
  std::uint64_t received_ = 0;          // samples
  std::uint64_t frames_ = 0;
  std::size_t count_ = 0;        // of frames in the block that is being filled
  std::vector<T> rows_, power_;  // kWide x bins, bins x kWide
  double rms_[kWide] = {}, crossings_[kWide] = {};
};

// n of a periodic Hann window.
template <class T>
std::vector<T> hann(std::size_t n);

}  // namespace segue::audio
