#include "framework/audio/filters.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

// Slaney's scale: where its logarithmic part begins, and its steps.
constexpr double kLinearStep = 200.0 / 3, kLogFrom = 1000, kLogFromMel = kLogFrom / kLinearStep;
const double kLogStep = std::log(6.4) / 27;

double octaves_above_a0(double hz, double tuning) { return std::log2(hz / (440 * std::exp2(tuning / 12) / 16)); }

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hz / 700);
  return hz < kLogFrom ? hz / kLinearStep : kLogFromMel + std::log(hz / kLogFrom) / kLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10, mel / 2595) - 1);
  return mel < kLogFromMel ? mel * kLinearStep : kLogFrom * std::exp(kLogStep * (mel - kLogFromMel));
}

std::vector<double> mel_edges(const MelSettings& settings, int sample_rate) {
  const double high = settings.high > 0 ? settings.high : sample_rate / 2.0;
  if (settings.bands < 1) throw UsageError("{} mel bands; at least one is needed", settings.bands);
  if (!(settings.low >= 0 && settings.low < high && high <= sample_rate / 2.0))
    throw UsageError("mel bands from {} to {} Hz do not lie between 0 and half the sample rate, {} Hz", settings.low,
                     high, sample_rate / 2.0);
  const double from = hz_to_mel(settings.low, settings.scale), to = hz_to_mel(high, settings.scale);
  std::vector<double> out(static_cast<std::size_t>(settings.bands) + 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] =
        mel_to_hz(from + (to - from) * static_cast<double>(i) / static_cast<double>(out.size() - 1), settings.scale);
  return out;
}

Matrix<double> mel_filters(const MelSettings& settings, int sample_rate, int frame) {
  const std::vector<double> edges = mel_edges(settings, sample_rate), bins = bin_frequencies(sample_rate, frame);
  Matrix<double> out = Matrix<double>::Zero(settings.bands, static_cast<Eigen::Index>(bins.size()));
  for (std::size_t b = 0; b < static_cast<std::size_t>(settings.bands); ++b) {
    const auto row = static_cast<Eigen::Index>(b);
    for (std::size_t k = 0; k < bins.size(); ++k) {
      const double rising = (bins[k] - edges[b]) / (edges[b + 1] - edges[b]);
      const double falling = (edges[b + 2] - bins[k]) / (edges[b + 2] - edges[b + 1]);
      out(row, static_cast<Eigen::Index>(k)) = std::max(0.0, std::min(rising, falling));
    }
    if (settings.norm == MelNorm::kArea) out.row(row) *= 2 / (edges[b + 2] - edges[b]);
    const double sum = out.row(row).sum();
    if (settings.norm == MelNorm::kSum && sum > 0) out.row(row) /= sum;
  }
  return out;
}

Matrix<double> chroma_filters(double tuning, int sample_rate, int frame) {
  const auto n = static_cast<std::size_t>(frame);
  std::vector<double> semitones(
      n);  // above A0, of each bin; that of 0 Hz is made up, an octave and a half below the first
  for (std::size_t k = 1; k < n; ++k)
    semitones[k] = 12 * octaves_above_a0(static_cast<double>(k) * sample_rate / frame, tuning);
  semitones[0] = semitones[1] - 18;
  Matrix<double> out(12, frame / 2 + 1);
  for (std::size_t k = 0; k <= n / 2; ++k) {
    const double width = k + 1 < n ? std::max(semitones[k + 1] - semitones[k], 1.0) : 1.0;
    double squares = 0;
    const auto column = static_cast<Eigen::Index>(k);
    for (int c = 0; c < 12; ++c) {  // c semitones above A; -6 <= distance < 6
      double distance = std::fmod(semitones[k] - c + 6 + 120, 12);
      if (distance < 0) distance += 12;
      distance -= 6;
      const double x = 2 * distance / width, weight = std::exp(-0.5 * x * x);
      out((c + 9) % 12, column) = weight;
      squares += weight * weight;
    }
    const double octave = (semitones[k] / 12 - 5) / 2;
    out.col(column) *= std::exp(-0.5 * octave * octave) / std::sqrt(squares);
  }
  return out;
}

Matrix<double> dct_rows(int coefficients, int bands) {
  SEGUE_CHECK(coefficients >= 1 && coefficients <= bands, "{} cepstral coefficients of {} bands", coefficients, bands);
  Matrix<double> out(coefficients, bands);
  for (int i = 0; i < coefficients; ++i)
    for (int b = 0; b < bands; ++b)
      out(i, b) =
          std::sqrt((i == 0 ? 1.0 : 2.0) / bands) * std::cos(std::numbers::pi * i * (2 * b + 1) / (2.0 * bands));
  return out;
}

std::vector<double> bin_frequencies(int sample_rate, int frame) {
  std::vector<double> out(static_cast<std::size_t>(frame / 2 + 1));
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<double>(k) * sample_rate / frame;
  return out;
}

}  // namespace segue::audio
