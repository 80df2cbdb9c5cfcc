// Recordings as a whole: tempo of clicks, drums and real loops; loudness, danceability; one track from its source.
#include "framework/audio/track.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numbers>

#include <gtest/gtest.h>

#include "framework/audio/tempo_accuracy.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/data_dir.hpp"
#include "tests/support/signal.hpp"

namespace segue::audio {
namespace {

using test::track_of;

constexpr int kRate = test::kSignalRate;
constexpr double kSeconds = 20;

// Adds sound(seconds since the beginning of the beat) at beats `every` apart.
template <class Sound>
void strike(std::vector<float>& x, double first, double every, double length, Sound sound) {
  for (double at = first; at < kSeconds; at += every)
    for (std::size_t i = 0, from = static_cast<std::size_t>(at * kRate);
         i < static_cast<std::size_t>(length * kRate) && from + i < x.size(); ++i)
      x[from + i] += static_cast<float>(sound(static_cast<double>(i) / kRate));
}
std::vector<float> silence() { return std::vector<float>(static_cast<std::size_t>(kSeconds * kRate), 0.0f); }

std::vector<float> clicks(double bpm) {
  std::vector<float> x = silence();
  strike(x, 0.1, 60 / bpm, 0.05,
         [](double t) { return 0.5 * std::exp(-60 * t) * std::sin(2 * std::numbers::pi * 1000 * t); });
  return x;
}
// Bass drum on one and three, snare on two and four, hi-hats on eighths.
std::vector<float> drums(double bpm) {
  std::vector<float> x = silence();
  Rng rng(static_cast<std::uint64_t>(bpm));
  const double beat = 60 / bpm;
  strike(x, 0, 2 * beat, 0.2, [](double t) {
    return 0.8 * std::exp(-18 * t) * std::sin(2 * std::numbers::pi * (50 + 60 * std::exp(-40 * t)) * t);
  });
  strike(x, beat, 2 * beat, 0.2, [&](double t) { return 0.4 * std::exp(-25 * t) * rng.normal(); });
  strike(x, 0, beat / 2, 0.1, [&](double t) { return 0.12 * std::exp(-90 * t) * rng.normal(); });
  return x;
}

struct Accuracy {
  int tracks = 0, first = 0, second = 0;
  void add(double bpm, double truth) {
    ++tracks;
    const TempoAccuracy right = tempo_accuracy(bpm, truth);
    first += right.first ? 1 : 0;
    second += right.second ? 1 : 0;
  }
};

TEST(TempoAccuracy, IsFourPercentOfTheTempoOrOfItsRelatives) {
  struct Case {
    double bpm;
    bool first, second;
  };
  for (const Case c : {Case{120, true, true},
                       {124.7, true, true},
                       {115.3, true, true},
                       {125, false, false},
                       {115, false, false},
                       {240, false, true},
                       {249, false, true},
                       {250, false, false},
                       {360, false, true},
                       {60, false, true},
                       {40, false, true},
                       {80, false, false},
                       {180, false, false},
                       {480, false, false},
                       {0, false, false}}) {
    EXPECT_EQ(tempo_accuracy(c.bpm, 120).first, c.first) << c.bpm;
    EXPECT_EQ(tempo_accuracy(c.bpm, 120).second, c.second) << c.bpm;
  }
}

TEST(Tempo, OfClicksAndDrums) {
  Accuracy ours;
  for (double bpm = 60; bpm <= 200; bpm += 20) {
    const double of_clicks = track_of(clicks(bpm)).summary.tempo.bpm, of_drums = track_of(drums(bpm)).summary.tempo.bpm;
    ours.add(of_clicks, bpm);
    ours.add(of_drums, bpm);
    EXPECT_TRUE(tempo_accuracy(of_clicks, bpm).second) << of_clicks << " of " << bpm;
    EXPECT_TRUE(tempo_accuracy(of_drums, bpm).second) << of_drums << " of " << bpm;
  }
  EXPECT_GE(ours.first, ours.tracks / 2);
  const Track silent = track_of(silence());
  EXPECT_EQ(silent.summary.tempo.bpm, 0);
  EXPECT_TRUE(silent.beats.empty());
}

// A loop of 2^k beats says its own tempo by its length, but for the octave.
TEST(Tempo, OfRealLoops) {
  const auto folder = test::real_data("audio/loops");
  if (!folder) GTEST_SKIP() << test::missing_data("audio/loops");
  Accuracy ours, librosa;
  for (const auto& file : std::filesystem::directory_iterator(*folder)) {
    if (file.path().extension() != ".flac") continue;
    SoundFile sound(file.path(), kRate);
    const std::vector<float> loop = read_all(sound);
    double truth = 60 / sound.info().seconds();
    while (truth < 80) truth *= 2;
    std::vector<float> x;
    while (x.size() < static_cast<std::size_t>(kSeconds * kRate)) x.insert(x.end(), loop.begin(), loop.end());
    ours.add(track_of(x).summary.tempo.bpm, truth);
    librosa.add(track_of(x, TempoMethod::kLibrosa).summary.tempo.bpm, truth);
  }
  std::cout << "accuracy 1 and 2 of " << ours.tracks << " loops: " << ours.first << " and " << ours.second
            << ", librosa's " << librosa.first << " and " << librosa.second << "\n";
  ASSERT_EQ(ours.tracks, 17);
  EXPECT_GE(ours.second, 15);
  EXPECT_GT(ours.second, librosa.second);
}

TEST(Loudness, OfATone) {
  // BS.1770: a 997 Hz sine at full scale in one channel is -3.01 LKFS.
  std::vector<float> x(static_cast<std::size_t>(10 * kRate));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(std::sin(2 * std::numbers::pi * 997 * static_cast<double>(i) / kRate));
  const auto lufs = [&](float gain) {
    Loudness loudness(kRate);
    std::vector<float> scaled = x;
    for (float& s : scaled) s *= gain;
    loudness.push(scaled);
    return loudness.lufs();
  };
  EXPECT_NEAR(lufs(1), -3.01, 0.05);
  EXPECT_NEAR(lufs(0.1f), -23.01, 0.05);
  EXPECT_EQ(lufs(0), Loudness::kSilence);
  EXPECT_EQ(Loudness(kRate).lufs(), Loudness::kSilence);
  EXPECT_EQ(energy_of(-60), 0);
  EXPECT_NEAR(energy_of(-15), 0.75, 1e-12);
}

// Fluctuations of white noise, summed up, grow with exponent 1/2; of a walk with 3/2; a beat's hardly at all.
TEST(Danceability, IsTheInverseOfTheExponentOfFluctuations) {
  Rng rng(1);
  std::vector<double> white(6000), walk(6000), beat(6000);
  double sum = 0;
  for (std::size_t i = 0; i < white.size(); ++i) {
    white[i] = rng.normal();
    walk[i] = sum += rng.normal();
    beat[i] = i % 20 == 0 ? 1 : 0;
  }
  EXPECT_NEAR(danceability(white, {}), 2, 0.2);
  EXPECT_NEAR(danceability(walk, {}), 2 / 3.0, 0.1);
  EXPECT_GT(danceability(beat, {}), 3);
  EXPECT_EQ(danceability(std::vector<double>(6000, 0.3), {}), 0);
  EXPECT_EQ(danceability(std::vector<double>(100, 0.3), {}), 0);
}

TEST(Track, IsAnalysedFromAnySource) {
  const Track track = track_of(drums(120));
  EXPECT_NEAR(track.summary.seconds, kSeconds, 1e-3);
  EXPECT_EQ(track.features.frames, 1 + static_cast<std::size_t>(kSeconds * kRate) / 512);
  EXPECT_GT(track.beats.size(), 30u);
  EXPECT_EQ(track.summary.mfcc.size(), 20u);
  EXPECT_EQ(track.summary.chroma.size(), 12u);
  EXPECT_GT(track.summary.onsets_a_second, 1);
}

TEST(Clicked, HasAClickAtEveryFrameHoweverItIsRead) {
  SampleBuffer quiet(silence(), kRate);
  Clicked sound(quiet, {10, 11, 20}, 512);
  EXPECT_EQ(sound.samples(), silence().size());
  const std::vector<float> whole = read_all(sound);
  ASSERT_EQ(whole.size(), silence().size());
  EXPECT_EQ(whole[10 * 512 - 1], 0);
  EXPECT_GT(*std::max_element(whole.begin() + 5120, whole.begin() + 5220), 0.3f);
  EXPECT_TRUE(std::all_of(whole.begin() + 7000, whole.begin() + 10240, [](float x) { return x == 0; }));
  EXPECT_GT(*std::max_element(whole.begin() + 10240, whole.begin() + 10340), 0.3f);

  sound.rewind();
  std::vector<float> pieces(whole.size());
  for (std::size_t at = 0, n = 1; at < pieces.size(); at += n, n = n * 3 % 701 + 1)
    ASSERT_EQ(sound.read(std::span(pieces).subspan(at, std::min(n, pieces.size() - at))),
              std::min(n, pieces.size() - at));
  EXPECT_EQ(pieces, whole);
  sound.seek(5200);  // within a click
  std::vector<float> rest(300);
  EXPECT_EQ(sound.read(rest), 300u);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + 5200));
}

}  // namespace
}  // namespace segue::audio
