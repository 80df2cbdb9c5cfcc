#include "framework/audio/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <Eigen/Cholesky>
#include <fmt/format.h>

#include "framework/audio/prominence.hpp"
#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr int kDefinition = 2, kStatistics = 1;  // raise when a field changes
constexpr std::size_t kMfcc = 20, kChroma = 12;
constexpr float kCut = 5;          // deviations
constexpr std::size_t kSlope = 2;  // frames to both sides of a slope

constexpr std::array kPercentiles = {10, 50, 90};

struct Moments {
  double mean = 0, deviation = 0;
};

// Of value(t) over [begin, end), in two passes.
template <class Value>
Moments moments(std::size_t begin, std::size_t end, Value value) {
  if (end <= begin) return {};
  const auto n = static_cast<double>(end - begin);
  Moments out;
  for (std::size_t t = begin; t < end; ++t) out.mean += value(t);
  out.mean /= n;
  for (std::size_t t = begin; t < end; ++t) out.deviation += (value(t) - out.mean) * (value(t) - out.mean);
  out.deviation = std::sqrt(out.deviation / n);
  return out;
}

// Of value(t) over [0, n), t counting weight(t) times; unweighted where all weights are 0.
template <class Value, class Weight>
double weighted_mean(std::size_t n, Value value, Weight weight) {
  double sum = 0, weights = 0;
  for (std::size_t t = 0; t < n; ++t) sum += weight(t) * value(t), weights += weight(t);
  return weights > 0 ? sum / weights : moments(0, n, value).mean;
}

// Between the two nearest where it falls between numbers. x: ascending.
double percentile(const std::vector<float>& x, int percent) {
  if (x.empty()) return 0;
  const double at = percent / 100.0 * static_cast<double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double share = at - static_cast<double>(below), low = static_cast<double>(x[below]);
  return share > 0 ? low + share * (static_cast<double>(x[below + 1]) - low) : low;
}

// The fields and their values come from one walk, so that they cannot part.
using Visit = std::function<void(const std::string& name, SoundPart part, double value)>;

// Of the slope over five frames by least squares (Furui 1986).
template <class Value>
double slope_deviation(std::size_t frames, Value at) {
  return moments(std::min(kSlope, frames), frames < kSlope ? 0 : frames - kSlope,
                 [&](std::size_t t) { return (2 * (at(t + 2) - at(t - 2)) + at(t + 1) - at(t - 1)) / 10; })
      .deviation;
}

void walk_rhythm(const Track* track, const Visit& visit) {
  visit("log2_tempo", SoundPart::kRhythm,
        track && track->summary.tempo.bpm > 0 ? std::log2(track->summary.tempo.bpm) : 0);
  visit("danceability", SoundPart::kRhythm, track ? track->summary.danceability : 0);
}

void walk(const Track* track, const Visit& visit) {
  const Features<float>* f = track ? &track->features : nullptr;
  const std::size_t frames = f ? f->frames : 0;
  const Prominence p = track ? prominence(*f, track->settings) : Prominence();
  for (std::size_t c = 0; c < Prominence::kCepstra; ++c) {
    const auto at = [&](std::size_t t) { return static_cast<double>(p.cepstra.row(t)[c]); };
    const std::string name = fmt::format("cepstrum_{}", c);
    const Moments m = moments(0, frames, at);
    visit(name + "_mean", SoundPart::kTimbre, m.mean);
    visit(name + "_std", SoundPart::kTimbre, m.deviation);
    visit(name + "_slope_std", SoundPart::kTimbre, slope_deviation(frames, at));
  }
  for (std::size_t b = 0; b < Prominence::kBands; ++b) {
    std::vector<float> sorted;
    for (std::size_t t = 0; t < frames; ++t) sorted.push_back(p.bands.row(t)[b]);
    std::ranges::sort(sorted);
    for (const int percent : kPercentiles)
      visit(fmt::format("band_{}_p{}", b, percent), SoundPart::kSpectrum, percentile(sorted, percent));
  }
  const auto weight = [&](std::size_t t) { return p.sum[t]; };
  visit("centre", SoundPart::kSpectrum,
        weighted_mean(
            frames, [&](std::size_t t) { return p.centre[t]; }, weight));
  visit("width", SoundPart::kSpectrum,
        weighted_mean(
            frames, [&](std::size_t t) { return p.width[t]; }, weight));
  // 0.1 dB a band below which frames are all the same: nothing.
  const double least = 0.1 * static_cast<double>(f ? f->log_mel.cols() : 1);
  visit("log_sum_std", SoundPart::kSpectrum,
        moments(0, frames, [&](std::size_t t) { return std::log(p.sum[t] + least); }).deviation);
  const auto tonic = static_cast<std::size_t>(track ? track->summary.key.tonic : 0);
  for (std::size_t c = 0; c < kChroma; ++c)
    visit(fmt::format("chroma_{}_mean", c), SoundPart::kHarmony,
          weighted_mean(
              frames, [&](std::size_t t) { return static_cast<double>(f->chroma.row(t)[(c + tonic) % kChroma]); },
              weight));
  const Moments rise = moments(std::min<std::size_t>(1, frames), frames, [&](std::size_t t) { return p.rise[t]; });
  visit("rise_mean", SoundPart::kRhythm, rise.mean);
  visit("rise_std", SoundPart::kRhythm, rise.deviation);
  walk_rhythm(track, visit);
}

// Likewise, level and noise included.
void walk_statistics(const Track* track, const Visit& visit) {
  const Features<float>* f = track ? &track->features : nullptr;
  const std::size_t frames = f ? f->frames : 0;
  const auto both = [&](const std::string& name, SoundPart part, auto value) {
    const Moments m = moments(0, frames, value);
    visit(name + "_mean", part, m.mean);
    visit(name + "_std", part, m.deviation);
  };
  for (std::size_t c = 0; c < kMfcc; ++c) {
    const auto at = [&](std::size_t t) { return static_cast<double>(f->mfcc.row(t)[c]); };
    both(fmt::format("mfcc_{}", c), SoundPart::kTimbre, at);
    visit(fmt::format("mfcc_{}_slope_std", c), SoundPart::kTimbre, slope_deviation(frames, at));
  }
  for (std::size_t b = 0; b < ContrastBands::kBands; ++b)
    both(fmt::format("contrast_{}", b), SoundPart::kSpectrum,
         [&](std::size_t t) { return f->contrast(static_cast<Eigen::Index>(t), static_cast<Eigen::Index>(b)); });
  both("centroid", SoundPart::kSpectrum, [&](std::size_t t) { return f->centroid[t]; });
  both("bandwidth", SoundPart::kSpectrum, [&](std::size_t t) { return f->bandwidth[t]; });
  both("rolloff", SoundPart::kSpectrum, [&](std::size_t t) { return f->rolloff[t]; });
  both("log_flatness", SoundPart::kSpectrum, [&](std::size_t t) { return std::log(f->flatness[t] + 1e-6); });
  both("zero_crossing_rate", SoundPart::kSpectrum, [&](std::size_t t) { return f->zero_crossing_rate[t]; });
  both("log_rms", SoundPart::kSpectrum, [&](std::size_t t) { return std::log(f->rms[t] + 1e-4); });
  const auto tonic = static_cast<std::size_t>(track ? track->summary.key.tonic : 0);
  for (std::size_t c = 0; c < kChroma; ++c)
    both(fmt::format("chroma_{}", c), SoundPart::kHarmony,
         [&](std::size_t t) { return static_cast<double>(f->chroma.row(t)[(c + tonic) % kChroma]); });
  both("onset", SoundPart::kRhythm, [&](std::size_t t) { return f->onset[t]; });
  walk_rhythm(track, visit);
}

using Walk = void (*)(const Track*, const Visit&);

std::vector<FingerprintField> fields_of(Walk all) {
  std::vector<FingerprintField> out;
  all(nullptr, [&](const std::string& name, SoundPart part, double) { out.push_back({name, part}); });
  return out;
}

std::vector<float> values_of(Walk all, const Track& track) {
  std::vector<float> out;
  all(&track, [&](const std::string&, SoundPart, double value) { out.push_back(static_cast<float>(value)); });
  return out;
}

}  // namespace

const std::vector<FingerprintField>& fingerprint_fields() {
  static const std::vector<FingerprintField> fields = fields_of(walk);
  return fields;
}

std::vector<float> fingerprint(const Track& track) {
  if (track.features.chroma.rows() != track.features.frames) throw UsageError("a fingerprint needs chroma");
  return values_of(walk, track);
}

const std::vector<FingerprintField>& statistics_fields() {
  static const std::vector<FingerprintField> fields = fields_of(walk_statistics);
  return fields;
}

std::vector<float> frame_statistics(const Track& track) {
  const Features<float>& f = track.features;
  if (f.mfcc.cols() != kMfcc || f.mfcc.rows() != f.frames || f.chroma.rows() != f.frames ||
      f.onset.size() != f.frames || static_cast<std::size_t>(f.contrast.rows()) != f.frames ||
      f.flatness.size() != f.frames || f.rolloff.size() != f.frames || f.rms.size() != f.frames ||
      f.zero_crossing_rate.size() != f.frames)
    throw UsageError("statistics need all features, {} MFCC among them", kMfcc);
  return values_of(walk_statistics, track);
}

std::string fingerprint_definition(const FeatureSettings& settings) {
  return fmt::format("fingerprint={} fields={} statistics={} fields={} {}", kDefinition, fingerprint_fields().size(),
                     kStatistics, statistics_fields().size(), settings.canonical());
}

Standardiser Standardiser::learn(const Matrix<float>& rows) {
  SEGUE_CHECK(rows.rows() > 0, "nothing to learn a scale from");
  const auto n = static_cast<double>(rows.rows());
  Standardiser out;
  for (Eigen::Index c = 0; c < rows.cols(); ++c) {
    const Moments m = moments(0, static_cast<std::size_t>(rows.rows()), [&](std::size_t r) {
      return static_cast<double>(rows(static_cast<Eigen::Index>(r), c));
    });
    const bool constant = !(m.deviation > 1e-9 * std::abs(m.mean)) || n < 2;
    out.mean_.push_back(static_cast<float>(m.mean));
    out.scale_.push_back(constant ? 0.0f : static_cast<float>(1 / m.deviation));
  }
  return out;
}

void Standardiser::apply(std::span<float> row) const {
  SEGUE_CHECK(row.size() == mean_.size(), "{} numbers for a scale of {}", row.size(), mean_.size());
  for (std::size_t c = 0; c < row.size(); ++c) row[c] = std::clamp((row[c] - mean_[c]) * scale_[c], -kCut, kCut);
}

double fingerprint_distance(std::span<const float> a, std::span<const float> b) {
  SEGUE_CHECK(a.size() == b.size(), "fingerprints of {} and {} numbers", a.size(), b.size());
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    const double apart = static_cast<double>(a[c]) - static_cast<double>(b[c]);
    sum += apart * apart;
  }
  return std::sqrt(sum);
}

TimbreModel timbre_model(const FrameRows<float>& mfcc, double floor) {
  const auto d = static_cast<Eigen::Index>(mfcc.cols());
  Vector<double> mean = Vector<double>::Zero(d);
  Matrix<double> covariance = Matrix<double>::Zero(d, d);
  const double n = static_cast<double>(std::max<std::size_t>(mfcc.rows(), 1));
  for (std::size_t t = 0; t < mfcc.rows(); ++t)
    for (Eigen::Index c = 0; c < d; ++c) mean[c] += static_cast<double>(mfcc.row(t)[static_cast<std::size_t>(c)]);
  mean /= n;
  for (std::size_t t = 0; t < mfcc.rows(); ++t)
    for (Eigen::Index a = 0; a < d; ++a) {
      const double x = static_cast<double>(mfcc.row(t)[static_cast<std::size_t>(a)]) - mean[a];
      for (Eigen::Index b = 0; b <= a; ++b)
        covariance(a, b) += x * (static_cast<double>(mfcc.row(t)[static_cast<std::size_t>(b)]) - mean[b]);
    }
  for (Eigen::Index a = 0; a < d; ++a)
    for (Eigen::Index b = 0; b <= a; ++b)
      covariance(b, a) = covariance(a, b) = covariance(a, b) / n + (a == b ? floor : 0);
  return timbre_model(std::move(mean), std::move(covariance));
}

TimbreModel timbre_model(Vector<double> mean, Matrix<double> covariance) {
  const Eigen::LLT<Matrix<double>> cholesky(covariance);
  SEGUE_CHECK(cholesky.info() == Eigen::Success, "a covariance that is not positive definite");
  Matrix<double> inverse = cholesky.solve(Matrix<double>::Identity(covariance.rows(), covariance.cols()));
  return {std::move(mean), std::move(covariance), std::move(inverse)};
}

// The determinants of both directions cancel.
double symmetric_kl(const TimbreModel& a, const TimbreModel& b) {
  const Vector<double> apart = a.mean - b.mean;
  const Matrix<double> inverses = a.inverse + b.inverse;
  const double traces =
      (a.inverse.array() * b.covariance.array()).sum() + (b.inverse.array() * a.covariance.array()).sum();
  double spread = 0;
  for (Eigen::Index i = 0; i < apart.size(); ++i)
    for (Eigen::Index j = 0; j < apart.size(); ++j) spread += apart[i] * inverses(i, j) * apart[j];
  return std::max(0.0, 0.5 * (traces + spread) - static_cast<double>(apart.size()));
}

namespace {

// Of a row of distances, over all columns but one (none: -1).
Moments moments_of_row(const Matrix<double>& distances, Eigen::Index row, Eigen::Index but) {
  const auto n = static_cast<double>(distances.cols() - (but < 0 ? 0 : 1));
  double sum = 0, squares = 0;
  for (Eigen::Index j = 0; j < distances.cols(); ++j)
    if (j != but) sum += distances(row, j);
  const double mean = sum / n;
  for (Eigen::Index j = 0; j < distances.cols(); ++j)
    if (j != but) squares += (distances(row, j) - mean) * (distances(row, j) - mean);
  return {mean, std::sqrt(squares / n)};
}

double probability_farther(const Moments& m, double d) {
  if (m.deviation <= 0) return d < m.mean ? 1.0 : d > m.mean ? 0.0 : 0.5;
  return 0.5 * std::erfc((d - m.mean) / (m.deviation * std::sqrt(2.0)));
}

}  // namespace

void mutual_proximity(Matrix<double>& distances) {
  const Eigen::Index n = distances.rows();
  SEGUE_CHECK(distances.cols() == n, "distances of {} from {}", n, distances.cols());
  if (n < 3) return;
  std::vector<Moments> of;
  for (Eigen::Index i = 0; i < n; ++i) of.push_back(moments_of_row(distances, i, i));
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      const double d = distances(i, j);
      distances(i, j) = distances(j, i) = 1 - probability_farther(of[static_cast<std::size_t>(i)], d) *
                                                  probability_farther(of[static_cast<std::size_t>(j)], d);
    }
    distances(i, i) = 0;
  }
}

void mutual_proximity(Matrix<double>& asked_to_known, const Matrix<double>& known_to_known) {
  const Eigen::Index n = known_to_known.rows();
  SEGUE_CHECK(known_to_known.cols() == n && asked_to_known.cols() == n, "distances of {} x {} from {} known",
              known_to_known.rows(), known_to_known.cols(), asked_to_known.cols());
  if (n < 2) return;
  std::vector<Moments> of;
  for (Eigen::Index j = 0; j < n; ++j) of.push_back(moments_of_row(known_to_known, j, j));
  for (Eigen::Index i = 0; i < asked_to_known.rows(); ++i) {
    const Moments own = moments_of_row(asked_to_known, i, -1);
    for (Eigen::Index j = 0; j < n; ++j) {
      const double d = asked_to_known(i, j);
      asked_to_known(i, j) = 1 - probability_farther(own, d) * probability_farther(of[static_cast<std::size_t>(j)], d);
    }
  }
}

}  // namespace segue::audio
