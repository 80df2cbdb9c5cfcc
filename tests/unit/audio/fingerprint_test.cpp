// Fingerprints: what stands in them, their scale, Gaussians of timbre, and how well they find sounds of a kind.
#include "framework/audio/fingerprint.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <numbers>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "framework/audio/class_retrieval.hpp"
#include "framework/audio/feature_file.hpp"
#include "framework/audio/near_duplicates.hpp"
#include "framework/audio/prominence.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/signal.hpp"

namespace segue::audio {
namespace {

using test::track_of;

std::vector<float> chord(double root, double seconds) {
  std::vector<float> x(static_cast<std::size_t>(seconds * 22050));
  for (std::size_t i = 0; i < x.size(); ++i)
    for (const int note : {0, 4, 7})
      x[i] += static_cast<float>(
          0.2 * std::sin(2 * std::numbers::pi * root * std::exp2(note / 12.0) * static_cast<double>(i) / 22050));
  return x;
}
std::size_t field(const std::string& name) {
  const auto& fields = fingerprint_fields();
  const auto it = std::ranges::find(fields, name, &FingerprintField::name);
  EXPECT_NE(it, fields.end()) << name;
  return static_cast<std::size_t>(it - fields.begin());
}

TEST(Fingerprint, HoldsWhatItsFieldsSay) {
  const auto& fields = fingerprint_fields();
  std::set<std::string> names;
  for (const auto& f : fields) names.insert(f.name);
  EXPECT_EQ(names.size(), fields.size());
  const Track track = track_of(chord(880, 3));
  const std::vector<float> x = fingerprint(track);
  ASSERT_EQ(x.size(), fields.size());
  EXPECT_NEAR(x[field("log2_tempo")], track.summary.tempo.bpm > 0 ? std::log2(track.summary.tempo.bpm) : 0, 1e-6);
  EXPECT_NEAR(x[field("danceability")], track.summary.danceability, 1e-6);
  // The key's tonic first: a chord moved is the same harmony.
  const std::vector<float> moved = fingerprint(track_of(chord(880 * std::exp2(5 / 12.0), 3)));
  for (std::size_t c = 0; c < 12; ++c) {
    const std::size_t at = field("chroma_" + std::to_string(c) + "_mean");
    EXPECT_NEAR(moved[at], x[at], 0.1) << c;
  }
  EXPECT_GT(x[field("chroma_0_mean")], 0.7);
  EXPECT_NO_THROW(fingerprint_definition(track.settings));
  Track poor = track_of(chord(880, 1));
  poor.features.chroma = {};
  EXPECT_THROW(fingerprint(poor), UsageError);
  poor = track_of(chord(880, 1));
  poor.features.rms.clear();
  EXPECT_THROW(fingerprint(poor), UsageError);
}

// As its header says it, frame by frame and band by band.
TEST(Prominence, IsWhatStandsAboveTheFloor) {
  std::vector<float> x = chord(440, 2);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] *= static_cast<float>(std::exp(-2.0 * static_cast<double>(i) / 22050));
  const Track track = track_of(x);
  const Features<float>& f = track.features;
  const Prominence p = prominence(f, track.settings);
  double power = 0;
  for (const double rms : f.rms) power += rms * rms / static_cast<double>(f.frames);
  // Of a band under white noise: |X|^2 = power * sum of squares of the window; the filter's weights sum to 1 / bin
  // width.
  double window = 0;
  for (const double w : hann<double>(2048)) window += w * w;
  const double floor = 0.1 * power * window / (22050.0 / 2048);
  const auto value = [&](std::size_t t, std::size_t b) {
    return std::max(0.0, static_cast<double>(f.log_mel.row(t)[b]) - 10 * std::log10(floor));
  };
  for (const std::size_t t : {std::size_t{1}, std::size_t{20}, f.frames - 1}) {
    double sum = 0, rise = 0, third = 0, group = 0, first = 0;
    for (std::size_t b = 0; b < 128; ++b) {
      sum += value(t, b);
      first += value(t, b) * static_cast<double>(b);
      rise += std::max(0.0, value(t, b) - value(t - 1, b)) / 128;
      third +=
          std::sqrt(2.0 / 128) * value(t, b) * std::cos(std::numbers::pi * 3 * (2 * static_cast<double>(b) + 1) / 256);
      if (b / 8 == 5) group += value(t, b) / 8;
    }
    EXPECT_NEAR(p.sum[t], sum, 1e-3);
    EXPECT_NEAR(p.centre[t], first / sum, 1e-4);
    EXPECT_NEAR(p.rise[t], rise, 1e-5);
    EXPECT_NEAR(p.cepstra.row(t)[3], third, 1e-4);
    EXPECT_NEAR(p.bands.row(t)[5], group, 1e-4);
  }
  // Gain changes nothing.
  for (float& s : x) s *= 0.25f;
  const Track quiet = track_of(x);
  const Prominence q = prominence(quiet.features, quiet.settings);
  for (std::size_t t = 0; t < f.frames; ++t) EXPECT_NEAR(q.sum[t], p.sum[t], 1e-2);
}

// White noise is 10 dB above a floor 10 dB below it, less 10 log10 e^0.577 = 2.5 dB at most: means of logarithms are
// below those of powers, in bands of few bins the most.
TEST(Prominence, OfWhiteNoiseIsThatOfItsLevel) {
  std::vector<float> x(5 * 22050);
  Rng(3).fill_normal(x, 0, 0.1f);
  const Track track = track_of(x);
  const Prominence p = prominence(track.features, track.settings);
  double mean = 0;
  for (std::size_t t = 4; t + 4 < p.sum.size(); ++t) mean += p.sum[t] / 128 / static_cast<double>(p.sum.size() - 8);
  EXPECT_LT(mean, 10);
  EXPECT_GT(mean, 10 - 2.51);
  // Noise 20 dB below another tone is under its floor: nothing.
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = 0.1f * x[i] + static_cast<float>(0.1 * std::numbers::sqrt2 *
                                            std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 22050));
  const Track toned = track_of(x);
  const Prominence q = prominence(toned.features, toned.settings);
  double high = 0;  // bands above 3 kHz
  for (std::size_t t = 4; t + 4 < q.sum.size(); ++t) high += q.bands.row(t)[12] / static_cast<double>(q.sum.size() - 8);
  EXPECT_LT(high, 1e-3);
}

TEST(Fingerprint, OfSilenceAndOfAnInstantIsFinite) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{300}, std::size_t{44100}})
    for (const float value : fingerprint(track_of(std::vector<float>(n, 0.0f)))) EXPECT_TRUE(std::isfinite(value));
}

TEST(Standardiser, MakesFieldsComparable) {
  Matrix<float> rows(5, 3);
  rows << 1, 7, 100, 2, 7, 200, 3, 7, 300, 4, 7, 400, 5, 7, 1000000;
  const Standardiser scale = Standardiser::learn(rows);
  for (Eigen::Index r = 0; r < rows.rows(); ++r) scale.apply(row_span(rows, static_cast<std::size_t>(r)));
  EXPECT_NEAR(rows.col(0).mean(), 0, 1e-6);
  EXPECT_NEAR(rows.col(0).squaredNorm() / 5, 1, 1e-5);
  EXPECT_EQ(rows.col(1).squaredNorm(), 0);
  std::vector<float> odd = {1000, 9, 0};
  scale.apply(odd);
  EXPECT_EQ(odd[0], 5);
}

TEST(TimbreModel, DivergenceIsThatOfGaussians) {
  // Of one dimension: (s^2 + d^2) / 2t^2 + (t^2 + d^2) / 2s^2 - 1.
  const auto model = [](double mean, double variance) {
    return timbre_model(Vector<double>::Constant(1, mean), Matrix<double>::Constant(1, 1, variance));
  };
  const double d = 3, s2 = 4, t2 = 9;
  EXPECT_NEAR(symmetric_kl(model(0, s2), model(d, t2)), (s2 + d * d) / (2 * t2) + (t2 + d * d) / (2 * s2) - 1, 1e-12);
  FrameRows<float> a(20), b(20);
  Rng rng(1);
  for (int t = 0; t < 400; ++t) {
    for (float& x : a.add()) x = static_cast<float>(rng.normal());
    for (float& x : b.add()) x = static_cast<float>(1 + 2 * rng.normal());
  }
  const TimbreModel first = timbre_model(a), second = timbre_model(b);
  EXPECT_NEAR(symmetric_kl(first, first), 0, 1e-9);
  EXPECT_NEAR(symmetric_kl(first, second), symmetric_kl(second, first), 1e-9);
  EXPECT_GT(symmetric_kl(first, second), 10);
  FrameRows<float> one(20);
  for (float& x : one.add()) x = 1;
  EXPECT_TRUE(std::isfinite(symmetric_kl(timbre_model(one), first)));  // a covariance of zeros has a floor
}

// A hub is near to everybody; mutual proximity puts it at the distance where it finds others.
TEST(MutualProximity, TakesHubsAway) {
  constexpr std::size_t kTracks = 200, kDims = 50;
  Rng rng(3);
  Matrix<double> x(kTracks, kDims);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = rng.normal();
  x.row(0).setZero();  // the centre of the cloud
  Matrix<double> distances(kTracks, kTracks);
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    for (Eigen::Index j = 0; j < x.rows(); ++j) distances(i, j) = (x.row(i) - x.row(j)).norm();
  const auto times_first = [&](const Matrix<double>& d) {
    int times = 0;
    for (Eigen::Index i = 1; i < d.rows(); ++i) {
      Eigen::Index nearest = i == 1 ? 2 : 1;
      for (Eigen::Index j = 0; j < d.cols(); ++j)
        if (j != i && d(i, j) < d(i, nearest)) nearest = j;
      times += nearest == 0 ? 1 : 0;
    }
    return times;
  };
  const int before = times_first(distances);
  mutual_proximity(distances);
  EXPECT_GT(before, 150);
  EXPECT_LT(times_first(distances), before / 4);
  EXPECT_NEAR((distances - distances.transpose()).cwiseAbs().maxCoeff(), 0, 0);
  EXPECT_GE(distances.minCoeff(), 0);
  EXPECT_LE(distances.maxCoeff(), 1);
}

// By its definition, the moments of each side taken over the known tracks alone.
TEST(MutualProximity, OfAskedOnesIsWhatTheKnownTell) {
  constexpr Eigen::Index kKnown = 12, kAsked = 5;
  Rng rng(9);
  Matrix<double> x(kKnown + kAsked, 3);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = rng.normal();
  const auto apart = [&](Eigen::Index i, Eigen::Index j) { return (x.row(i) - x.row(j)).norm(); };
  Matrix<double> known(kKnown, kKnown), asked(kAsked, kKnown);
  for (Eigen::Index j = 0; j < kKnown; ++j) {
    for (Eigen::Index i = 0; i < kKnown; ++i) known(i, j) = apart(i, j);
    for (Eigen::Index i = 0; i < kAsked; ++i) asked(i, j) = apart(kKnown + i, j);
  }
  mutual_proximity(asked, known);
  const auto farther = [&](Eigen::Index from, double than) {
    std::vector<double> all;
    for (Eigen::Index j = 0; j < kKnown; ++j)
      if (j != from) all.push_back(apart(from, j));
    double mean = 0, variance = 0;
    for (const double d : all) mean += d / static_cast<double>(all.size());
    for (const double d : all) variance += (d - mean) * (d - mean) / static_cast<double>(all.size());
    return 1 - 0.5 * (1 + std::erf((than - mean) / std::sqrt(2 * variance)));
  };
  for (Eigen::Index i = 0; i < kAsked; ++i)
    for (Eigen::Index j = 0; j < kKnown; ++j) {
      const double d = apart(kKnown + i, j);
      EXPECT_NEAR(asked(i, j), 1 - farther(kKnown + i, d) * farther(j, d), 1e-12);
    }
}

// ESC-10 (Piczak 2015): which of ten kinds of sound, by the nearest of the other folds' clips.
TEST(Fingerprint, FindsSoundsOfAKind) {
#ifndef NDEBUG
  GTEST_SKIP() << "400 clips, in optimised builds only";
#endif
  const auto folder = test::real_data("audio/esc-10");
  if (!folder) GTEST_SKIP() << test::missing_data("audio/esc-10");
  const std::vector<FileMark> files = find_recordings(*folder);
  ASSERT_EQ(files.size(), 400u);
  Matrix<float> all(400, static_cast<Eigen::Index>(fingerprint_fields().size()));
  std::vector<TimbreModel> timbre(400);
  const auto begin = std::chrono::steady_clock::now();
  const Executor exec(2);
  exec.for_blocks(files.size(), 1, [&](std::size_t i, std::size_t) {
    SoundFile sound(*folder / files[i].path, 22050);
    const Track track = analyze_track(sound);
    std::ranges::copy(fingerprint(track), row_span(all, i).begin());
    timbre[i] = timbre_model(track.features.mfcc);
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  RetrievalLabels labels{10, {}, {}};
  std::vector<RetrievalRound> folds(5);
  for (std::uint32_t i = 0; i < 400; ++i) {
    const std::filesystem::path path = files[i].path;  // "001 - Dog bark/1-100032-A.ogg"
    labels.class_of.push_back(static_cast<std::uint32_t>(std::stoi(path.parent_path().string())) - 1);
    const std::size_t own = static_cast<std::size_t>(path.filename().string()[0] - '1');
    for (std::size_t f = 0; f < 5; ++f) (f == own ? folds[f].asked : folds[f].known).push_back(i);
  }
  const RetrievalScore by_fingerprint = retrieve_classes(folds, learn_fingerprint_distance(all, exec), labels, {}).all;
  const DistanceLearner kl = learn_timbre_distance(timbre, exec);
  const RetrievalScore by_timbre = retrieve_classes(folds, kl, labels, {}).all;
  const RetrievalScore mutual = retrieve_classes(folds, kl, labels, {5, true}).all;
  const RetrievalScore both = retrieve_classes(folds, learn_fingerprint_distance(all, exec), labels, {5, true}).all;
  const auto print = [](const char* what, const RetrievalScore& s) {
    std::cout << "ESC-10, " << what << ": nearest " << s.nearest << ", precision@5 " << s.precision << ", 5 voting "
              << s.accuracy << "\n";
  };
  print("fingerprints", by_fingerprint);
  print("fingerprints by mutual proximity", both);
  print("timbre", by_timbre);
  print("timbre by mutual proximity", mutual);
  std::cout << "400 clips in " << seconds.count() << " s on two threads\n";
  EXPECT_EQ(by_fingerprint.asked, 400u);
  EXPECT_NEAR(by_fingerprint.chance, 0.1, 1e-9);  // 32 of 320
  EXPECT_GE(by_fingerprint.nearest, 0.70);
  EXPECT_GE(by_fingerprint.precision, 0.64);
  EXPECT_GE(by_timbre.precision, 0.50);
  // What it is for; of KL divergences as they are, whose tail is long, it made half of the hits misses.
  EXPECT_GT(both.precision, by_fingerprint.precision);
  EXPECT_GT(mutual.precision, by_timbre.precision);
}

}  // namespace
}  // namespace segue::audio
