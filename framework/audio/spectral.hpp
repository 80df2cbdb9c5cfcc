// What a block of spectra says about each of its sixteen frames. Definitions are those of librosa 0.11.0; magnitudes
// are |X|, powers |X|^2. Sums run in double over the bins in ascending order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/audio/filters.hpp"
#include "framework/audio/stft.hpp"

namespace segue::audio {

// Where the spectrum's mass lies. Hz; magnitudes. Silent frames give 0.
struct SpectralMoments {
  double centroid[kWide];   // sum f |X| / sum |X|
  double bandwidth[kWide];  // sqrt(sum p (f - centroid)^2), p = |X| / sum |X|
};
template <class T>
void spectral_moments(std::span<const T> magnitude, std::span<const double> frequencies, bool bandwidth,
                      SpectralMoments& out);

// The lowest frequency up to which `share` of the summed magnitude lies. out: kWide, Hz.
template <class T>
void spectral_rolloff(std::span<const T> magnitude, std::span<const double> frequencies, double share,
                      std::span<double> out);

// Geometric over arithmetic mean of max(|X|^2, 1e-10): 1 for white noise and for silence. out: kWide.
template <class T>
void spectral_flatness(std::span<const T> power, std::span<double> out);

// Spectral contrast (Jiang et al. 2002, "Music type classification by spectral contrast feature"): means of the largest
// and the smallest 2 % of magnitudes in each of seven bands, up to 200, 400, ..., 6400 Hz, and above. The feature is
// the difference of their decibels, each with a floor 80 dB below the largest of the whole signal.
class ContrastBands {
 public:
  static constexpr std::size_t kBands = 7;
  // UsageError where half the sample rate does not reach beyond 6400 Hz, or a band holds no bin.
  ContrastBands(int sample_rate, int frame);
  // magnitude: bins x kWide; peaks, valleys: kWide x kBands.
  template <class T>
  void find(std::span<const T> magnitude, std::span<double> peaks, std::span<double> valleys) const;

 private:
  struct Band {
    std::size_t begin, end, extremes;  // bins, and how many of the largest and smallest are averaged
  };
  std::vector<Band> bands_;
};

// A filter bank's sums for sixteen frames at once: filters keep the bins where they are not zero.
template <class T>
class FilterBank {
 public:
  explicit FilterBank(const Matrix<double>& filters);  // rows x bins
  std::size_t rows() const { return ranges_.size(); }
  // power: bins x kWide; out: rows x kWide.
  void apply(std::span<const T> power, std::span<T> out) const;

 private:
  struct Range {
    std::size_t begin, end, weights;  // bins [begin, end), and where their weights stand
  };
  std::vector<Range> ranges_;
  std::vector<T> weights_;
};

// 10 log10(max(1e-10, power)). out may be power.
template <class T>
void decibels(std::span<const T> power, std::span<T> out);

}  // namespace segue::audio
