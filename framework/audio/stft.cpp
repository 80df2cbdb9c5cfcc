#include "framework/audio/stft.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"

namespace segue::audio {

namespace {

// Samples nearer to zero count as zero, which is positive, as in librosa's zero_crossings.
constexpr double kSilent = 1e-10;

}  // namespace

template <class T>
std::vector<T> hann(std::size_t n) {
  std::vector<T> out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] =
        static_cast<T>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n)));
  return out;
}

template <class T>
Stft<T>::Stft(const StftSettings& settings)
    : settings_(settings), fft_(static_cast<std::size_t>(settings.frame)), window_(hann<T>(fft_.size())) {
  SEGUE_CHECK(settings.frame >= 2 && settings.frame % 2 == 0 && settings.hop >= 1 && settings.hop <= settings.frame,
              "frames of {} samples every {}", settings.frame, settings.hop);
  pending_.assign(fft_.size() / 2, T(0));
  crossing_.assign(fft_.size() / 2, 0);
  rows_.assign(kWide * fft_.bins(), T(0));
  power_.assign(kWide * fft_.bins(), T(0));
}

template <class T>
void Stft<T>::push(std::span<const T> samples, const Sink& sink) {
  const std::size_t frame = fft_.size();
  while (!samples.empty()) {  // a bounded piece at a time, so that memory is bounded too
    const std::size_t n = std::min<std::size_t>(samples.size(), 1 << 16), at = pending_.size();
    pending_.insert(pending_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(n));
    crossing_.resize(at + n);
    const T silent = static_cast<T>(-kSilent);
    for (std::size_t i = 1; i < n; ++i) crossing_[at + i] = (samples[i] < silent) != (samples[i - 1] < silent);
    crossing_[at] = received_ > 0 && (samples[0] < silent) != negative_;
    negative_ = samples[n - 1] < silent;
    received_ += n;
    samples = samples.subspan(n);
    while (pending_.size() - begin_ >= frame) take(sink);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(begin_));
    crossing_.erase(crossing_.begin(), crossing_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
}

template <class T>
void Stft<T>::finish(const Sink& sink) {
  if (received_ == 0) return;
  const std::uint64_t total = 1 + received_ / static_cast<std::uint64_t>(settings_.hop);
  pending_.resize(pending_.size() + fft_.size(), T(0));
  crossing_.resize(pending_.size(), 0);
  while (frames_ + count_ < total) take(sink);
  if (count_ > 0) hand_over(sink);
}

// The frame that begins at begin_.
template <class T>
void Stft<T>::take(const Sink& sink) {
  const std::span<const T> frame(pending_.data() + begin_, fft_.size());
  const std::uint8_t* crossing = crossing_.data() + begin_;
  double squares = 0;
  T lanes[kWide] = {};
  for (std::size_t i = 0; i + kWide <= frame.size(); i += kWide)
    for (std::size_t l = 0; l < kWide; ++l) lanes[l] += frame[i + l] * frame[i + l];
  for (const T lane : lanes) squares += static_cast<double>(lane);
  for (std::size_t i = frame.size() / kWide * kWide; i < frame.size(); ++i)
    squares += static_cast<double>(frame[i] * frame[i]);
  rms_[count_] = std::sqrt(squares / static_cast<double>(frame.size()));
  unsigned crossings = 0;  // between samples of the frame: not the first, whose sample before is outside
  for (std::size_t i = 1; i < frame.size(); ++i) crossings += crossing[i];
  crossings_[count_] = crossings / static_cast<double>(frame.size());

  const std::span<T> time = fft_.time();
  for (std::size_t i = 0; i < frame.size(); ++i) time[i] = frame[i] * window_[i];
  fft_.forward();
  const auto* pairs = reinterpret_cast<const T*>(fft_.spectrum().data());
  T* row = rows_.data() + count_ * fft_.bins();
  for (std::size_t k = 0; k < fft_.bins(); ++k)
    row[k] = pairs[2 * k] * pairs[2 * k] + pairs[2 * k + 1] * pairs[2 * k + 1];
  begin_ += static_cast<std::size_t>(settings_.hop);
  if (++count_ == kWide) hand_over(sink);
}

template <class T>
void Stft<T>::hand_over(const Sink& sink) {
  std::fill(rows_.begin() + static_cast<std::ptrdiff_t>(count_ * fft_.bins()), rows_.end(), T(0));
  transpose<T>({rows_.data(), kWide, fft_.bins()}, View<T>(power_.data(), fft_.bins(), kWide));
  const SpectrumBlock<T> block{frames_, count_, fft_.bins(), power_.data(), rms_, crossings_};
  frames_ += count_;
  count_ = 0;
  sink(block);
}

template class Stft<float>;
template class Stft<double>;
template std::vector<float> hann(std::size_t);
template std::vector<double> hann(std::size_t);

}  // namespace segue::audio
