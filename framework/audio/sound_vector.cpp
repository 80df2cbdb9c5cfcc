#include "framework/audio/sound_vector.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr int kDefinition = 1;  // raise when the parts of a vector change, or their order
constexpr std::size_t kMfcc = 20, kCovariance = kMfcc * (kMfcc + 1) / 2;

// Peaks are picked from what others read, the first time that it is read.
class Overheard final : public SampleSource {
 public:
  Overheard(SampleSource& source, PeakPicker& picker) : source_(&source), picker_(&picker) {}
  int sample_rate() const override { return source_->sample_rate(); }
  std::uint64_t samples() const override { return source_->samples(); }
  std::size_t read(std::span<float> out) override {
    const std::size_t got = source_->read(out);
    if (first_) picker_->push(out.first(got));
    return got;
  }
  void rewind() override {
    first_ = false;
    source_->rewind();
  }

 private:
  SampleSource* source_;
  PeakPicker* picker_;
  bool first_ = true;
};

void append(std::vector<float>& to, const std::vector<float>& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

std::size_t sound_vector_size() {
  return fingerprint_fields().size() + statistics_fields().size() + kMfcc + kCovariance;
}

std::vector<float> sound_vector(const Track& track) {
  const TrackRecord record = record_of({}, track);
  std::vector<float> out = record.fingerprint;
  append(out, record.statistics);
  append(out, record.timbre_mean);
  append(out, record.timbre_covariance);
  SEGUE_CHECK(out.size() == sound_vector_size(), "a vector of {} numbers", out.size());
  return out;
}

std::vector<float> sound_vector(std::vector<float> samples) {
  const FeatureSettings settings;
  SampleBuffer source(std::move(samples), settings.sample_rate);
  return sound_vector(analyze_track(source, settings));
}

const std::vector<float>& sound_vector_weights() {
  static const std::vector<float> weights = [] {
    std::vector<float> out(sound_vector_size(), 1.0f);
    std::fill(out.end() - kCovariance, out.end(),
              static_cast<float>(std::sqrt(static_cast<double>(kMfcc) / static_cast<double>(kCovariance))));
    return out;
  }();
  return weights;
}

HeardRecording hear_recording(SampleSource& source, const FileMark& file, std::size_t windows) {
  const FeatureSettings settings;
  const LandmarkSettings landmarks;
  SEGUE_CHECK(settings.sample_rate == landmarks.sample_rate, "features at {} Hz and landmarks at {}",
              settings.sample_rate, landmarks.sample_rate);
  PeakPicker picker(landmarks);
  Overheard overheard(source, picker);
  const Track whole = analyze_track(overheard, settings);
  if (whole.features.samples == 0) throw DataError("{}: no samples", file.path);
  HeardRecording out{file, whole.summary.seconds, sound_vector(whole), {0.0}, {}};
  out.landmarks = pair_peaks(picker.finish(), landmarks);
  if (out.seconds <= kWindowSeconds) return out;
  const auto length = static_cast<std::uint64_t>(kWindowSeconds * settings.sample_rate);
  for (std::size_t w = 0; w < windows; ++w) {
    const double begin = (out.seconds - kWindowSeconds) * (static_cast<double>(w) + 0.5) / static_cast<double>(windows);
    Excerpt window(source, static_cast<std::uint64_t>(begin * settings.sample_rate), length);
    append(out.vectors, sound_vector(analyze_track(window, settings)));
    out.begins.push_back(begin);
  }
  return out;
}

std::string heard_definition(std::size_t windows) {
  return fmt::format("sound_vector={} windows={}x{:g}s {} {}", kDefinition, windows, kWindowSeconds,
                     fingerprint_definition({}), LandmarkSettings().canonical());
}

}  // namespace segue::audio
