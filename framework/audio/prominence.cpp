#include "framework/audio/prominence.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr double kFloor = 0.1;            // of the mean power
constexpr double kWindowPower = 3 / 8.0;  // mean square of a Hann window

// A mel band's power under white noise of the signal's mean power: frame times the window's power a bin, over the width
// of a bin, since filters have area 1 over Hz.
double mean_level(const Features<float>& f, const FeatureSettings& s) {
  double power = 0;
  for (const double rms : f.rms) power += rms * rms;
  power /= static_cast<double>(std::max<std::size_t>(f.rms.size(), 1));
  return power * kWindowPower * s.stft.frame * s.stft.frame / s.sample_rate;
}

}  // namespace

Prominence prominence(const Features<float>& f, const FeatureSettings& settings) {
  const auto bands = static_cast<std::size_t>(settings.mel.bands);
  if (settings.mel.norm != MelNorm::kArea || bands % Prominence::kBands != 0 || f.log_mel.rows() != f.frames ||
      f.log_mel.cols() != bands || f.rms.size() != f.frames)
    throw UsageError("prominence needs rms and the log-mel spectrogram of filters of area 1, a multiple of {} bands",
                     Prominence::kBands);
  const std::size_t group = bands / Prominence::kBands;
  const Matrix<double> dct = dct_rows(static_cast<int>(Prominence::kCepstra), settings.mel.bands);
  const double floor = kFloor * mean_level(f, settings);
  const auto floor_db = static_cast<float>(10 * std::log10(floor));  // -inf for silence
  Prominence out;
  out.cepstra = FrameRows<float>(Prominence::kCepstra);
  out.bands = FrameRows<float>(Prominence::kBands);
  std::vector<float> now(bands, 0.0f), before(bands, 0.0f);
  for (std::size_t t = 0; t < f.frames; ++t) {
    std::swap(now, before);
    const std::span<const float> row = f.log_mel.row(t);
    for (std::size_t b = 0; b < bands; ++b) now[b] = floor > 0 ? std::max(0.0f, row[b] - floor_db) : 0.0f;
    double sum = 0, first = 0, rise = 0, spread = 0;
    for (std::size_t b = 0; b < bands; ++b) {
      const auto x = static_cast<double>(now[b]);
      sum += x;
      first += x * static_cast<double>(b);
      if (t > 0) rise += std::max(0.0, x - static_cast<double>(before[b]));
    }
    const double centre = sum > 0 ? first / sum : 0;
    for (std::size_t b = 0; b < bands; ++b)
      spread += static_cast<double>(now[b]) * (static_cast<double>(b) - centre) * (static_cast<double>(b) - centre);
    out.sum.push_back(sum);
    out.centre.push_back(centre);
    out.width.push_back(sum > 0 ? std::sqrt(spread / sum) : 0);
    out.rise.push_back(rise / static_cast<double>(bands));
    const std::span<float> cepstra = out.cepstra.add(), groups = out.bands.add();
    for (std::size_t c = 0; c < cepstra.size(); ++c) {
      double value = 0;
      for (std::size_t b = 0; b < bands; ++b) value += row_span(dct, c)[b] * static_cast<double>(now[b]);
      cepstra[c] = static_cast<float>(value);
    }
    for (std::size_t g = 0; g < groups.size(); ++g) {
      double value = 0;
      for (std::size_t b = 0; b < group; ++b) value += static_cast<double>(now[g * group + b]);
      groups[g] = static_cast<float>(value / static_cast<double>(group));
    }
  }
  return out;
}

}  // namespace segue::audio
