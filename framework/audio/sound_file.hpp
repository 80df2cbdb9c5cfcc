// Sound files as one mono signal of a wanted sample rate, read piece by piece: WAV, FLAC, Ogg Vorbis, Opus, MP3 and
// what else libsndfile reads. Channels are averaged, then resampled by soxr (high quality, as librosa.load has it).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace segue::audio {

struct SoundInfo {
  int sample_rate = 0;  // Hz, of the file
  int channels = 0;
  std::uint64_t frames = 0;  // samples a channel, as the file declares
  std::string format;        // "FLAC", "MP3", ...
  double seconds() const { return static_cast<double>(frames) / sample_rate; }
};

// A signal that can be read twice.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual int sample_rate() const = 0;  // Hz
  // The next samples, mono, nominally in [-1, 1]; fewer than out.size() only at the end, 0 from then on.
  virtual std::size_t read(std::span<float> out) = 0;
  virtual void rewind() = 0;
  // Of the whole, at sample_rate(), as declared: a file may hold a little more or less.
  virtual std::uint64_t samples() const = 0;
  // What is read next, from the start; beyond the end there is nothing. Reads up to there unless overridden.
  virtual void seek(std::uint64_t sample);
};

// A part of a signal, as if there were no more. The whole must outlive it.
class Excerpt final : public SampleSource {
 public:
  // In samples; what lies beyond the end of the whole is left out.
  Excerpt(SampleSource& whole, std::uint64_t from, std::uint64_t count);
  // `seconds` from the middle, or the whole where it is no longer.
  static Excerpt middle(SampleSource& whole, double seconds);

  int sample_rate() const override { return whole_->sample_rate(); }
  std::size_t read(std::span<float> out) override;
  void rewind() override { seek(0); }
  std::uint64_t samples() const override { return count_; }
  void seek(std::uint64_t sample) override;

 private:
  SampleSource* whole_;
  std::uint64_t from_, count_, at_ = 0;
};

class SoundFile final : public SampleSource {
 public:
  // sample_rate: what read() gives; 0: the file's own. DataError where the file cannot be opened, is empty, or holds no
  // sound: the message names it and says what it is instead.
  explicit SoundFile(const std::filesystem::path& path, int sample_rate = 0);
  ~SoundFile() override;

  const SoundInfo& info() const { return info_; }
  int sample_rate() const override { return rate_; }
  // DataError where a sample is not a finite number (naming the second), or where the file ends before what it
  // declares, unless may_be_short().
  std::size_t read(std::span<float> out) override;
  void rewind() override { seek(0); }
  std::uint64_t samples() const override;
  // Where the file is resampled, what is read is that of the whole within 1e-6, since the resampler begins anew 0.1 s
  // earlier.
  void seek(std::uint64_t sample) override;

  // Takes a truncated file for what there is of it.
  void may_be_short(bool allowed = true) { may_be_short_ = allowed; }
  // Where it ended early: the seconds that were read. Known at the end.
  std::optional<double> ended_at() const { return ended_at_; }

 private:
  struct Impl;
  std::size_t read_mono(std::span<float> out);

  std::filesystem::path path_;
  SoundInfo info_;
  int rate_ = 0;
  bool may_be_short_ = false;
  std::optional<double> ended_at_;
  std::unique_ptr<Impl> impl_;
};

// Samples in memory.
class SampleBuffer final : public SampleSource {
 public:
  SampleBuffer(std::vector<float> samples, int sample_rate) : samples_(std::move(samples)), rate_(sample_rate) {}
  int sample_rate() const override { return rate_; }
  std::size_t read(std::span<float> out) override;
  void rewind() override { at_ = 0; }
  std::uint64_t samples() const override { return samples_.size(); }
  void seek(std::uint64_t sample) override {
    at_ = static_cast<std::size_t>(std::min<std::uint64_t>(sample, samples_.size()));
  }

 private:
  std::vector<float> samples_;
  int rate_;
  std::size_t at_ = 0;
};

// All of a signal; for short ones.
std::vector<float> read_all(SampleSource& source);
// `seconds` of it from second `from` on: less where it ends earlier.
std::vector<float> read_excerpt(SampleSource& source, double from, double seconds);

// At another rate, by the resampler that files go through.
std::vector<float> resampled(std::vector<float> samples, int from, int to);

// What a signal becomes as MP3 of a constant bit rate and back: as many samples as before, in their places (decoders
// drop the delay that the encoder notes). UsageError for a rate of samples or bits that MP3 does not have;
// EnvironmentError where libsndfile was built without an encoder.
struct Mp3 {
  std::vector<float> samples;
  std::size_t bytes = 0;  // of the encoded file
};
Mp3 through_mp3(std::span<const float> samples, int sample_rate, int kbit_per_second);

// Mono 16-bit WAV. EnvironmentError where it cannot be written.
void write_wav(const std::filesystem::path& path, std::span<const float> samples, int sample_rate);
// What is left to be read of a signal, piece by piece.
void write_wav(const std::filesystem::path& path, SampleSource& source);

}  // namespace segue::audio
