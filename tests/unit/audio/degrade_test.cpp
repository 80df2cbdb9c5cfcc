// Degradations do what their names say: gain and noise are measured, MP3's size and place too.
#include "framework/audio/degrade.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "framework/audio/sound_file.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"

namespace segue::audio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

double power(std::span<const float> x) {
  double sum = 0;
  for (const float s : x) sum += static_cast<double>(s) * static_cast<double>(s);
  return sum / static_cast<double>(x.size());
}
// A slow sweep under plucked notes: nothing in it repeats, so that a shift would be seen.
std::vector<float> sweep(double seconds, int rate) {
  std::vector<float> out(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / rate;
    out[i] = static_cast<float>(0.4 * std::exp(-3 * std::fmod(t, 0.37)) *
                                std::sin(2 * std::numbers::pi * (200 * t + 150 * t * t)));
  }
  return out;
}
std::vector<float> difference(std::span<const float> a, std::span<const float> b) {
  std::vector<float> out(a.begin(), a.end());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= b[i];
  return out;
}

TEST(Degrade, GainIsExact) {
  const std::vector<float> x = sweep(1, 22050), y = with_gain(x, -12);
  const auto factor = static_cast<float>(std::pow(10, -0.6));
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], factor * x[i]);
  EXPECT_NEAR(10 * std::log10(power(y) / power(x)), -12, 1e-4);
}

TEST(Degrade, NoiseIsThatFarBelowAndWhite) {
  const std::vector<float> x = sweep(10, 22050);
  for (const double snr : {0.0, 20.0, 40.0}) {
    const std::vector<float> noise = difference(with_noise(x, snr, Rng(7)), x);
    EXPECT_NEAR(10 * std::log10(power(x) / power(noise)), snr, 0.1);
    double neighbours = 0;  // of white noise: no correlation, 1/sqrt(n) at most
    for (std::size_t i = 1; i < noise.size(); ++i)
      neighbours += static_cast<double>(noise[i]) * static_cast<double>(noise[i - 1]);
    EXPECT_LT(std::abs(neighbours / (power(noise) * static_cast<double>(noise.size()))), 0.01);
  }
  EXPECT_EQ(with_noise(x, 20, Rng(7)), with_noise(x, 20, Rng(7)));
  EXPECT_NE(with_noise(x, 20, Rng(7)), with_noise(x, 20, Rng(8)));
  EXPECT_EQ(with_noise({0, 0, 0}, 20, Rng(7)), std::vector<float>({0, 0, 0}));
}

TEST(Degrade, Mp3HasItsBitRateAndComesBackInPlace) {
  for (const auto& [rate, kbit] : {std::pair{44100, 64}, {44100, 128}, {44100, 320}, {22050, 64}, {22050, 8}}) {
    const std::vector<float> x = sweep(10, rate);
    const Mp3 mp3 = through_mp3(x, rate, kbit);
    // Whole frames, of which one holds the header, and the encoder's delay.
    EXPECT_NEAR(static_cast<double>(mp3.bytes), 10 * kbit * 125, 0.02 * 10 * kbit * 125 + 1100) << rate << " " << kbit;
    ASSERT_EQ(mp3.samples.size(), x.size());
    if (kbit < 64) continue;
    std::ptrdiff_t best = 0;
    double largest = 0;
    for (std::ptrdiff_t lag = -2500; lag <= 2500; ++lag) {
      double sum = 0;
      for (std::size_t i = 3000; i + 3000 < x.size(); i += 16)
        sum += static_cast<double>(x[i]) *
               static_cast<double>(mp3.samples[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(i) + lag)]);
      if (sum > largest) largest = sum, best = lag;
    }
    EXPECT_EQ(best, 0) << rate << " " << kbit;
    EXPECT_GT(10 * std::log10(power(x) / power(difference(x, mp3.samples))), 15) << rate << " " << kbit;
  }
  // Dearer is nearer.
  const std::vector<float> x = sweep(5, 44100);
  EXPECT_LT(power(difference(x, through_mp3(x, 44100, 128).samples)),
            power(difference(x, through_mp3(x, 44100, 32).samples)));
  EXPECT_THAT(test::message_of<UsageError>([&] { through_mp3(x, 44100, 8); }), HasSubstr("32 to 320 kbit/s"));
  EXPECT_THAT(test::message_of<UsageError>([&] { through_mp3(x, 96000, 64); }), HasSubstr("96000 Hz"));
  for (const std::size_t n : {0, 1, 300, 1200})
    EXPECT_EQ(through_mp3(std::span(x).first(n), 44100, 64).samples.size(), n);
}

TEST(Degrade, MiddleIsTheMiddle) {
  EXPECT_EQ(middle(std::vector<float>{1, 2, 3, 4, 5}, 1, 3), std::vector<float>({2, 3, 4}));
  EXPECT_EQ(middle(std::vector<float>{1, 2}, 1, 3), std::vector<float>({1, 2}));
}

TEST(Degrade, ListsAreParsedOrRefused) {
  const std::vector<Degradation> list = parse_degradations("gain:-12,noise:20,mp3:64,crop:2.5");
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].text(), "gain:-12");
  EXPECT_EQ(list[3].text(), "crop:2.5");
  const std::vector<float> x = sweep(4, 22050);
  EXPECT_EQ(degraded(x, 22050, list[0], Rng(1)), with_gain(x, -12));
  EXPECT_EQ(degraded(x, 22050, list[1], Rng(1)), with_noise(x, 20, Rng(1)));
  EXPECT_EQ(degraded(x, 22050, list[2], Rng(1)), through_mp3(x, 22050, 64).samples);
  EXPECT_EQ(degraded(x, 22050, list[3], Rng(1)), middle(x, 22050, 2.5));
  for (const char* bad : {"", "noise", "hum:3", "noise:", "noise:x", "mp3:64.5", "gain:-12,", "gain:200"})
    EXPECT_THROW(parse_degradations(bad), UsageError) << bad;
  EXPECT_THAT(test::message_of<UsageError>([] { parse_degradations("hum:3"); }),
              AllOf(HasSubstr("hum:3"), HasSubstr("noise:<dB SNR>")));
}

TEST(Resampled, KeepsATone) {
  std::vector<float> x(44100), expected(22050);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 44100));
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = x[2 * i];
  const std::vector<float> y = resampled(x, 44100, 22050);
  ASSERT_EQ(y.size(), expected.size());
  EXPECT_LT(power(difference(std::span(y).subspan(500, 21000), std::span(expected).subspan(500, 21000))), 1e-9);
  EXPECT_EQ(resampled(x, 44100, 44100), x);
}

TEST(SampleBuffer, GivesExcerpts) {
  SampleBuffer source({0, 1, 2, 3, 4, 5, 6, 7}, 2);
  EXPECT_EQ(read_excerpt(source, 1, 1.5), std::vector<float>({2, 3, 4}));
  source.rewind();
  EXPECT_EQ(read_excerpt(source, 3, 9), std::vector<float>({6, 7}));
  source.rewind();
  EXPECT_TRUE(read_excerpt(source, 4, 1).empty());
  source.rewind();
  EXPECT_EQ(read_all(source).size(), 8u);
}

}  // namespace
}  // namespace segue::audio
