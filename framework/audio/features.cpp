#include "framework/audio/features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/linalg/wide_math.hpp"

namespace segue::audio {

namespace {

constexpr int kDefinitions = 1;               // raise when a definition changes, so that no cache is read any more
constexpr std::size_t kKeptFrames = 1 << 14;  // 67 MB of spectra of 1025 bins

double decibel(double x) { return 10 * std::log10(std::max(x, 1e-10)); }

// Decibels, with a floor 80 dB below the largest of all, in place.
void decibels_with_floor(FrameRows<double>& rows) {
  constexpr double kTopDb = 80;
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < rows.rows(); ++t)
    for (double& x : rows.row(t)) largest = std::max(largest, x = decibel(x));
  for (std::size_t t = 0; t < rows.rows(); ++t)
    for (double& x : rows.row(t)) x = std::max(x, largest - kTopDb);
}

}  // namespace

std::string FeatureSettings::canonical() const {
  const auto scale = mel.scale == MelScale::kSlaney ? "slaney" : "htk";
  const auto norm = mel.norm == MelNorm::kArea ? "area" : mel.norm == MelNorm::kSum ? "sum" : "none";
  return fmt::format(
      "definitions={} sample_rate={} frame={} hop={} window=hann_periodic padding=zeros mel={}x[{},{}] scale={} "
      "norm={} "
      "log_floor=1e-10 mfcc={} dct=ii_ortho top_db={} rolloff={} tuning={}",
      kDefinitions, sample_rate, stft.frame, stft.hop, mel.bands, mel.low, mel.high, scale, norm, mfcc,
      top_db ? fmt::to_string(*top_db) : "none", rolloff, tuning ? fmt::to_string(*tuning) : "estimated");
}

template <class T>
FeatureExtractor<T>::FeatureExtractor(const FeatureSettings& settings, const WantedFeatures& wanted)
    : settings_(settings),
      wanted_(wanted),
      stft_(settings.stft),
      frequencies_(bin_frequencies(settings.sample_rate, settings.stft.frame)),
      mel_(mel_filters(settings.mel, settings.sample_rate, settings.stft.frame)),
      pitches_(settings.sample_rate, settings.stft.frame) {
  if (settings.mfcc < 1 || settings.mfcc > settings.mel.bands)
    throw UsageError("{} MFCC of {} mel bands; there are 1 to {}", settings.mfcc, settings.mel.bands,
                     settings.mel.bands);
  if (wanted.contrast) contrast_.emplace(settings.sample_rate, settings.stft.frame);
  if (wanted.chroma && settings.tuning)
    chroma_.emplace(chroma_filters(*settings.tuning, settings.sample_rate, settings.stft.frame));
  out_.log_mel = FrameRows<T>(mel_.rows());
  out_.mfcc = FrameRows<T>(static_cast<std::size_t>(settings.mfcc));
  out_.chroma = FrameRows<T>(12);
}

template <class T>
void FeatureExtractor<T>::push(std::span<const T> samples) {
  stft_.push(samples, [&](const SpectrumBlock<T>& block) {
    again_ ? add_chroma({block.power, block.bins * kWide}, block.count) : first_pass(block);
  });
}

template <class T>
bool FeatureExtractor<T>::finish() {
  stft_.finish([&](const SpectrumBlock<T>& block) {
    again_ ? add_chroma({block.power, block.bins * kWide}, block.count) : first_pass(block);
  });
  if (again_) {
    SEGUE_CHECK(out_.chroma.rows() == out_.frames, "the second pass has {} frames, the first had {}",
                out_.chroma.rows(), out_.frames);
    return false;
  }
  out_.samples = stft_.samples();
  out_.frames = static_cast<std::size_t>(stft_.frames());
  derive();
  if (!wanted_.chroma) return false;
  out_.tuning = settings_.tuning ? *settings_.tuning : pitches_.tuning();
  if (chroma_ || out_.frames == 0) return false;
  chroma_.emplace(chroma_filters(out_.tuning, settings_.sample_rate, settings_.stft.frame));
  if (given_up_) {
    again_ = true;
    stft_ = Stft<T>(settings_.stft);
    return true;
  }
  for (std::size_t b = 0; b < kept_.rows(); ++b) add_chroma(kept_.row(b), std::min(kWide, out_.frames - b * kWide));
  kept_ = {};
  return false;
}

template <class T>
Features<T> FeatureExtractor<T>::take() {
  return std::move(out_);
}

template <class T>
void FeatureExtractor<T>::first_pass(const SpectrumBlock<T>& block) {
  const std::span<const T> power(block.power, block.bins * kWide);
  const auto append = [&](std::vector<double>& to, const double* values) {
    to.insert(to.end(), values, values + block.count);
  };
  if (wanted_.rms) append(out_.rms, block.rms);
  if (wanted_.zero_crossing_rate) append(out_.zero_crossing_rate, block.crossings);
  if (wanted_.mfcc || wanted_.onset || wanted_.beat_onset) {
    scratch_.resize(mel_.rows() * kWide);
    mel_.apply(power, scratch_);
    decibels<T>(scratch_, scratch_);
    for (std::size_t l = 0; l < block.count; ++l) {
      const std::span<T> row = out_.log_mel.add();
      for (std::size_t b = 0; b < row.size(); ++b) row[b] = scratch_[b * kWide + l];
    }
  }
  if (wanted_.centroid || wanted_.bandwidth || wanted_.rolloff || wanted_.contrast) {
    scratch_.resize(power.size());
    sqrt_of<T>(power, scratch_);
    if (wanted_.centroid || wanted_.bandwidth) {
      SpectralMoments moments;
      spectral_moments<T>(scratch_, frequencies_, wanted_.bandwidth, moments);
      append(out_.centroid, moments.centroid);
      if (wanted_.bandwidth) append(out_.bandwidth, moments.bandwidth);
    }
    if (wanted_.rolloff) {
      double rolloff[kWide];
      spectral_rolloff<T>(scratch_, frequencies_, settings_.rolloff, rolloff);
      append(out_.rolloff, rolloff);
    }
    if (wanted_.contrast) {
      constexpr std::size_t kBands = ContrastBands::kBands;
      double peaks[kWide * kBands], valleys[kWide * kBands];
      contrast_->find<T>(scratch_, peaks, valleys);
      for (std::size_t l = 0; l < block.count; ++l) {
        std::copy_n(peaks + l * kBands, kBands, peaks_.add().begin());
        std::copy_n(valleys + l * kBands, kBands, valleys_.add().begin());
      }
    }
  }
  if (wanted_.flatness) {
    double flatness[kWide];
    spectral_flatness<T>(power, flatness);
    append(out_.flatness, flatness);
  }
  if (!wanted_.chroma) return;
  if (chroma_) return add_chroma(power, block.count);
  pitches_.add(block);
  if (given_up_) return;
  if (block.first + block.count > kKeptFrames) {
    given_up_ = true;
    kept_ = {};
  } else {
    if (kept_.empty()) kept_ = FrameRows<T, 64>(power.size());
    std::ranges::copy(power, kept_.add().begin());
  }
}

template <class T>
void FeatureExtractor<T>::add_chroma(std::span<const T> power, std::size_t count) {
  T sums[12 * kWide];
  chroma_->apply(power, sums);
  for (std::size_t l = 0; l < count; ++l) {
    T largest = 0;
    for (std::size_t c = 0; c < 12; ++c) largest = std::max(largest, sums[c * kWide + l]);
    if (largest < std::numeric_limits<T>::min()) largest = 1;
    const std::span<T> row = out_.chroma.add();
    for (std::size_t c = 0; c < 12; ++c) row[c] = sums[c * kWide + l] / largest;
  }
}

// What needs the whole signal: everything with a floor below its largest value.
template <class T>
void FeatureExtractor<T>::derive() {
  // Contrast first: what it is made from is given back before anything else needs room.
  if (wanted_.contrast) {
    decibels_with_floor(peaks_);
    decibels_with_floor(valleys_);
    out_.contrast.resize(static_cast<Eigen::Index>(out_.frames), ContrastBands::kBands);
    for (std::size_t t = 0; t < out_.frames; ++t)
      for (std::size_t b = 0; b < ContrastBands::kBands; ++b)
        row_span(out_.contrast, t)[b] = peaks_.row(t)[b] - valleys_.row(t)[b];
    peaks_ = {};
    valleys_ = {};
  }
  const FrameRows<T>& log_mel = out_.log_mel;
  T largest = -std::numeric_limits<T>::infinity();
  for (std::size_t t = 0; t < log_mel.rows(); ++t)
    for (const T x : log_mel.row(t)) largest = std::max(largest, x);
  const T floor = settings_.top_db ? largest - static_cast<T>(*settings_.top_db) : -std::numeric_limits<T>::infinity();
  if (wanted_.onset)
    out_.onset = onset_strength(log_mel, floor, settings_.stft.frame, settings_.stft.hop, OverBands::kMean);
  if (wanted_.beat_onset)
    out_.beat_onset = onset_strength(log_mel, floor, settings_.stft.frame, settings_.stft.hop, OverBands::kMedian);
  if (wanted_.mfcc) {
    // In double: a coefficient is a difference of large sums, and of a frame's work this is little.
    const Matrix<double> dct = dct_rows(settings_.mfcc, settings_.mel.bands).transpose();
    Matrix<double> raised, coefficients;
    for (std::size_t begin = 0; begin < log_mel.rows(); begin += FrameRows<T>::kChunk) {
      const ConstView<T> rows = log_mel.chunk(begin);
      raised.resize(static_cast<Eigen::Index>(rows.rows), static_cast<Eigen::Index>(rows.cols));
      coefficients.resize(raised.rows(), dct.cols());
      for (std::size_t i = 0; i < rows.size(); ++i)
        raised.data()[i] = static_cast<double>(std::max(rows.data[i], floor));
      gemm<double>(raised, dct, coefficients);
      for (std::size_t r = 0; r < rows.rows; ++r) {
        const std::span<T> to = out_.mfcc.add();
        for (std::size_t c = 0; c < to.size(); ++c) to[c] = static_cast<T>(row_span(coefficients, r)[c]);
      }
    }
  }
}

template class FeatureExtractor<float>;
template class FeatureExtractor<double>;

}  // namespace segue::audio
