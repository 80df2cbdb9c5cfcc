// The synthesised sound as music: what framework/audio hears in it is what the recipe says.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "datasets/demo/sound.hpp"
#include "framework/audio/features.hpp"
#include "tests/unit/demo/world_fixture.hpp"

namespace segue::demo {
namespace {

constexpr int kRate = 22050;
constexpr std::size_t kEach = 10;  // tracks a genre

struct Heard {
  const Track* track = nullptr;
  std::vector<double> mfcc;  // means
  audio::Key key;
  double bpm = 0, centroid = 0, flatness = 0, rms = 0;
};

Heard hear(const AudioRecipe& recipe, double seconds = 20) {
  const std::vector<float> x = render(recipe, kRate, 0.35 * recipe.duration, seconds);
  audio::WantedFeatures wanted = audio::WantedFeatures::few();
  wanted.flatness = wanted.rms = true;
  audio::FeatureExtractor<float> extractor({}, wanted);
  extractor.push(x);
  EXPECT_FALSE(extractor.finish()) << "short enough for one pass";
  const audio::Features<float> f = extractor.take();
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  };
  Heard out;
  out.mfcc.assign(f.mfcc.cols(), 0);
  std::array<double, 12> chroma{};
  for (std::size_t t = 0; t < f.frames; ++t) {
    for (std::size_t c = 0; c < out.mfcc.size(); ++c) out.mfcc[c] += f.mfcc.row(t)[c] / static_cast<double>(f.frames);
    for (std::size_t c = 0; c < 12; ++c) chroma[c] += f.chroma.row(t)[c];
  }
  out.key = audio::estimate_key(chroma);
  out.bpm = audio::tempo_librosa(f.onset, {});
  out.centroid = mean(f.centroid), out.flatness = mean(f.flatness), out.rms = mean(f.rms);
  return out;
}

// Ten tracks of every genre, of as many artists.
const std::vector<Heard>& heard() {
  static const std::vector<Heard> kAll = [] {
    std::vector<Heard> out;
    std::array<std::size_t, kGenres> count{};
    for (const Track& track : test::default_world().tracks) {
      if (track.position != 0 || count[track.genre] == kEach) continue;
      ++count[track.genre];
      out.push_back(hear(track.recipe));
      out.back().track = &track;
    }
    return out;
  }();
  return kAll;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) mean_a += a[i] / n, mean_b += b[i] / n;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

double over(const std::vector<Heard>& all, const char* slug, double Heard::*value) {
  double sum = 0;
  for (const Heard& h : all) sum += h.track->recipe.genre == slug ? h.*value : 0;
  return sum / kEach;
}

// Beats a minute within 4 %, or an octave of it.
bool same_tempo(double found, double bpm) {
  const double octaves = std::log2(found / bpm);
  return std::abs(octaves - std::round(octaves)) < std::log2(1.04) && std::abs(octaves) < 1.5;
}

// Many tracks are rendered and analysed, in each test's process: a minute each where nothing is optimised. DemoSound
// covers the same code there.
class DemoMusic : public testing::Test {
 protected:
  void SetUp() override {
#ifndef NDEBUG
    GTEST_SKIP() << "in optimised builds only";
#endif
  }
};

TEST_F(DemoMusic, HasTheTempoOfItsRecipe) {
  double right = 0, all = 0;
  for (const Heard& h : heard()) {
    if (h.track->recipe.drums == "none") continue;
    right += same_tempo(h.bpm, h.track->recipe.bpm) ? 1 : 0;
    ++all;
  }
  RecordProperty("share", std::to_string(right / all));
  EXPECT_EQ(all, 100);
  EXPECT_GE(right / all, 0.85);
}

TEST_F(DemoMusic, HasTheKeyOfItsRecipe) {
  double exact = 0, near = 0, all = 0;
  for (const Heard& h : heard()) {
    const AudioRecipe& r = h.track->recipe;
    if (r.genre == "nu_metal" || r.genre == "drum_and_bass") continue;  // chords without thirds, and much noise
    const bool same = h.key.tonic == r.key && h.key.minor == r.minor;
    const bool relative = h.key.minor != r.minor && (h.key.tonic - r.key + 12) % 12 == (r.minor ? 3 : 9);
    exact += same ? 1 : 0;
    near += same || relative ? 1 : 0;
    ++all;
  }
  RecordProperty("exact", std::to_string(exact / all));
  RecordProperty("relative", std::to_string(near / all));
  EXPECT_GE(exact / all, 0.5) << "chance is 1 in 24";
  EXPECT_GE(near / all, 0.75);
}

TEST_F(DemoMusic, BrightnessIsTheCentroidAndEnergyTheLoudness) {
  std::vector<double> brightness, centroid, energy, loudness;
  for (const Heard& h : heard()) {
    brightness.push_back(h.track->recipe.brightness), centroid.push_back(h.centroid);
    energy.push_back(h.track->recipe.energy), loudness.push_back(h.rms);
  }
  EXPECT_GT(correlation(brightness, centroid), 0.4);  // over all genres, whose instruments differ
  EXPECT_GT(correlation(energy, loudness), 0.9);
  std::set<std::string> genres_heard;  // and in each genre, all else equal
  for (const Heard& h : heard()) {
    AudioRecipe r = h.track->recipe;
    if (!genres_heard.insert(r.genre).second) continue;
    double last = 0;
    for (const double bright : {0.2, 0.5, 0.8}) {
      r.brightness = bright;
      const double found = hear(r, 8).centroid;
      EXPECT_GT(found, 1.08 * last) << r.genre << " at " << bright;
      last = found;
    }
  }
  EXPECT_EQ(genres_heard.size(), kGenres);
}

TEST_F(DemoMusic, GenresSoundAsTheyShould) {
  const auto centroid = [](const char* slug) { return over(heard(), slug, &Heard::centroid); };
  const auto flatness = [](const char* slug) { return over(heard(), slug, &Heard::flatness); };
  const auto loudness = [](const char* slug) { return over(heard(), slug, &Heard::rms); };
  EXPECT_GT(centroid("nu_metal"), 1.3 * centroid("rnb"));
  EXPECT_GT(centroid("techno"), 1.3 * centroid("classical"));
  EXPECT_GT(flatness("nu_metal"), 10 * flatness("classical"));
  EXPECT_GT(loudness("techno"), 1.5 * loudness("folk"));
  EXPECT_GT(loudness("drum_and_bass"), 2 * loudness("ambient"));
}

// The nearest of the genres' means, of which the track itself is no part; coefficients over their deviation.
TEST_F(DemoMusic, GenresCanBeToldApartButNotAlways) {
  const std::vector<Heard>& all = heard();
  ASSERT_EQ(all.size(), kEach * kGenres);
  const std::size_t n = all.front().mfcc.size();
  std::vector<double> mean(n), deviation(n);
  for (const Heard& h : all) {
    for (std::size_t c = 0; c < n; ++c) mean[c] += h.mfcc[c] / static_cast<double>(all.size());
  }
  for (const Heard& h : all) {
    for (std::size_t c = 0; c < n; ++c) deviation[c] += (h.mfcc[c] - mean[c]) * (h.mfcc[c] - mean[c]);
  }
  for (double& d : deviation) d = std::sqrt(d / static_cast<double>(all.size()));
  double right = 0;
  for (const Heard& h : all) {
    double least = 1e300;
    std::size_t nearest = kGenres;
    for (std::size_t g = 0; g < kGenres; ++g) {
      std::vector<double> centre(n);
      double count = 0, distance = 0;
      for (const Heard& other : all) {
        if (&other == &h || other.track->genre != g) continue;
        for (std::size_t c = 0; c < n; ++c) centre[c] += other.mfcc[c];
        ++count;
      }
      for (std::size_t c = 0; c < n; ++c) distance += std::pow((h.mfcc[c] - centre[c] / count) / deviation[c], 2);
      if (distance < least) least = distance, nearest = g;
    }
    right += nearest == h.track->genre ? 1 : 0;
  }
  RecordProperty("accuracy", std::to_string(right / static_cast<double>(all.size())));
  EXPECT_GT(right / static_cast<double>(all.size()), 0.6) << "chance is 1 in 12";
  EXPECT_LT(right / static_cast<double>(all.size()), 0.95) << "too easy to be worth learning";
}

TEST_F(DemoMusic, SectionsOfALetterAreAlikeAndOthersDiffer) {
  // Cosines of mean chroma of bars: the same letter's against another's.
  AudioRecipe r = heard().front().track->recipe;
  r.structure = "ABAB", r.bpm = 120, r.duration = 64;  // 16 s, eight bars, a section
  for (const char* genre : {"pop", "folk", "jazz", "techno"}) {
    r.genre = genre;
    const auto section = [&](double from) {
      const std::vector<float> x = render(r, kRate, from, 12);
      audio::FeatureExtractor<float> extractor({}, audio::WantedFeatures::few());
      extractor.push(x);
      EXPECT_FALSE(extractor.finish());
      const audio::Features<float> f = extractor.take();
      std::vector<double> out;
      for (std::size_t t = 0; t < f.frames; ++t) out.insert(out.end(), f.chroma.row(t).begin(), f.chroma.row(t).end());
      return out;
    };
    const auto a = section(0), b = section(16), again = section(32);
    EXPECT_GT(correlation(a, again), correlation(a, b) + 0.1) << genre;
    EXPECT_GT(correlation(a, again), 0.8) << genre;
  }
}

}  // namespace
}  // namespace segue::demo
