// Recordings find themselves after they were made quieter, noisy or MP3: among melodies made here, and among real ones.
#include "framework/audio/near_duplicates.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numbers>

#include <gtest/gtest.h>

#include "framework/audio/feature_file.hpp"
#include "framework/base/executor.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/signal.hpp"

namespace segue::audio {
namespace {

constexpr int kRate = 44100;

// Notes of harmonics over a bass and a hiss of drums, all drawn.
std::vector<float> melody(std::uint64_t seed, double seconds) {
  std::vector<float> out(static_cast<std::size_t>(seconds * kRate));
  Rng rng = Rng(seed).stream("melody");
  const double beat = 0.25 + 0.35 * rng.uniform(), bright = 0.3 + 0.6 * rng.uniform();
  for (double at = 0; at < seconds; at += beat) {
    const double hz = 110 * std::exp2(static_cast<double>(rng.below(30)) / 12), decay = 1.5 + 5 * rng.uniform();
    const bool drum = rng.below(3) == 0;
    for (std::size_t i = 0, from = static_cast<std::size_t>(at * kRate); i < kRate / 2 && from + i < out.size(); ++i) {
      const double t = static_cast<double>(i) / kRate;
      double x = 0;
      for (int h = 1; h <= 6; ++h) x += std::pow(bright, h) * std::sin(2 * std::numbers::pi * hz * h * t);
      out[from + i] += static_cast<float>(0.2 * std::exp(-decay * t) * x);
      if (drum) out[from + i] += static_cast<float>(0.1 * std::exp(-40 * t) * rng.normal());
    }
  }
  return out;
}

struct Found {
  Matrix<float> catalogue;
  std::vector<std::vector<DuplicateQuery>> queries;  // a degradation
  double first(std::size_t d) const {
    double out = 0;
    for (const DuplicateRank& r : rank_duplicates(catalogue, queries[d])) out += r.rank == 1 ? 1 : 0;
    return out / static_cast<double>(catalogue.rows());
  }
};

template <class Excerpt>
Found find(std::size_t n, const std::vector<Degradation>& how, Excerpt excerpt) {
  Found out{Matrix<float>(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(fingerprint_fields().size())),
            std::vector(how.size(), std::vector<DuplicateQuery>(n))};
  Executor(2).for_blocks(n, 1, [&](std::size_t i, std::size_t) {
    const std::vector<float> x = excerpt(i);
    std::ranges::copy(excerpt_fingerprint(x, kRate, {}), row_span(out.catalogue, i).begin());
    for (std::size_t d = 0; d < how.size(); ++d)
      out.queries[d][i] = {i, excerpt_fingerprint(degraded(x, kRate, how[d], Rng(i)), kRate, {})};
  });
  return out;
}

TEST(NearDuplicates, RanksAreCountedAgainstTheQuery) {
  Matrix<float> rows(4, 2);
  rows << 0, 0, 10, 0, 0, 10, 10, 10;
  const std::vector<DuplicateQuery> queries = {{0, {1, 1}}, {0, {9, 1}}, {1, {5, 0}}, {2, {9, 9}}};
  const std::vector<DuplicateRank> found = rank_duplicates(rows, queries);
  EXPECT_EQ(found[0].rank, 1u);
  EXPECT_EQ(found[0].nearest, 0u);
  EXPECT_EQ(found[1].rank, 3u);  // row 1 is nearer, and row 3 as far as its own or less
  EXPECT_EQ(found[1].nearest, 1u);
  EXPECT_EQ(found[2].rank, 2u);  // as near as row 0
  EXPECT_EQ(found[2].nearest, 0u);
  EXPECT_EQ(found[3].nearest, 3u);
  const std::vector<double> moved = moved_fields(rows, std::span(queries).first(1));
  EXPECT_NEAR(moved[0], 1 / 5.0, 1e-6);  // the deviation of 0, 10, 0, 10 is 5
}

TEST(NearDuplicates, MelodiesFindThemselves) {
  const std::vector<Degradation> how = parse_degradations("gain:-12,noise:20,mp3:64");
  const Found found = find(24, how, [](std::size_t i) { return melody(i, 6); });
  for (std::size_t d = 0; d < how.size(); ++d) EXPECT_GE(found.first(d), 0.95) << how[d].text();
}

TEST(NearDuplicates, RealRecordingsFindThemselves) {
#ifndef NDEBUG
  GTEST_SKIP() << "in optimised builds only";
#endif
  const auto folder = test::real_data("audio");
  if (!folder) GTEST_SKIP() << test::missing_data("audio");
  std::vector<std::filesystem::path> files;  // every fourth clip and loop, and recordings
  const std::vector<FileMark> all = find_recordings(*folder);
  for (std::size_t i = 0; i < all.size(); i += 4) files.push_back(*folder / all[i].path);
  const std::vector<Degradation> how = parse_degradations("gain:-12,noise:20,mp3:64");
  const Found found = find(files.size(), how, [&](std::size_t i) {
    SoundFile sound(files[i], kRate);
    return read_excerpt(sound, 0, 5);
  });
  for (std::size_t d = 0; d < how.size(); ++d) {
    std::cout << how[d].text() << ": " << 100 * found.first(d) << " % of " << files.size() << " first\n";
    EXPECT_GE(found.first(d), 0.95) << how[d].text();
  }
}

}  // namespace
}  // namespace segue::audio
