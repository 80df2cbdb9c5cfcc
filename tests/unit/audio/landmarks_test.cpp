// Peaks and pairs against the sentences that define them, level and place of a clip, and how a stream is cut.
#include "framework/audio/landmarks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include <gmock/gmock.h>

#include "framework/audio/degrade.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/made_up_music.hpp"
#include "tests/support/messages.hpp"

namespace segue::audio {
namespace {

using testing::HasSubstr;

constexpr int kRate = 22050;

std::vector<Peak> peaks_of(std::span<const float> samples, std::size_t piece, const LandmarkSettings& settings = {}) {
  PeakPicker picker(settings);
  for (std::size_t at = 0; at < samples.size(); at += piece)
    picker.push(samples.subspan(at, std::min(piece, samples.size() - at)));
  return picker.finish();
}

// The header's first paragraph, word for word, over the whole spectrogram.
std::vector<Peak> peaks_by_definition(std::span<const float> samples, const LandmarkSettings& s) {
  std::vector<std::vector<float>> power;
  Stft<float> stft(s.stft);
  const auto keep = [&](const SpectrumBlock<float>& block) {
    for (std::size_t l = 0; l < block.count; ++l) {
      power.emplace_back();
      for (std::size_t k = 0; k < block.bins; ++k) power.back().push_back(block.power[k * kWide + l]);
    }
  };
  stft.push(samples, keep);
  stft.finish(keep);
  const int frames = static_cast<int>(power.size());
  const auto at = [&](int t, int k) { return power[static_cast<std::size_t>(t)][static_cast<std::size_t>(k)]; };
  std::vector<Peak> largest;
  for (int t = 0; t < frames; ++t)
    for (int k = s.bands.front(); k < s.bands.back(); ++k) {
      bool peak = at(t, k) > 0;
      for (int u = std::max(0, t - s.peak_frames); u <= std::min(frames - 1, t + s.peak_frames); ++u)
        for (int j = std::max(s.bands.front(), k - s.peak_bins); j <= std::min(s.bands.back() - 1, k + s.peak_bins);
             ++j)
          if (at(u, j) > at(t, k) || (at(u, j) == at(t, k) && std::pair(u, j) < std::pair(t, k))) peak = false;
      if (peak) largest.push_back({static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(k), at(t, k)});
    }
  const auto band_of = [&](const Peak& p) {
    return std::ranges::upper_bound(s.bands, static_cast<int>(p.bin)) - s.bands.begin();
  };
  std::vector<Peak> out;
  for (const Peak& p : largest) {
    int larger = 0;
    for (const Peak& other : largest)
      if (band_of(other) == band_of(p) &&
          std::abs(static_cast<int>(other.frame) - static_cast<int>(p.frame)) <= s.density_frames)
        larger += other.power > p.power ? 1 : 0;
    if (larger < s.peaks_near) out.push_back(p);
  }
  return out;
}

bool same(std::span<const Peak> a, std::span<const Peak> b) {
  return std::ranges::equal(
      a, b, [](const Peak& x, const Peak& y) { return x.frame == y.frame && x.bin == y.bin && x.power == y.power; });
}

TEST(Landmarks, PeaksAreWhatTheirDefinitionSays) {
  const std::vector<float> x = test::made_up_music(1, 8, kRate);
  for (const auto& [frames, bins, near] : {std::tuple{4, 8, 2}, {1, 3, 4}, {6, 20, 1}}) {
    LandmarkSettings s;
    s.peak_frames = frames, s.peak_bins = bins, s.peaks_near = near;
    const std::vector<Peak> expected = peaks_by_definition(x, s);
    ASSERT_GT(expected.size(), 20u);
    EXPECT_TRUE(same(peaks_of(x, x.size(), s), expected)) << frames;
    EXPECT_TRUE(same(peaks_of(x, 777, s), expected)) << frames;
  }
}

TEST(Landmarks, DensityIsBounded) {
  const LandmarkSettings s;
  for (const std::vector<float>& x :
       {test::made_up_music(2, 20, kRate), with_noise(test::made_up_music(2, 20, kRate), 0, Rng(1))}) {
    const std::vector<Peak> peaks = peaks_of(x, x.size());
    for (std::size_t b = 0; b + 1 < s.bands.size(); ++b)
      for (std::uint32_t from = 0; from < 20 * kRate / 512; ++from) {
        const auto inside = std::ranges::count_if(peaks, [&](const Peak& p) {
          return p.frame >= from && p.frame <= from + static_cast<std::uint32_t>(s.density_frames) &&
                 static_cast<int>(p.bin) >= s.bands[b] && static_cast<int>(p.bin) < s.bands[b + 1];
        });
        ASSERT_LE(inside, s.peaks_near) << "band " << b << ", frame " << from;
      }
  }
}

TEST(Landmarks, PairsAreTheFirstInTheZone) {
  const std::vector<Peak> peaks = {{0, 100, 1}, {1, 101, 1}, {2, 100, 1}, {2, 300, 1},
                                   {5, 90, 1},  {9, 110, 1}, {63, 99, 1}, {127, 99, 1}};
  LandmarkSettings s;
  s.fan_out = 3;
  std::vector<Landmark> expected;
  for (const auto& [a, b] :
       {std::pair{0, 2}, {0, 4}, {0, 5}, {1, 4}, {1, 5}, {1, 6}, {2, 4}, {2, 5}, {2, 6}, {4, 5}, {4, 6}, {5, 6}}) {
    const Peak &first = peaks[static_cast<std::size_t>(a)], &second = peaks[static_cast<std::size_t>(b)];
    expected.push_back({first.bin << 16 | second.bin << 6 | (second.frame - first.frame), first.frame});
  }
  EXPECT_EQ(pair_peaks(peaks, s), expected);  // 2 and 3: too far apart; 6 and 7: too late
}

TEST(Landmarks, SaysNothingOfLevel) {
  const std::vector<float> x = test::made_up_music(3, 12, kRate);
  SampleBuffer own(x, kRate);
  const std::vector<Landmark> expected = find_landmarks(own);
  ASSERT_GT(expected.size(), 100u);
  for (const float gain : {1.0f / 64, 0.25f, 8.0f}) {  // which round nothing
    std::vector<float> changed = x;
    for (float& v : changed) v *= gain;
    SampleBuffer source(std::move(changed), kRate);
    EXPECT_EQ(find_landmarks(source), expected) << gain;
  }
  SampleBuffer quieter(with_gain(x, -12), kRate);  // which rounds every sample
  std::vector<Landmark> common;
  std::ranges::set_intersection(
      find_landmarks(quieter), expected, std::back_inserter(common),
      [](const Landmark& a, const Landmark& b) { return std::pair(a.frame, a.hash) < std::pair(b.frame, b.hash); });
  EXPECT_GE(common.size(), expected.size() * 95 / 100);
}

TEST(Landmarks, SilenceHasNone) {
  SampleBuffer silence(std::vector<float>(3 * kRate, 0.0f), kRate), nothing({}, kRate), wrong({1, 2}, 44100);
  EXPECT_TRUE(find_landmarks(silence).empty());
  EXPECT_TRUE(find_landmarks(nothing).empty());
  EXPECT_THAT(test::message_of<UsageError>([&] { find_landmarks(wrong); }), HasSubstr("44100 Hz"));
}

TEST(Landmarks, AClipIsHeardBetweenFramesToo) {
  const std::vector<float> x = test::made_up_music(4, 6, kRate);
  const LandmarkSettings s;
  const ClipLandmarks clip = find_clip_landmarks(x, s, 4);
  EXPECT_TRUE(std::ranges::is_sorted(clip.landmarks));
  EXPECT_EQ(std::ranges::adjacent_find(clip.landmarks), clip.landmarks.end());
  LandmarkSettings wider = s;
  wider.fan_out *= 2;
  std::vector<Landmark> expected;
  for (std::uint32_t i = 0; i < 4; ++i)
    for (Landmark l : pair_peaks(peaks_of(std::span(x).subspan(128 * i), x.size()), wider)) {
      l.frame = 4 * l.frame + i;
      expected.push_back(l);
    }
  std::ranges::sort(expected);
  EXPECT_EQ(clip.landmarks, expected);
  SampleBuffer own(x, kRate);
  EXPECT_EQ(clip.plain, find_landmarks(own).size());
  EXPECT_TRUE(find_clip_landmarks({}, s).landmarks.empty());
}

TEST(Landmarks, SettingsAreNamed) {
  LandmarkSettings a, b;
  EXPECT_EQ(a.canonical(), b.canonical());
  b.fan_out = 5;
  EXPECT_NE(a.canonical(), b.canonical());
  EXPECT_THAT(a.canonical(), HasSubstr("sample_rate=22050 frame=2048 hop=512"));
}

}  // namespace
}  // namespace segue::audio
