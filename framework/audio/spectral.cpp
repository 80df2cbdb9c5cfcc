#include "framework/audio/spectral.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>

#include "framework/base/errors.hpp"
#include "framework/linalg/wide_math.hpp"

namespace segue::audio {

namespace {

constexpr double kLeastPower = 1e-10;  // below it a logarithm says nothing
constexpr std::size_t kStretch = 32;   // bins of a filter whose sum is one chain in T

template <class T>
void wide_at(std::span<const T> rows, std::size_t k, Wide<T>& to) {
  load_wide(rows.data() + k * kWide, to);
}

}  // namespace

template <class T>
void spectral_moments(std::span<const T> magnitude, std::span<const double> frequencies, bool bandwidth,
                      SpectralMoments& out) {
  Wide<T> m;
  Wide<double> x, sum = {}, weighted = {};
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    wide_at(magnitude, k, m);
    widen(m, x);
    sum += x;
    weighted += x * frequencies[k];
  }
  Wide<double> centre = {};
  for (std::size_t l = 0; l < kWide; ++l) centre[l] = sum[l] > 0 ? weighted[l] / sum[l] : 0;
  store_wide<double>(centre, out.centroid);
  std::fill_n(out.bandwidth, kWide, 0.0);
  if (!bandwidth) return;
  Wide<double> spread = {};
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    wide_at(magnitude, k, m);
    widen(m, x);
    const Wide<double> distance = frequencies[k] - centre;
    spread += x * (distance * distance);
  }
  for (std::size_t l = 0; l < kWide; ++l) out.bandwidth[l] = sum[l] > 0 ? std::sqrt(spread[l] / sum[l]) : 0;
}

template <class T>
void spectral_rolloff(std::span<const T> magnitude, std::span<const double> frequencies, double share,
                      std::span<double> out) {
  Wide<T> m;
  Wide<double> x, sum = {};
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    wide_at(magnitude, k, m);
    widen(m, x);
    sum += x;
  }
  const Wide<double> threshold = share * sum;
  typedef std::int64_t Counts __attribute__((vector_size(128)));
  Counts below = {};  // bins whose cumulative sum is below: the sums never fall, so it is the index wanted
  sum = Wide<double>{};
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    wide_at(magnitude, k, m);
    widen(m, x);
    sum += x;
    below -= sum < threshold;
  }
  for (std::size_t l = 0; l < kWide; ++l)
    out[l] = frequencies[std::min(static_cast<std::size_t>(below[l]), frequencies.size() - 1)];
}

template <class T>
void spectral_flatness(std::span<const T> power, std::span<double> out) {
  const std::size_t bins = power.size() / kWide;
  std::array<T, kWide> at_least, logs;
  Wide<T> part;
  Wide<double> x, sum = {}, log_sum = {};
  for (std::size_t k = 0; k < bins; ++k) {
    for (std::size_t l = 0; l < kWide; ++l) at_least[l] = std::max(power[k * kWide + l], static_cast<T>(kLeastPower));
    log_of<T>(at_least, logs);
    load_wide(at_least.data(), part);
    widen(part, x);
    sum += x;
    load_wide(logs.data(), part);
    widen(part, x);
    log_sum += x;
  }
  const auto n = static_cast<double>(bins);
  for (std::size_t l = 0; l < kWide; ++l) out[l] = std::exp(log_sum[l] / n) / (sum[l] / n);
}

ContrastBands::ContrastBands(int sample_rate, int frame) {
  const std::vector<double> f = bin_frequencies(sample_rate, frame);
  for (std::size_t b = 0; b < kBands; ++b) {
    const double low = b == 0 ? 0 : 200 * std::exp2(static_cast<double>(b) - 1);
    const double high = 200 * std::exp2(static_cast<double>(b));
    if (low >= sample_rate / 2.0)
      throw UsageError("spectral contrast needs sounds above {} Hz, and {} samples a second reach {}", low, sample_rate,
                       sample_rate / 2.0);
    std::size_t begin = static_cast<std::size_t>(std::lower_bound(f.begin(), f.end(), low) - f.begin());
    std::size_t end = static_cast<std::size_t>(std::upper_bound(f.begin(), f.end(), high) - f.begin());
    if (b > 0) --begin;  // the bin below belongs to it too
    if (b + 1 == kBands) end = f.size();
    const double share = std::nearbyint(0.02 * static_cast<double>(end - begin));
    if (b + 1 < kBands) --end;  // but its last one does not
    if (end <= begin) throw UsageError("frames of {} samples are too short for spectral contrast", frame);
    bands_.push_back({begin, end, std::min(end - begin, static_cast<std::size_t>(std::max(share, 1.0)))});
  }
}

template <class T>
void ContrastBands::find(std::span<const T> magnitude, std::span<double> peaks, std::span<double> valleys) const {
  std::vector<T> x;
  for (std::size_t l = 0; l < kWide; ++l) {
    for (std::size_t b = 0; b < kBands; ++b) {
      const auto& [begin, end, extremes] = bands_[b];
      x.resize(end - begin);
      for (std::size_t k = begin; k < end; ++k) x[k - begin] = magnitude[k * kWide + l];
      const auto few = static_cast<std::ptrdiff_t>(extremes);
      double low = 0, high = 0;  // sums in ascending order, so that they do not depend on how the rest was parted
      std::partial_sort(x.begin(), x.begin() + few, x.end());
      for (std::size_t i = 0; i < extremes; ++i) low += static_cast<double>(x[i]);
      std::partial_sort(x.rbegin(), x.rbegin() + few, x.rend(), std::greater<T>());
      for (std::size_t i = 0; i < extremes; ++i) high += static_cast<double>(x[x.size() - extremes + i]);
      valleys[l * kBands + b] = low / static_cast<double>(extremes);
      peaks[l * kBands + b] = high / static_cast<double>(extremes);
    }
  }
}

template <class T>
FilterBank<T>::FilterBank(const Matrix<double>& filters) {
  for (Eigen::Index r = 0; r < filters.rows(); ++r) {
    Eigen::Index begin = 0, end = filters.cols();
    while (begin < end && filters(r, begin) == 0) ++begin;
    while (end > begin && filters(r, end - 1) == 0) --end;
    ranges_.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end), weights_.size()});
    for (Eigen::Index k = begin; k < end; ++k) weights_.push_back(static_cast<T>(filters(r, k)));
  }
}

// Two operations a weight and frame, sixteen frames an instruction. Four rows at once where filters are dense would
// save loads; mel triangles have few bins in common.
template <class T>
void FilterBank<T>::apply(std::span<const T> power, std::span<T> out) const {
  for (std::size_t r = 0; r < ranges_.size(); ++r) {
    const auto& [begin, end, at] = ranges_[r];
    Wide<T> total = {}, p;
    for (std::size_t from = begin; from < end; from += kStretch) {
      Wide<T> sum = {};
      for (std::size_t k = from; k < std::min(end, from + kStretch); ++k) {
        wide_at(power, k, p);
        sum += p * weights_[at + k - begin];
      }
      total += sum;
    }
    store_wide<T>(total, out.data() + r * kWide);
  }
}

template <class T>
void decibels(std::span<const T> power, std::span<T> out) {
  constexpr double kScale = 4.342944819032518;  // 10 / ln 10
  for (std::size_t i = 0; i < power.size(); ++i) out[i] = std::max(power[i], static_cast<T>(kLeastPower));
  log_of<T>(out, out);
  for (T& x : out) x *= static_cast<T>(kScale);
}

#define SEGUE_SPECTRAL(T)                                                                                 \
  template void spectral_moments(std::span<const T>, std::span<const double>, bool, SpectralMoments&);    \
  template void spectral_rolloff(std::span<const T>, std::span<const double>, double, std::span<double>); \
  template void spectral_flatness(std::span<const T>, std::span<double>);                                 \
  template void ContrastBands::find(std::span<const T>, std::span<double>, std::span<double>) const;      \
  template class FilterBank<T>;                                                                           \
  template void decibels(std::span<const T>, std::span<T>);
SEGUE_SPECTRAL(float)
SEGUE_SPECTRAL(double)

}  // namespace segue::audio
