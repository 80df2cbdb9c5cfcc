#include "framework/audio/track.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr std::size_t kPiece = 1 << 15;

double mean(const std::vector<double>& x) {
  return x.empty() ? 0 : std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

std::vector<double> mean(const FrameRows<float>& rows) {
  std::vector<double> out(rows.cols(), 0.0);
  for (std::size_t t = 0; t < rows.rows(); ++t)
    for (std::size_t c = 0; c < out.size(); ++c) out[c] += static_cast<double>(rows.row(t)[c]);
  for (double& x : out) x /= static_cast<double>(std::max<std::size_t>(rows.rows(), 1));
  return out;
}

}  // namespace

Track analyze_track(SampleSource& source, const FeatureSettings& settings, TempoMethod method,
                    const std::function<void(double)>& progress) {
  SEGUE_CHECK(source.sample_rate() == settings.sample_rate, "a signal at {} Hz for features at {} Hz",
              source.sample_rate(), settings.sample_rate);
  FeatureExtractor<float> extractor(settings);
  Loudness loudness(settings.sample_rate);
  std::vector<float> piece(kPiece);
  double seconds = 0;
  for (bool first = true;; first = false) {
    while (const std::size_t n = source.read(piece)) {
      const std::span<const float> samples(piece.data(), n);
      extractor.push(samples);
      if (first) loudness.push(samples);
      seconds += static_cast<double>(n) / settings.sample_rate;
      if (progress) progress(seconds);
    }
    if (!extractor.finish()) break;
    source.rewind();
  }
  Track out;
  out.settings = settings;
  out.features = extractor.take();
  const Features<float>& f = out.features;
  const FrameRate rate = settings.frame_rate();
  TrackSummary& s = out.summary;
  s.seconds = static_cast<double>(f.samples) / settings.sample_rate;
  s.tempo = estimate_tempo(f.onset, rate);
  const bool silent = std::all_of(f.onset.begin(), f.onset.end(), [](double x) { return x == 0; });
  if (method == TempoMethod::kLibrosa) s.tempo.bpm = silent ? 0 : tempo_librosa(f.beat_onset, rate);
  out.beats = beat_frames(f.beat_onset, s.tempo.bpm, rate);
  out.onsets = onset_frames(f.onset, rate);
  s.mfcc = mean(f.mfcc);
  s.chroma = mean(f.chroma);
  std::array<double, 12> chroma{};
  std::copy(s.chroma.begin(), s.chroma.end(), chroma.begin());
  s.key = estimate_key(chroma);
  s.tuning = f.tuning;
  s.loudness = loudness.lufs();
  s.energy = energy_of(s.loudness);
  s.danceability = danceability(f.rms, rate);
  s.onsets_a_second = s.seconds > 0 ? static_cast<double>(out.onsets.size()) / s.seconds : 0;
  s.centroid = mean(f.centroid);
  s.bandwidth = mean(f.bandwidth);
  s.rolloff = mean(f.rolloff);
  s.flatness = mean(f.flatness);
  s.zero_crossing_rate = mean(f.zero_crossing_rate);
  s.rms = mean(f.rms);
  for (Eigen::Index b = 0; b < f.contrast.cols(); ++b)
    s.contrast.push_back(f.frames == 0 ? 0 : f.contrast.col(b).mean());
  return out;
}

Clicked::Clicked(SampleSource& signal, std::vector<std::size_t> frames, int hop) : signal_(&signal) {
  for (const std::size_t frame : frames) begins_.push_back(std::uint64_t{frame} * static_cast<std::uint64_t>(hop));
  const double rate = signal.sample_rate(), hz = 2 * std::numbers::pi * 1000 / rate;
  for (int i = 0; i < signal.sample_rate() / 20; ++i)
    click_.push_back(static_cast<float>(0.6 * std::exp(-80.0 * i / rate) * std::sin(hz * i)));
}

std::size_t Clicked::read(std::span<float> out) {
  const std::size_t n = signal_->read(out);
  const std::uint64_t end = at_ + n;
  // Clicks that begin so early are over.
  const std::uint64_t over = at_ >= click_.size() ? at_ - click_.size() + 1 : 0;
  for (auto begin = std::ranges::lower_bound(begins_, over); begin != begins_.end() && *begin < end; ++begin)
    for (std::uint64_t i = std::max(*begin, at_); i < std::min<std::uint64_t>(*begin + click_.size(), end); ++i)
      out[static_cast<std::size_t>(i - at_)] += click_[static_cast<std::size_t>(i - *begin)];
  for (float& x : out.first(n)) x = std::clamp(x, -1.0f, 1.0f);
  at_ = end;
  return n;
}

void Clicked::seek(std::uint64_t sample) {
  signal_->seek(sample);
  at_ = std::min(sample, samples());
}

}  // namespace segue::audio
