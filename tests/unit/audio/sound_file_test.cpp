// Sound files of every format, rate and number of channels, and what is broken about files that people have.
#include "framework/audio/sound_file.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <sndfile.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::audio {
namespace {

constexpr int kRate = 22050;

using testing::AllOf;
using testing::HasSubstr;

std::vector<float> tone(std::size_t n, double hz, int rate) {
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  return out;
}

// Channel c holds the signal times c + 1, over the mean of those, so that the mean of all is the signal.
void write(const std::filesystem::path& path, int format, const std::vector<float>& mono, int rate, int channels = 1) {
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  std::vector<float> all;
  for (const float x : mono)
    for (int c = 0; c < channels; ++c)
      all.push_back(x * static_cast<float>(2 * (c + 1)) / static_cast<float>(channels + 1));
  EXPECT_EQ(sf_writef_float(file, all.data(), static_cast<sf_count_t>(mono.size())),
            static_cast<sf_count_t>(mono.size()));
  sf_close(file);
}

double rms_of_difference(std::span<const float> a, std::span<const float> b, std::size_t skip) {
  double sum = 0;
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = skip; i + skip < n; ++i)
    sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  return std::sqrt(sum / static_cast<double>(n - 2 * skip));
}

TEST(SoundFile, ReadsEveryFormat) {
  const test::TempFolder folder;
  const std::vector<float> x = tone(48000, 440, 48000);
  const struct {
    const char *name, *format;
    int code;
    double noise;
  } formats[] = {{"a.wav", "WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2e-5},
                 {"b.wav", "WAV", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1e-7},
                 {"c.flac", "FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1e-7},
                 {"d.ogg", "Ogg Vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0.02},
                 {"e.opus", "Opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0.05},
                 {"f.aiff", "AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 2e-5},
                 {"g.mp3", "MP3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.02}};
  for (const auto& f : formats) {
    write(folder.path() / f.name, f.code, x, 48000, 2);
    SoundFile sound(folder.path() / f.name);
    EXPECT_EQ(sound.info().format, f.format);
    EXPECT_EQ(sound.info().sample_rate, 48000);
    EXPECT_EQ(sound.info().channels, 2);
    EXPECT_EQ(sound.sample_rate(), 48000);
    const std::vector<float> read = read_all(sound);
    EXPECT_NEAR(static_cast<double>(read.size()), 48000, 2304) << f.name;
    EXPECT_LT(rms_of_difference(read, x, 4000), f.noise) << f.name;
    sound.rewind();
    EXPECT_EQ(read_all(sound), read) << f.name << " read again";
  }
}

TEST(SoundFile, AveragesChannelsAndResamples) {
  const test::TempFolder folder;
  for (const auto& [rate, channels] : {std::pair{8000, 1}, {44100, 2}, {96000, 8}, {22050, 1}}) {
    const auto path = folder.path() / "a.wav";
    const auto seconds = std::size_t{3};
    write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, tone(seconds * static_cast<std::size_t>(rate), 440, rate), rate,
          channels);
    SoundFile sound(path, 22050);
    EXPECT_EQ(sound.sample_rate(), 22050);
    const std::vector<float> read = read_all(sound), expected = tone(seconds * 22050, 440, 22050);
    EXPECT_NEAR(static_cast<double>(read.size()), static_cast<double>(expected.size()), 1) << rate;
    EXPECT_LT(rms_of_difference(read, expected, 2000), 1e-5) << rate;
    sound.rewind();
    EXPECT_EQ(read_all(sound), read) << rate;
    // In odd pieces, too.
    sound.rewind();
    std::vector<float> pieces, piece(997);
    while (const std::size_t n = sound.read(piece))
      pieces.insert(pieces.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(pieces, read) << rate;
  }
}

TEST(SoundFile, SaysWhatIsWrong) {
  const test::TempFolder folder;
  const auto refusal = [&](const std::string& name) {
    return test::message_of<DataError>([&] {
      SoundFile sound(folder.path() / name);
      read_all(sound);
    });
  };
  EXPECT_THAT(refusal("none.wav"), HasSubstr("none.wav: no such file"));
  EXPECT_THAT(test::message_of<DataError>([&] { SoundFile sound(folder.path()); }), HasSubstr("a folder"));
  std::ofstream(folder.path() / "empty.wav").flush();
  EXPECT_THAT(refusal("empty.wav"), HasSubstr("the file is empty"));
  std::ofstream(folder.path() / "text.wav") << "a shopping list\n";
  EXPECT_THAT(refusal("text.wav"), AllOf(HasSubstr("text.wav: not a sound file"), HasSubstr("FLAC")));
  write(folder.path() / "nothing.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, {}, 44100);
  EXPECT_THAT(refusal("nothing.wav"), HasSubstr("holds no sound"));
  std::vector<float> x = tone(30000, 440, 10000);
  x[20000] = std::numeric_limits<float>::quiet_NaN();
  write(folder.path() / "nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, x, 10000);
  EXPECT_THAT(refusal("nan.wav"), HasSubstr("at 2.000 s a sample is not a finite number"));
}

TEST(SoundFile, TellsATruncatedFileFromAShortOne) {
  const test::TempFolder folder;
  const auto path = folder.path() / "a.mp3";
  write(path, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, tone(44100 * 20, 440, 44100), 44100);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  testing::internal::CaptureStderr();
  const std::string message = test::message_of<DataError>([&] {
    SoundFile sound(path);
    read_all(sound);
  });
  EXPECT_THAT(message, AllOf(HasSubstr("a.mp3: ends after "), HasSubstr("of the 20.0"), HasSubstr("truncated")));
  SoundFile sound(path, 22050);
  sound.may_be_short();
  EXPECT_NEAR(static_cast<double>(read_all(sound).size()), 10 * 22050, 22050);
  ASSERT_TRUE(sound.ended_at());
  EXPECT_NEAR(*sound.ended_at(), 10, 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(SoundFile, AHundredthOfASecondIsASignalToo) {
  const test::TempFolder folder;
  const auto path = folder.path() / "short.wav";
  write_wav(path, tone(441, 440, 44100), 44100);
  SoundFile sound(path, 22050);
  EXPECT_NEAR(static_cast<double>(read_all(sound).size()), 220, 1);
}

TEST(SoundFile, WritesWhatItReads) {
  const test::TempFolder folder;
  std::vector<float> x = tone(5000, 440, 22050);
  x[7] = 1.5f;  // clipped, not wrapped
  write_wav(folder.path() / "a.wav", x, 22050);
  SoundFile sound(folder.path() / "a.wav");
  const std::vector<float> read = read_all(sound);
  ASSERT_EQ(read.size(), x.size());
  EXPECT_GT(read[7], 0.99f);
  for (std::size_t i = 8; i < x.size(); ++i) EXPECT_NEAR(read[i], x[i], 1.0f / 32768);
  EXPECT_THROW(write_wav(folder.path() / "no" / "a.wav", x, 22050), EnvironmentError);
  SampleBuffer source(x, 22050);
  write_wav(folder.path() / "b.wav", source);
  SoundFile piecewise(folder.path() / "b.wav");
  EXPECT_EQ(read_all(piecewise), read);
}

// From any second on a file gives what it would have given there anyway, resampled or not.
TEST(SoundFile, SeeksToAnySample) {
  const test::TempFolder folder;
  std::vector<float> x(96000);
  Rng rng(4);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(0.3 * std::sin(0.05 * static_cast<double>(i)) + 0.1 * rng.normal());
  write(folder.path() / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, x, 48000);
  write(folder.path() / "b.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, x, 48000, 2);
  write(folder.path() / "c.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, x, 48000, 2);
  write(folder.path() / "d.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, x, 48000);
  for (const char* name : {"a.wav", "b.flac", "c.mp3", "d.ogg"}) {
    for (const int rate : {48000, 44100, 22050}) {
      SoundFile file(folder.path() / name, rate);
      const std::vector<float> all = read_all(file);
      EXPECT_NEAR(static_cast<double>(file.samples()), 2.0 * rate, rate == 48000 ? 2304 : 1200) << name;
      for (const std::size_t from : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, all.size() - 3000}) {
        file.seek(from);
        const std::vector<float> rest = read_all(file);
        ASSERT_NEAR(static_cast<double>(rest.size()), static_cast<double>(all.size() - from), 1) << name << rate;
        const std::span<const float> same = std::span(all).subspan(from);
        EXPECT_LT(rms_of_difference(rest, same, 0), rate == 48000 ? 1e-7 : 2e-6) << name << ' ' << rate << ' ' << from;
      }
      file.seek(all.size() + 10000);
      EXPECT_TRUE(read_all(file).empty());
      file.rewind();
      EXPECT_EQ(read_all(file), all);
    }
  }
}

TEST(Excerpt, IsAPartThatCanBeReadTwice) {
  std::vector<float> x(10 * kRate);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  SampleBuffer whole(x, kRate);
  Excerpt middle = Excerpt::middle(whole, 4);
  EXPECT_EQ(middle.samples(), 4u * kRate);
  const std::vector<float> first = read_all(middle);
  ASSERT_EQ(first.size(), middle.samples());
  EXPECT_EQ(first.front(), 3 * kRate);
  middle.rewind();
  EXPECT_EQ(read_all(middle), first);
  middle.seek(100);
  EXPECT_EQ(read_all(middle).front(), first[100]);
  Excerpt all = Excerpt::middle(whole, 60);
  EXPECT_EQ(read_all(all), x);
  Excerpt beyond(whole, x.size() + 5, 10);
  EXPECT_TRUE(read_all(beyond).empty());
}

}  // namespace
}  // namespace segue::audio
