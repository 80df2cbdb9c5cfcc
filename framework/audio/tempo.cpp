#include "framework/audio/tempo.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "framework/audio/fft.hpp"

namespace segue::audio {

namespace {

constexpr double kSlowest = 30, kFastest = 300, kUsual = 120;  // beats a minute
constexpr double kStep = 1.002;                                // between periods: finer than listeners hear
constexpr std::array<int, 4> kLevels = {1, 2, 4, 8};           // beats
constexpr double kLongest = 16;                                // s: eight beats at 30 a minute
constexpr double kSame = 0.04;                                 // tempi that near are one

// Onsets fall between frames and are played unevenly: a triangle of five frames makes neighbours meet.
std::vector<double> smoothed(std::span<const double> x) {
  constexpr std::array<double, 5> kTriangle = {1 / 9.0, 2 / 9.0, 3 / 9.0, 2 / 9.0, 1 / 9.0};
  std::vector<double> out(x.size(), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t k = 0; k < kTriangle.size(); ++k)
      if (i + k >= 2 && i + k - 2 < x.size()) out[i] += kTriangle[k] * x[i + k - 2];
  return out;
}

// Of deviations from the mean, a pair of frames, over that at lag 0.
std::vector<double> autocorrelation(const std::vector<double>& x, std::size_t lags) {
  std::size_t size = 1;
  while (size < x.size() + lags) size *= 2;
  RealFft<double> fft(size);
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  std::transform(x.begin(), x.end(), fft.time().begin(), [&](double v) { return v - mean; });
  fft.forward();
  for (auto& bin : fft.spectrum()) bin = std::norm(bin);
  fft.backward();
  std::vector<double> out(lags, 0.0);
  const double energy = fft.time()[0] / static_cast<double>(x.size());
  for (std::size_t lag = 0; energy > 0 && lag < lags; ++lag)
    out[lag] = fft.time()[lag] / (static_cast<double>(x.size() - lag) * energy);
  return out;
}

double between(const std::vector<double>& x, double position) {
  const auto i = static_cast<std::size_t>(position);
  const double share = position - static_cast<double>(i);
  return (1 - share) * x[i] + share * x[i + 1];
}

bool related(double a, double b) {
  const double ratio = a > b ? a / b : b / a;
  return std::any_of(kLevels.begin(), kLevels.begin() + 3, [&](int m) { return std::abs(ratio / m - 1) < kSame; }) ||
         std::abs(ratio / 3 - 1) < kSame;
}

}  // namespace

Tempo estimate_tempo(std::span<const double> envelope, FrameRate rate) {
  const double minute = 60 * rate.hz();  // frames
  // At most half the recording, so that every lag is an average over as much.
  const std::size_t lags = std::min(envelope.size() / 2, static_cast<std::size_t>(kLongest * rate.hz()) + 2);
  std::vector<Tempo> scores;  // confidence: the score
  if (lags >= 2) {
    const std::vector<double> r = autocorrelation(smoothed(envelope), lags);
    for (double period = minute / kFastest; period <= minute / kSlowest; period *= kStep) {
      double sum = 0;
      int levels = 0;
      for (const int m : kLevels) {
        if (m * period >= static_cast<double>(lags - 1)) break;
        sum += between(r, m * period);
        ++levels;
      }
      const double bpm = minute / period, octaves = std::log2(bpm / kUsual);
      if (levels > 0) scores.push_back({bpm, sum / levels * std::exp(-0.5 * octaves * octaves)});
    }
  }
  Tempo best, other;
  for (const Tempo& t : scores)
    if (t.confidence > best.confidence) best = t;
  for (const Tempo& t : scores)
    if (t.confidence > other.confidence && !related(t.bpm, best.bpm)) other = t;
  if (best.confidence > 0) best.confidence = 1 - other.confidence / best.confidence;
  return best;
}

}  // namespace segue::audio
