// Features where no reference is needed: against sums written out, on signals whose answer is known, and on the ends of
// what may come in.
#include "framework/audio/features.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/messages.hpp"

namespace segue::audio {
namespace {

using testing::HasSubstr;

std::vector<double> noise(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<double> out(n);
  for (double& x : out) x = 0.5 * rng.normal();
  return out;
}
std::vector<double> tone(std::size_t n, double hz, double amplitude = 0.5) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 22050);
  return out;
}
template <class T>
Features<T> extract(const std::vector<double>& signal, const FeatureSettings& settings = {},
                    std::size_t piece = 1 << 20, const WantedFeatures& wanted = {}) {
  FeatureExtractor<T> extractor(settings, wanted);
  const std::vector<T> x(signal.begin(), signal.end());
  do {
    for (std::size_t at = 0; at < x.size(); at += piece)
      extractor.push(std::span(x).subspan(at, std::min(piece, x.size() - at)));
  } while (extractor.finish());
  return extractor.take();
}

TEST(Fft, IsTheSumThatDefinesIt) {
  for (const std::size_t n : {1u, 2u, 7u, 64u, 720u}) {
    RealFft<double> fft(n);
    RealFft<float> single(n);
    const std::vector<double> x = noise(n, n);
    std::copy(x.begin(), x.end(), fft.time().begin());
    std::copy(x.begin(), x.end(), single.time().begin());
    fft.forward();
    single.forward();
    ASSERT_EQ(fft.bins(), n / 2 + 1);
    for (std::size_t k = 0; k < fft.bins(); ++k) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < n; ++i)
        sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * i % n) / static_cast<double>(n));
      EXPECT_NEAR(std::abs(fft.spectrum()[k] - sum), 0, 1e-12 * static_cast<double>(n));
      EXPECT_NEAR(std::abs(std::complex<double>(single.spectrum()[k]) - sum), 0, 1e-6 * static_cast<double>(n));
    }
    fft.backward();
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_NEAR(fft.time()[i], x[i] * static_cast<double>(n), 1e-11 * static_cast<double>(n));
  }
}

// Any length, in any pieces: the same frames to the bit.
TEST(Features, DoNotDependOnThePiecesOfTheSignal) {
  for (const std::size_t n : {1u, 511u, 512u, 513u, 2048u, 20000u}) {
    const std::vector<double> x = noise(n, 3);
    const Features<float> whole = extract<float>(x);
    EXPECT_EQ(whole.frames, 1 + n / 512) << n;
    EXPECT_EQ(whole.samples, n);
    for (const std::size_t piece : {1u, 100u, 512u, 2049u}) {
      const Features<float> pieces = extract<float>(x, {}, piece);
      ASSERT_EQ(pieces.frames, whole.frames);
      EXPECT_EQ(pieces.centroid, whole.centroid);
      EXPECT_EQ(pieces.zero_crossing_rate, whole.zero_crossing_rate);
      EXPECT_EQ(pieces.onset, whole.onset);
      for (std::size_t t = 0; t < whole.frames; ++t) {
        EXPECT_TRUE(std::ranges::equal(pieces.mfcc.row(t), whole.mfcc.row(t))) << t;
        EXPECT_TRUE(std::ranges::equal(pieces.chroma.row(t), whole.chroma.row(t))) << t;
      }
    }
  }
  EXPECT_EQ(extract<float>({}).frames, 0u);
}

// A signal too long to keep its spectra is asked for twice, and its chroma is that of one whose spectra are kept.
TEST(Features, ChromaOfALongSignalTakesASecondPass) {
  FeatureSettings settings;
  settings.sample_rate = 22050;
  settings.stft = {256, 16};
  settings.mel.bands = 20;
  const WantedFeatures few = WantedFeatures::few();
  const std::size_t n = 16 * 17000;
  const std::vector<double> x = tone(n, 466.16);
  FeatureExtractor<float> extractor(settings, few);
  const std::vector<float> signal(x.begin(), x.end());
  extractor.push(signal);
  ASSERT_TRUE(extractor.finish());
  extractor.push(signal);
  ASSERT_FALSE(extractor.finish());
  const Features<float> twice = extractor.take();
  ASSERT_EQ(twice.frames, 17001u);
  settings.tuning = twice.tuning;
  const Features<float> once = extract<float>(x, settings, 1 << 20, few);
  ASSERT_EQ(once.chroma.rows(), twice.chroma.rows());
  for (std::size_t t = 0; t < once.frames; ++t)
    ASSERT_TRUE(std::ranges::equal(once.chroma.row(t), twice.chroma.row(t))) << t;
}

TEST(Features, OfATone) {
  const Features<double> f = extract<double>(tone(22050, 440));
  for (std::size_t t = 4; t + 4 < f.frames; ++t) {
    EXPECT_NEAR(f.centroid[t], 440, 15) << t;
    EXPECT_NEAR(f.rms[t], 0.5 / std::numbers::sqrt2, 2e-3);
    EXPECT_NEAR(f.zero_crossing_rate[t], 2 * 440.0 / 22050, 1e-3);
    EXPECT_EQ(std::ranges::max_element(f.chroma.row(t)) - f.chroma.row(t).begin(), 9);  // A
    EXPECT_LT(f.flatness[t], 1e-3);
  }
  EXPECT_NEAR(f.tuning, 0, 0.05);
  EXPECT_NEAR(extract<double>(tone(22050, 440 * std::exp2(0.3 / 12))).tuning, 0.3, 0.05);
}

TEST(Features, OfNoiseAndOfSilence) {
  const Features<double> loud = extract<double>(noise(44100, 5)),
                         silent = extract<double>(std::vector<double>(44100, 0.0));
  for (std::size_t t = 4; t + 4 < loud.frames; ++t) {
    EXPECT_NEAR(loud.centroid[t], 22050 / 4.0, 500);
    EXPECT_GT(loud.flatness[t], 0.4);
    EXPECT_NEAR(loud.rolloff[t], 0.85 * 11025, 500);
  }
  for (std::size_t t = 0; t < silent.frames; ++t) {
    EXPECT_EQ(silent.centroid[t], 0);
    EXPECT_EQ(silent.rolloff[t], 0);
    EXPECT_EQ(silent.rms[t], 0);
    EXPECT_EQ(silent.zero_crossing_rate[t], 0);
    EXPECT_EQ(silent.onset[t], 0);
    EXPECT_NEAR(silent.flatness[t], 1, 1e-12);
    for (const double c : silent.chroma.row(t)) EXPECT_EQ(c, 0);
  }
}

TEST(Filters, TrianglesOfTheBanks) {
  MelSettings settings{10, 100, 4000, MelScale::kHtk, MelNorm::kNone};
  const std::vector<double> edges = mel_edges(settings, 22050);
  EXPECT_NEAR(edges.front(), 100, 1e-9);
  EXPECT_NEAR(edges.back(), 4000, 1e-9);
  EXPECT_NEAR(hz_to_mel(1000, MelScale::kHtk), 999.9855, 1e-3);  // the scale's anchor: 1000 Hz are 1000 mel
  EXPECT_NEAR(hz_to_mel(1000, MelScale::kSlaney), 15, 1e-12);
  EXPECT_NEAR(hz_to_mel(6400, MelScale::kSlaney), 15 + 27, 1e-12);  // 27 steps up to 6400 Hz
  for (const MelScale scale : {MelScale::kHtk, MelScale::kSlaney})
    for (const double hz : {0.0, 60.0, 999.0, 1001.0, 8000.0})
      EXPECT_NEAR(mel_to_hz(hz_to_mel(hz, scale), scale), hz, 1e-9);
  settings.norm = MelNorm::kSum;
  const Matrix<double> sums = mel_filters(settings, 22050, 2048);
  for (Eigen::Index b = 0; b < 10; ++b) EXPECT_NEAR(sums.row(b).sum(), 1, 1e-12);
  settings.norm = MelNorm::kArea;
  const Matrix<double> areas = mel_filters(settings, 22050, 2048);
  for (Eigen::Index b = 0; b < 10; ++b) EXPECT_NEAR(areas.row(b).sum() * 22050 / 2048, 1, 0.05);
  const Matrix<double> dct = dct_rows(20, 128), product = dct * dct.transpose();
  EXPECT_NEAR((product - Matrix<double>::Identity(20, 20)).cwiseAbs().maxCoeff(), 0, 1e-13);
}

TEST(Features, RefuseSettingsThatDoNotFit) {
  FeatureSettings settings;
  settings.mfcc = 129;
  EXPECT_THAT(test::message_of<UsageError>([&] { FeatureExtractor<float> e(settings); }), HasSubstr("129 MFCC of 128"));
  settings = {};
  settings.mel.high = 12000;
  EXPECT_THAT(test::message_of<UsageError>([&] { FeatureExtractor<float> e(settings); }), HasSubstr("11025"));
  settings = {};
  settings.sample_rate = 8000;
  EXPECT_THAT(test::message_of<UsageError>([&] { FeatureExtractor<float> e(settings); }),
              HasSubstr("spectral contrast"));
  FeatureSettings other;
  EXPECT_EQ(other.canonical(), FeatureSettings().canonical());
  other.tuning = 0;
  EXPECT_NE(other.canonical(), FeatureSettings().canonical());
}

TEST(Rhythm, TheMeanTempogramIsTheMeanOfLocalOnes) {
  std::vector<double> envelope = noise(700, 8);
  for (double& e : envelope) e = std::max(0.0, e);
  std::fill(envelope.begin(), envelope.begin() + 400, 0.0);  // windows without any energy count as zeros
  const Tempogram tempogram(FrameRate{});
  std::vector<std::size_t> frames(envelope.size());
  std::iota(frames.begin(), frames.end(), std::size_t{0});
  const Matrix<double> local = tempogram.local(envelope, frames);
  const std::vector<double> mean = tempogram.mean(envelope);
  ASSERT_EQ(mean.size(), 344u);
  for (std::size_t lag = 0; lag < mean.size(); ++lag)
    EXPECT_NEAR(mean[lag], local.col(static_cast<Eigen::Index>(lag)).mean(), 1e-12) << lag;
  EXPECT_TRUE(tempogram.mean({}).empty());
}

TEST(Rhythm, FindsBeatsOfClicks) {
  const FrameRate rate;
  std::vector<double> envelope(800, 0.0);
  for (std::size_t t = 10; t < envelope.size(); t += 22) envelope[t] = 1;
  EXPECT_EQ(onset_frames(envelope, rate).size(), 36u);
  EXPECT_NEAR(tempo_librosa(envelope, rate), 60 * rate.hz() / 22, 1e-9);
  const std::vector<std::size_t> beats = beat_frames(envelope, tempo_librosa(envelope, rate), rate);
  ASSERT_GT(beats.size(), 30u);
  for (const std::size_t b : beats) EXPECT_EQ(b % 22, 10u);
  EXPECT_TRUE(beat_frames(std::vector<double>(100, 0.0), 120, rate).empty());
  EXPECT_TRUE(onset_frames(std::vector<double>(100, 0.0), rate).empty());
  EXPECT_TRUE(beat_frames(std::vector<double>{1}, 120, rate).empty());
}

TEST(Pitch, KeysOfScales) {
  std::array<double, 12> chroma{};
  for (const std::size_t c : {0u, 2u, 4u, 5u, 7u, 9u, 11u}) chroma[c] = 1;
  chroma[0] = chroma[4] = chroma[7] = 2;
  EXPECT_EQ(to_text(estimate_key(chroma)), "C major");
  std::ranges::rotate(chroma, chroma.begin() + 10);  // up two semitones
  EXPECT_EQ(to_text(estimate_key(chroma)), "D major");
  chroma = {};
  for (const std::size_t c : {9u, 11u, 0u, 2u, 4u, 5u, 8u}) chroma[c] = 1;  // with its leading note
  chroma[9] = 2;
  chroma[0] = chroma[4] = 2;
  const Key key = estimate_key(chroma);
  EXPECT_EQ(to_text(key), "A minor");
  EXPECT_GT(key.lead, 0);
  EXPECT_EQ(estimate_key(std::array<double, 12>{}).correlation, 0);
}

}  // namespace
}  // namespace segue::audio
