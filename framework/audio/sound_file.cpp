#include "framework/audio/sound_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include <fcntl.h>
#include <sndfile.h>
#include <soxr.h>
#include <unistd.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr std::size_t kPiece = 1 << 14;      // frames decoded at once
constexpr unsigned long kQuality = SOXR_HQ;  // as librosa.load

// mpg123, which libsndfile decodes MP3 with, writes of every broken frame to stderr; Segue says it once, as an error.
// While one such object lives, the process's stderr leads nowhere.
class QuietStderr {
 public:
  explicit QuietStderr(bool wanted) : wanted_(wanted) {
    if (!wanted_) return;
    const std::lock_guard lock(mutex);
    if (users++ > 0) return;
    saved = ::dup(STDERR_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) return;
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  ~QuietStderr() {
    if (!wanted_) return;
    const std::lock_guard lock(mutex);
    if (--users > 0 || saved < 0) return;
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    saved = -1;
  }
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  static inline std::mutex mutex;
  static inline int users = 0, saved = -1;
  bool wanted_;
};

bool is_mp3(int format) {
  return (format & SF_FORMAT_SUBMASK) >= SF_FORMAT_MPEG_LAYER_I &&
         (format & SF_FORMAT_SUBMASK) <= SF_FORMAT_MPEG_LAYER_III;
}

std::string format_name(int format) {
  if (is_mp3(format)) return "MP3";
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_VORBIS:
      return "Ogg Vorbis";
    case SF_FORMAT_OPUS:
      return "Opus";
    default:
      break;
  }
  SF_FORMAT_INFO info{};
  info.format = format & SF_FORMAT_TYPEMASK;
  if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof info) == 0 && info.name) {
    const std::string name = info.name;
    return name.substr(0, name.find(' '));
  }
  return "sound";
}

}  // namespace

struct SoundFile::Impl {
  SNDFILE* file = nullptr;
  bool mp3 = false;
  std::uint64_t done = 0;  // frames decoded
  bool ended = false;
  std::vector<float> interleaved;
  soxr_t resampler = nullptr;
  std::vector<float> mono;  // what waits for the resampler, from `used`
  std::size_t used = 0;

  ~Impl() {
    const QuietStderr quiet(mp3);
    if (resampler) soxr_delete(resampler);
    if (file) sf_close(file);
  }
};

SoundFile::SoundFile(const std::filesystem::path& path, int sample_rate)
    : path_(path), impl_(std::make_unique<Impl>()) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw DataError("{}: no such file", path.string());
  if (std::filesystem::is_directory(status)) throw DataError("{}: a folder, not a sound file", path.string());
  if (std::filesystem::file_size(path, error) == 0 && !error) throw DataError("{}: the file is empty", path.string());
  SF_INFO info{};
  {
    const QuietStderr quiet(true);
    impl_->file = sf_open(path.c_str(), SFM_READ, &info);
  }
  if (!impl_->file) {
    std::string reason = sf_strerror(nullptr);
    while (!reason.empty() && (reason.back() == '.' || reason.back() == '\n')) reason.pop_back();
    throw DataError("{}: not a sound file that can be read ({}); WAV, FLAC, Ogg Vorbis, Opus and MP3 can",
                    path.string(), reason);
  }
  impl_->mp3 = is_mp3(info.format);
  info_ = {info.samplerate, info.channels, static_cast<std::uint64_t>(std::max<sf_count_t>(info.frames, 0)),
           format_name(info.format)};
  if (info_.sample_rate <= 0 || info_.channels <= 0)
    throw DataError("{}: declares {} channels at {} Hz", path.string(), info_.channels, info_.sample_rate);
  if (info_.frames == 0) throw DataError("{}: holds no sound", path.string());
  rate_ = sample_rate > 0 ? sample_rate : info_.sample_rate;
  impl_->interleaved.resize(kPiece * static_cast<std::size_t>(info_.channels));
  seek(0);
}

SoundFile::~SoundFile() = default;

std::uint64_t SoundFile::samples() const { return static_cast<std::uint64_t>(std::llround(info_.seconds() * rate_)); }

void SoundFile::seek(std::uint64_t sample) {
  const bool resampled = rate_ != info_.sample_rate;
  const std::uint64_t lead = resampled ? std::min<std::uint64_t>(sample, static_cast<std::uint64_t>(rate_) / 10) : 0;
  // The resampler must begin at a sample that both rates share, or everything is shifted by a part of one.
  const auto shared = static_cast<std::uint64_t>(rate_ / std::gcd(rate_, info_.sample_rate));
  const std::uint64_t begin = (sample - lead) / shared * shared;
  const std::uint64_t frame =
      begin / static_cast<std::uint64_t>(rate_) * static_cast<std::uint64_t>(info_.sample_rate) +
      begin % static_cast<std::uint64_t>(rate_) * static_cast<std::uint64_t>(info_.sample_rate) /
          static_cast<std::uint64_t>(rate_);
  if (frame != impl_->done) {
    const QuietStderr quiet(impl_->mp3);
    const auto to = static_cast<sf_count_t>(std::min(frame, info_.frames));
    if (sf_seek(impl_->file, to, SEEK_SET) != to)
      throw DataError("{}: cannot be read from second {:.2f} on", path_.string(),
                      static_cast<double>(frame) / info_.sample_rate);
  }
  impl_->done = std::min(frame, info_.frames);
  impl_->ended = false;
  impl_->used = 0;
  impl_->mono.clear();
  ended_at_.reset();
  if (!resampled) return;
  if (impl_->resampler) soxr_delete(impl_->resampler);
  impl_->resampler = nullptr;
  const soxr_quality_spec_t quality = soxr_quality_spec(kQuality, 0);
  soxr_error_t error = nullptr;
  impl_->resampler = soxr_create(info_.sample_rate, rate_, 1, &error, nullptr, &quality, nullptr);
  if (error)
    throw DataError("{}: {} Hz cannot be resampled to {} Hz ({})", path_.string(), info_.sample_rate, rate_, error);
  std::vector<float> unheard(static_cast<std::size_t>(sample - begin));
  if (!unheard.empty()) read(unheard);
}

// At the file's own rate.
std::size_t SoundFile::read_mono(std::span<float> out) {
  const auto channels = static_cast<std::size_t>(info_.channels);
  std::size_t given = 0;
  while (given < out.size() && !impl_->ended) {
    const std::size_t wanted = std::min(kPiece, out.size() - given);
    sf_count_t got = 0;
    {
      const QuietStderr quiet(impl_->mp3);
      got = sf_readf_float(impl_->file, impl_->interleaved.data(), static_cast<sf_count_t>(wanted));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += impl_->interleaved[i * channels + c];
      out[given + i] = sum / static_cast<float>(channels);
      if (!std::isfinite(sum))
        throw DataError("{}: at {:.3f} s a sample is not a finite number", path_.string(),
                        static_cast<double>(impl_->done + i) / info_.sample_rate);
    }
    given += static_cast<std::size_t>(got);
    impl_->done += static_cast<std::uint64_t>(got);
    if (static_cast<std::size_t>(got) < wanted) impl_->ended = true;
  }
  // Decoders of MP3 may count the encoder's padding, under two of its frames of 1152 samples, otherwise than its
  // header.
  constexpr std::uint64_t kPadding = 2304;
  if (impl_->ended && impl_->done + kPadding < info_.frames) {
    ended_at_ = static_cast<double>(impl_->done) / info_.sample_rate;
    if (!may_be_short_)
      throw DataError("{}: ends after {:.2f} s of the {:.2f} s that it declares: the file is truncated or damaged",
                      path_.string(), *ended_at_, info_.seconds());
  }
  return given;
}

std::size_t SoundFile::read(std::span<float> out) {
  if (rate_ == info_.sample_rate) return read_mono(out);
  std::size_t given = 0;
  while (given < out.size()) {
    if (impl_->used == impl_->mono.size()) {
      impl_->mono.resize(kPiece);
      impl_->mono.resize(read_mono(impl_->mono));
      impl_->used = 0;
    }
    const bool last = impl_->mono.empty();  // the resampler gives what it still holds
    std::size_t taken = 0, made = 0;
    if (soxr_process(impl_->resampler, last ? nullptr : impl_->mono.data() + impl_->used,
                     last ? 0 : impl_->mono.size() - impl_->used, &taken, out.data() + given, out.size() - given,
                     &made))
      throw DataError("{}: cannot be resampled", path_.string());
    impl_->used += taken;
    given += made;
    if (last && made == 0) break;
  }
  return given;
}

std::vector<float> resampled(std::vector<float> samples, int from, int to) {
  if (from == to || samples.empty()) return samples;
  const soxr_quality_spec_t quality = soxr_quality_spec(kQuality, 0);
  std::vector<float> out(static_cast<std::size_t>(
      std::llround(static_cast<double>(samples.size()) * static_cast<double>(to) / static_cast<double>(from))));
  std::size_t made = 0;
  if (const soxr_error_t error = soxr_oneshot(from, to, 1, samples.data(), samples.size(), nullptr, out.data(),
                                              out.size(), &made, nullptr, &quality, nullptr))
    throw UsageError("{} Hz cannot be resampled to {} Hz ({})", from, to, error);
  out.resize(made);
  return out;
}

namespace {

// A file in memory, for libsndfile.
struct MemoryFile {
  std::vector<unsigned char> bytes;
  sf_count_t at = 0;

  static MemoryFile& of(void* user) { return *static_cast<MemoryFile*>(user); }
  static sf_count_t length(void* user) { return static_cast<sf_count_t>(of(user).bytes.size()); }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    MemoryFile& file = of(user);
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : length(user);
    return file.at = std::clamp<sf_count_t>(base + offset, 0, length(user));
  }
  static sf_count_t read(void* to, sf_count_t count, void* user) {
    MemoryFile& file = of(user);
    const sf_count_t n = std::min(count, length(user) - file.at);
    std::copy_n(file.bytes.begin() + file.at, n, static_cast<unsigned char*>(to));
    file.at += n;
    return n;
  }
  static sf_count_t write(const void* from, sf_count_t count, void* user) {
    MemoryFile& file = of(user);
    const auto end = static_cast<std::size_t>(file.at + count);
    if (end > file.bytes.size()) file.bytes.resize(end);
    std::copy_n(static_cast<const unsigned char*>(from), count, file.bytes.begin() + file.at);
    file.at += count;
    return count;
  }
  static sf_count_t tell(void* user) { return of(user).at; }
};

struct Closed {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Handle = std::unique_ptr<SNDFILE, Closed>;

// Asked before the library is: where it refuses a rate it has already made an encoder, and loses it.
bool mp3_has(int sample_rate) {
  constexpr std::array kRates = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
  return std::ranges::find(kRates, sample_rate) != kRates.end();
}

// Bit rates of MPEG-1, 2 and 2.5 Layer III; between these ends libsndfile maps a compression level of 0 to 1 linearly.
std::pair<int, int> mp3_bit_rates(int sample_rate) {
  if (sample_rate >= 32000) return {32, 320};
  if (sample_rate >= 16000) return {8, 160};
  return {8, 64};
}

}  // namespace

Mp3 through_mp3(std::span<const float> samples, int sample_rate, int kbit_per_second) {
  if (!mp3_has(sample_rate)) throw UsageError("MP3 has no sample rate of {} Hz", sample_rate);
  const auto [lowest, highest] = mp3_bit_rates(sample_rate);
  if (kbit_per_second < lowest || kbit_per_second > highest)
    throw UsageError("MP3 at {} Hz has {} to {} kbit/s, not {}", sample_rate, lowest, highest, kbit_per_second);
  Mp3 out;
  if (samples.empty()) return out;
  SF_VIRTUAL_IO io{MemoryFile::length, MemoryFile::seek, MemoryFile::read, MemoryFile::write, MemoryFile::tell};
  MemoryFile memory;
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = 1;
  info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  Handle file(sf_open_virtual(&io, SFM_WRITE, &info, &memory));
  if (!file)
    throw EnvironmentError("libsndfile cannot write MP3 ({}); version 1.1 and later can, where built with LAME",
                           sf_strerror(nullptr));
  int mode = SF_BITRATE_MODE_CONSTANT;
  sf_command(file.get(), SFC_SET_BITRATE_MODE, &mode, sizeof mode);
  // Half a kbit/s above, since the library cuts off what follows the point.
  double level = std::max(0.0, (highest - kbit_per_second - 0.5) / (highest - lowest));
  if (sf_command(file.get(), SFC_SET_COMPRESSION_LEVEL, &level, sizeof level) != SF_TRUE)
    throw EnvironmentError("libsndfile refuses MP3 of {} kbit/s", kbit_per_second);
  const auto n = static_cast<sf_count_t>(samples.size());
  if (sf_writef_float(file.get(), samples.data(), n) != n)
    throw EnvironmentError("libsndfile cannot write MP3 ({})", sf_strerror(file.get()));
  file.reset();
  out.bytes = memory.bytes.size();
  memory.at = 0;
  info = {};
  file.reset(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (!file) throw EnvironmentError("libsndfile cannot read the MP3 that it wrote ({})", sf_strerror(nullptr));
  out.samples.resize(samples.size());
  out.samples.resize(static_cast<std::size_t>(sf_readf_float(file.get(), out.samples.data(), n)));
  return out;
}

namespace {

class WavFile {
 public:
  WavFile(const std::filesystem::path& path, int sample_rate) : path_(path) {
    SF_INFO info{};
    info.samplerate = sample_rate;
    info.channels = 1;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    file_.reset(sf_open(path.c_str(), SFM_WRITE, &info));
    if (!file_) throw EnvironmentError("{}: cannot be written ({})", path.string(), sf_strerror(nullptr));
    sf_command(file_.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  }
  void add(std::span<const float> samples) {
    const sf_count_t n = sf_writef_float(file_.get(), samples.data(), static_cast<sf_count_t>(samples.size()));
    written_ += static_cast<std::uint64_t>(n);
    asked_ += samples.size();
    if (written_ != asked_) throw_short();
  }
  void close() {
    if (sf_close(file_.release()) != 0) throw_short();
  }

 private:
  struct Close {
    void operator()(SNDFILE* file) const { sf_close(file); }
  };
  [[noreturn]] void throw_short() const {
    throw EnvironmentError("{}: only {} of {} samples could be written", path_.string(), written_, asked_);
  }

  std::filesystem::path path_;
  std::unique_ptr<SNDFILE, Close> file_;
  std::uint64_t written_ = 0, asked_ = 0;
};

}  // namespace

void write_wav(const std::filesystem::path& path, std::span<const float> samples, int sample_rate) {
  WavFile file(path, sample_rate);
  file.add(samples);
  file.close();
}

void write_wav(const std::filesystem::path& path, SampleSource& source) {
  WavFile file(path, source.sample_rate());
  std::vector<float> piece(kPiece);
  while (const std::size_t n = source.read(piece)) file.add({piece.data(), n});
  file.close();
}

}  // namespace segue::audio
