#include "framework/audio/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <Eigen/Cholesky>
#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr int kDefinition = 1;  // raise when a field changes
constexpr std::size_t kMfcc = 20, kChroma = 12;
constexpr float kCut = 5;          // deviations
constexpr std::size_t kSlope = 2;  // frames to both sides of a slope

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

// The fields and their values come from one walk, so that they cannot part.
using Visit = std::function<void(const std::string& name, SoundPart part, double value)>;

void walk(const Track* track, const Visit& visit) {
  const Features<float>* f = track ? &track->features : nullptr;
  const std::size_t frames = f ? f->frames : 0;
  const auto both = [&](const std::string& name, SoundPart part, auto value) {
    const Moments m = moments(0, frames, value);
    visit(name + "_mean", part, m.mean);
    visit(name + "_std", part, m.deviation);
  };
  for (std::size_t c = 0; c < kMfcc; ++c) {
    const auto at = [&](std::size_t t) { return static_cast<double>(f->mfcc.row(t)[c]); };
    const std::string name = fmt::format("mfcc_{}", c);
    both(name, SoundPart::kTimbre, at);
    // Least squares over five frames (Furui 1986).
    const Moments slope = moments(std::min(kSlope, frames), frames < kSlope ? 0 : frames - kSlope, [&](std::size_t t) {
      return (2 * (at(t + 2) - at(t - 2)) + at(t + 1) - at(t - 1)) / 10;
    });
    visit(name + "_slope_std", SoundPart::kTimbre, slope.deviation);
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
  visit("log2_tempo", SoundPart::kRhythm,
        track && track->summary.tempo.bpm > 0 ? std::log2(track->summary.tempo.bpm) : 0);
  visit("danceability", SoundPart::kRhythm, track ? track->summary.danceability : 0);
}

}  // namespace

const std::vector<FingerprintField>& fingerprint_fields() {
  static const std::vector<FingerprintField> fields = [] {
    std::vector<FingerprintField> out;
    walk(nullptr, [&](const std::string& name, SoundPart part, double) { out.push_back({name, part}); });
    return out;
  }();
  return fields;
}

std::vector<float> fingerprint(const Track& track) {
  const Features<float>& f = track.features;
  if (f.mfcc.cols() != kMfcc || f.mfcc.rows() != f.frames || f.chroma.rows() != f.frames ||
      f.onset.size() != f.frames || static_cast<std::size_t>(f.contrast.rows()) != f.frames ||
      f.flatness.size() != f.frames || f.rolloff.size() != f.frames || f.rms.size() != f.frames ||
      f.zero_crossing_rate.size() != f.frames)
    throw UsageError("a fingerprint needs all features, {} MFCC among them", kMfcc);
  std::vector<float> out;
  out.reserve(fingerprint_fields().size());
  walk(&track, [&](const std::string&, SoundPart, double value) { out.push_back(static_cast<float>(value)); });
  return out;
}

std::string fingerprint_definition(const FeatureSettings& settings) {
  return fmt::format("fingerprint={} fields={} {}", kDefinition, fingerprint_fields().size(), settings.canonical());
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
