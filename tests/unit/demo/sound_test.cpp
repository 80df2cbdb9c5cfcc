// The synthesised sound as a signal: the same bits however it is read, and nothing that hurts.
#include "datasets/demo/sound.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/demo/synth_bands.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/loader.hpp"
#include "tests/support/messages.hpp"
#include "tests/unit/demo/world_fixture.hpp"

void segue_register_dataset_demo(segue::DatasetRegistry& registry);

namespace segue::demo {
namespace {

using segue::test::message_of;
using ::testing::HasSubstr;

constexpr int kRate = 22050;

AudioRecipe recipe_of(std::size_t genre) {
  const Genre& g = genres()[genre];
  AudioRecipe r;
  r.genre = g.slug;
  r.bpm = g.bpm + 0.3;
  r.key = static_cast<int>(genre);
  r.minor = g.minor > 0.5;
  r.swing = g.swing, r.energy = g.energy, r.brightness = g.brightness, r.noise = g.noise;
  r.drums = g.drums;
  r.structure = split(g.structures, '|').front();
  r.duration = 45;
  r.vocal = genre % 2 == 0;
  r.seed = 17 + genre;
  return r;
}

double rms(std::span<const float> x) {
  double squares = 0;
  for (const float v : x) squares += double{v} * v;
  return std::sqrt(squares / static_cast<double>(x.size()));
}

TEST(DemoSound, IsTheSameInPiecesOfAnySize) {
  for (std::size_t g = 0; g < kGenres; ++g) {
    DemoSound sound(recipe_of(g), kRate);
    const std::vector<float> whole = audio::read_all(sound);
    ASSERT_EQ(whole.size(), 45u * kRate);
    EXPECT_EQ(sound.samples(), whole.size());
    sound.rewind();
    std::vector<float> pieces, piece;
    for (std::size_t size = 1; pieces.size() < whole.size(); size = size * 7 % 9973 + 1) {
      piece.assign(size, 9.f);
      const std::size_t got = sound.read(piece);
      ASSERT_TRUE(got == size || pieces.size() + got == whole.size());
      pieces.insert(pieces.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
    }
    EXPECT_EQ(pieces, whole) << genres()[g].slug;
    EXPECT_EQ(sound.read(piece), 0u);
  }
}

TEST(DemoSound, AnExcerptIsThatPartOfTheWhole) {
  for (std::size_t i = 0; i < 2 * kGenres; ++i) {
    AudioRecipe r = recipe_of(i % kGenres);
    if (i >= kGenres) r.bpm = 400;  // bars shorter than their last notes ring, and than echoes reach
    DemoSound sound(r, kRate);
    const std::vector<float> whole = audio::read_all(sound);
    for (const double from : {0.0, 0.001, 1.7, 3.9, 20.5, 44.9}) {
      const std::vector<float> part = render(r, kRate, from, 3);
      const auto begin = static_cast<std::ptrdiff_t>(std::llround(from * kRate));
      const auto end = std::min<std::ptrdiff_t>(begin + 3 * kRate, 45 * kRate);
      EXPECT_EQ(part, std::vector<float>(whole.begin() + begin, whole.begin() + end)) << r.genre << " at " << from;
    }
    EXPECT_TRUE(render(r, kRate, 45, 1).empty());
    EXPECT_TRUE(render(r, kRate, 1e6, 1).empty());
    // Where bars begin and end: each sample is a place to begin.
    const auto bar = static_cast<std::uint64_t>(std::llround(240 / r.bpm * kRate * 5));
    for (std::uint64_t at = bar - 2; at <= bar + 2; ++at) {
      std::vector<float> one(1);
      sound.seek(at);
      ASSERT_EQ(sound.read(one), 1u);
      EXPECT_EQ(one[0], whole[at]);
    }
  }
}

TEST(DemoSound, IsTheSameForAnyNumberOfThreads) {
  const auto hash = [](int threads) {
    const Executor exec(threads);
    std::vector<std::string> each(kGenres);
    exec.for_blocks(kGenres, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t g = begin; g < end; ++g) {
        Hasher h;
        h.add(std::span<const float>(render(recipe_of(g), kRate, 4, 6)));
        each[g] = h.hex();
      }
    });
    return each;
  };
  const auto one = hash(1);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(hash(threads), one);
}

TEST(DemoSound, StaysWithinOneWithoutOffset) {
  for (std::size_t g = 0; g < kGenres; ++g) {
    for (const double extreme : {0.0, 1.0}) {
      AudioRecipe r = recipe_of(g);
      r.energy = r.brightness = r.noise = r.swing = extreme;
      r.bpm = extreme > 0 ? 400 : 20;
      const std::vector<float> x = render(r, kRate, 0, 45);
      double sum = 0, largest = 0;
      for (const float v : x) {
        ASSERT_TRUE(std::isfinite(v));
        ASSERT_TRUE(v == 0 || std::abs(v) > 1e-37f) << "a denormal";
        largest = std::max(largest, std::abs(double{v}));
        sum += v;
      }
      EXPECT_LT(largest, 1);
      EXPECT_GT(largest, 0.02);
      EXPECT_LT(std::abs(sum / static_cast<double>(x.size())), 0.02) << r.genre;
      EXPECT_LT(std::abs(x.front()), 1e-3);
      EXPECT_LT(std::abs(x.back()), 1e-3);
    }
  }
}

TEST(DemoSound, EnergyIsLoudness) {
  for (std::size_t g = 0; g < kGenres; ++g) {
    double last = 0;
    for (const double energy : {0.1, 0.4, 0.7, 0.95}) {
      AudioRecipe r = recipe_of(g);
      r.energy = energy;
      const double loudness = rms(render(r, kRate, 10, 20));
      EXPECT_GT(loudness, 1.15 * last) << r.genre << " at " << energy;
      last = loudness;
    }
    EXPECT_GT(last, 0.1);
    EXPECT_LT(last, 0.35);
  }
}

TEST(DemoSound, OtherSeedsAreOtherMusic) {
  AudioRecipe r = recipe_of(0);
  const std::vector<float> a = render(r, kRate, 10, 2);
  EXPECT_EQ(render(r, kRate, 10, 2), a);
  ++r.seed;
  EXPECT_NE(render(r, kRate, 10, 2), a);
}

TEST(DemoSound, WorksAtItsSmallestAndAtOtherRates) {
  AudioRecipe r = recipe_of(3);
  r.duration = 1;
  r.structure = "ABABABABAB";  // more sections than bars
  EXPECT_EQ(render(r, kRate, 0, 10).size(), static_cast<std::size_t>(kRate));
  r.duration = 45;
  for (const int rate : {8000, 44100, 192000}) {
    const std::vector<float> x = render(r, rate, 20, 1);
    EXPECT_EQ(x.size(), static_cast<std::size_t>(rate));
    EXPECT_GT(rms(x), 0.01);
  }
  EXPECT_THAT(message_of<UsageError>([&] { DemoSound(r, 400); }), HasSubstr("a sample rate of 400 Hz"));
  r.genre = "polka";
  EXPECT_THAT(message_of<UsageError>([&] { DemoSound(r, kRate); }), HasSubstr("'polka'"));
}

TEST(DemoSound, InstrumentsAreInTuneAndBeginAndEndSoftly) {
  constexpr double kPi2 = 2 * std::numbers::pi;
  for (int k = 0; k <= static_cast<int>(Kind::kHiss); ++k) {
    for (const double pitch : {45.0, 57.3, 69.0, 81.0}) {
      Instrument instrument(static_cast<Kind>(k), 0.6, kRate, Rng(3).stream("test", static_cast<std::uint64_t>(k)));
      std::vector<float> x(kRate);
      instrument.play(pitch, 10, 0.5f, 7, x);  // longer than there is room for
      float largest = 0;
      for (const float v : x) largest = std::max(largest, std::abs(v));
      EXPECT_GT(largest, 0.005f) << k;
      EXPECT_LT(largest, 4.f) << k;
      EXPECT_LT(std::abs(x.front()), 0.05f * largest) << k;
      EXPECT_LT(std::abs(x.back()), 0.01f * largest) << k;
      if (static_cast<Kind>(k) == Kind::kHiss) continue;
      // The loudest of frequencies near the pitch, by a Fourier sum under a Hann window.
      double best = 0, cents = 0;
      for (int c = -60; c <= 60; c += 3) {
        const double turn = hertz(pitch + c / 100.0) / kRate;
        double re = 0, im = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const auto t = static_cast<double>(i);
          const double w = x[i] * (1 - std::cos(kPi2 * t / static_cast<double>(x.size())));
          re += w * std::cos(kPi2 * turn * t), im += w * std::sin(kPi2 * turn * t);
        }
        if (std::hypot(re, im) > best) best = std::hypot(re, im), cents = c;
      }
      const bool sways = static_cast<Kind>(k) == Kind::kVoice || static_cast<Kind>(k) == Kind::kShout;
      EXPECT_LT(std::abs(cents), sways ? 30 : 13) << k << " at " << pitch;
    }
  }
}

TEST(DemoSound, EveryGenreHasABandWithWholePatterns) {
  ASSERT_EQ(bands().size(), kGenres);
  for (std::size_t g = 0; g < kGenres; ++g) {
    const Band& band = bands()[g];
    EXPECT_EQ(band.genre, genres()[g].slug);
    for (const auto* patterns : {&band.comp, &band.bassline, &band.textures}) {
      for (const char* pattern : *patterns) {
        const std::string_view text = pattern;
        EXPECT_EQ(text.size(), 16u) << band.genre << ": " << text;
        EXPECT_EQ(text.find_first_not_of(patterns == &band.bassline ? ".158w_H" : ".x-Pab"), std::string_view::npos);
      }
    }
  }
}

TEST(DemoSound, IsHeardThroughTheLoader) {
  DatasetRegistry registry;
  segue_register_dataset_demo(registry);
  const auto loader = registry.find("demo").make();
  const AudioRecipe r = recipe_of(5);
  const auto sound = loader->sound(to_text(r), kRate);
  std::vector<float> second(kRate);
  ASSERT_EQ(sound->read(second), second.size());
  EXPECT_EQ(second, render(r, kRate, 0, 1));
  EXPECT_THAT(loader->sound_identity(to_text(r)), HasSubstr(to_text(r)));
  EXPECT_THAT(message_of<DataError>([&] { loader->sound("music/track.flac", kRate); }),
              HasSubstr("'music/track.flac' does not begin with 'demo:'"));
}

}  // namespace
}  // namespace segue::demo
