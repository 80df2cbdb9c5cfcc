#include "framework/audio/pitch.hpp"

#include <algorithm>
#include <cmath>

#include "framework/audio/median.hpp"

namespace segue::audio {

namespace {

constexpr double kLowest = 150, kHighest = 4000;  // Hz
constexpr double kPeakShare = 0.1;                // of the frame's largest power
constexpr int kTuningBins = 100;

// Krumhansl & Kessler's tonal hierarchies as revised by Temperley 1999, "What's key for key? The Krumhansl-Schmuckler
// key-finding algorithm reconsidered", figure 8; tonic first.
constexpr std::array<double, 12> kMajor = {5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0};
constexpr std::array<double, 12> kMinor = {5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0};
constexpr std::array<const char*, 12> kNames = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};

double correlation(std::span<const double, 12> x, const std::array<double, 12>& profile, std::size_t tonic) {
  double mean_x = 0, mean_p = 0, xx = 0, pp = 0, xp = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    mean_x += x[i] / 12;
    mean_p += profile[i] / 12;
  }
  for (std::size_t i = 0; i < 12; ++i) {
    const double a = x[(i + tonic) % 12] - mean_x, b = profile[i] - mean_p;
    xx += a * a;
    pp += b * b;
    xp += a * b;
  }
  return xx > 0 ? xp / std::sqrt(xx * pp) : 0;
}

// In hundredths of a semitone, from -0.5.
double tuning_edge(int bin) { return bin * (1.0 / kTuningBins) - 0.5; }

std::uint8_t tuning_bin(double frequency) {
  const double semitones = 12 * std::log2(frequency / 27.5);
  double residual = semitones - std::floor(semitones);
  if (residual >= 0.5) residual -= 1;
  int bin = std::clamp(static_cast<int>((residual + 0.5) * kTuningBins), 0, kTuningBins - 1);
  if (bin > 0 && residual < tuning_edge(bin)) --bin;
  if (bin + 1 < kTuningBins && residual >= tuning_edge(bin + 1)) ++bin;
  return static_cast<std::uint8_t>(bin);
}

}  // namespace

template <class T>
TuningEstimate<T>::TuningEstimate(int sample_rate, int frame) : bin_width_(static_cast<double>(sample_rate) / frame) {
  const auto bins = static_cast<std::size_t>(frame / 2 + 1);
  begin_ = 1;
  while (begin_ < bins && static_cast<double>(begin_) * bin_width_ < kLowest) ++begin_;
  end_ = begin_;
  while (end_ + 1 < bins && static_cast<double>(end_) * bin_width_ < std::min(kHighest, sample_rate / 2.0)) ++end_;
}

template <class T>
void TuningEstimate<T>::add(const SpectrumBlock<T>& block) {
  Wide<T> largest = {}, left, x, right;
  for (std::size_t k = 0; k < block.bins; ++k) {
    load_wide(block.power + k * kWide, x);
    largest = x > largest ? x : largest;
  }
  const Wide<T> least = largest * static_cast<T>(kPeakShare);
  load_wide(block.power + (begin_ - 1) * kWide, left);
  load_wide(block.power + begin_ * kWide, x);
  for (std::size_t k = begin_; k < end_; ++k, left = x, x = right) {
    load_wide(block.power + (k + 1) * kWide, right);
    const auto peaks = (x > least) & (x > left) & (x >= right);
    const Wide<T> seen = peaks ? x : Wide<T>{};
    T any = 0;
    for (std::size_t l = 0; l < kWide; ++l) any = std::max(any, seen[l]);
    if (any == 0) continue;
    for (std::size_t l = 0; l < block.count; ++l) {
      if (seen[l] == 0) continue;
      const T bend = right[l] + left[l] - 2 * x[l], slope = (right[l] - left[l]) / 2;
      const T shift = std::abs(slope) >= std::abs(bend) ? T(0) : -slope / bend;
      distances_.push_back(tuning_bin((static_cast<double>(k) + static_cast<double>(shift)) * bin_width_));
      powers_.push_back(x[l] + slope * shift / 2);
    }
  }
}

template <class T>
double TuningEstimate<T>::tuning() const {
  if (powers_.empty()) return 0;
  const double least = median(std::vector<T>(powers_.begin(), powers_.end()));
  std::array<std::size_t, kTuningBins> counts{};
  for (std::size_t i = 0; i < powers_.size(); ++i)
    if (static_cast<double>(powers_[i]) >= least) ++counts[distances_[i]];
  return tuning_edge(static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin()));
}

Key estimate_key(std::span<const double, 12> chroma) {
  Key best;
  double second = -1;
  bool any = false;
  for (int tonic = 0; tonic < 12; ++tonic) {
    for (const bool minor : {false, true}) {
      const double r = correlation(chroma, minor ? kMinor : kMajor, static_cast<std::size_t>(tonic));
      if (!any || r > best.correlation) {
        if (any) second = best.correlation;
        best = {tonic, minor, r, 0};
        any = true;
      } else {
        second = std::max(second, r);
      }
    }
  }
  best.lead = best.correlation - second;
  return best;
}

std::string to_text(const Key& key) {
  return std::string(kNames[static_cast<std::size_t>(key.tonic)]) + (key.minor ? " minor" : " major");
}

template class TuningEstimate<float>;
template class TuningEstimate<double>;

}  // namespace segue::audio
