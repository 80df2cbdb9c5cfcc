#include "framework/audio/landmarks.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr int kDefinition = 1;  // raise when other peaks or pairs are found with the same settings
constexpr std::size_t kPiece = 1 << 15;

// near[i] = the largest of power[i - reach, i + reach], in steps that double what each covers.
void largest_near(std::span<const float> power, std::size_t reach, std::vector<float>& near) {
  const std::size_t n = power.size(), width = 2 * reach + 1;
  near.assign(n + 2 * reach, 0.0f);  // powers are not negative: zeros beyond both ends
  std::ranges::copy(power, near.begin() + static_cast<std::ptrdiff_t>(reach));
  std::size_t covered = 1;
  while (covered < width) {
    const std::size_t step = std::min(covered, width - covered);
    for (std::size_t i = 0; i + step < near.size(); ++i) near[i] = std::max(near[i], near[i + step]);
    covered += step;
  }
  near.resize(n);
}

// Those among the largest of their band.
std::vector<Peak> limit_density(std::vector<Peak> peaks, const LandmarkSettings& s) {
  std::vector<char> kept(peaks.size(), 0);
  std::vector<std::size_t> of;
  for (std::size_t b = 0; b + 1 < s.bands.size(); ++b) {
    of.clear();
    for (std::size_t i = 0; i < peaks.size(); ++i)
      if (static_cast<int>(peaks[i].bin) >= s.bands[b] && static_cast<int>(peaks[i].bin) < s.bands[b + 1])
        of.push_back(i);
    std::size_t begin = 0;
    for (std::size_t a = 0; a < of.size(); ++a) {
      const Peak& peak = peaks[of[a]];
      const auto reach = static_cast<std::uint32_t>(s.density_frames);
      while (peaks[of[begin]].frame + reach < peak.frame) ++begin;
      int larger = 0;
      for (std::size_t c = begin; c < of.size() && peaks[of[c]].frame <= peak.frame + reach; ++c)
        larger += peaks[of[c]].power > peak.power || (peaks[of[c]].power == peak.power && c < a) ? 1 : 0;
      kept[of[a]] = larger < s.peaks_near;
    }
  }
  std::size_t n = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i)
    if (kept[i]) peaks[n++] = peaks[i];
  peaks.resize(n);
  return peaks;
}

}  // namespace

std::string LandmarkSettings::canonical() const {
  return fmt::format(
      "landmarks={} sample_rate={} frame={} hop={} window=hann_periodic bands={} peak={}x{} density={}x{} gap={}..{} "
      "zone={} fan_out={}",
      kDefinition, sample_rate, stft.frame, stft.hop, fmt::join(bands, ","), peak_frames, peak_bins, density_frames,
      peaks_near, least_gap, kMostGap, zone_bins, fan_out);
}

PeakPicker::PeakPicker(const LandmarkSettings& s)
    : settings_(s),
      stft_(s.stft),
      low_(static_cast<std::size_t>(s.bands.front())),
      high_(static_cast<std::size_t>(s.bands.back())),
      rows_(static_cast<std::size_t>(2 * s.peak_frames + 1)) {
  SEGUE_CHECK(s.bands.size() >= 2 && s.bands.front() >= 0 && std::ranges::is_sorted(s.bands) && high_ <= 1024 &&
                  high_ <= stft_.bins() && s.peak_frames >= 0 && s.peak_bins >= 0,
              "bands of bins {} of {}", fmt::join(s.bands, ", "), stft_.bins());
}

void PeakPicker::push(std::span<const float> samples) {
  stft_.push(samples, [&](const SpectrumBlock<float>& block) { add(block); });
}

std::vector<Peak> PeakPicker::finish() {
  stft_.finish([&](const SpectrumBlock<float>& block) { add(block); });
  for (std::int64_t t = std::max<std::int64_t>(0, frames_ - settings_.peak_frames); t < frames_; ++t) look_at(t);
  return limit_density(std::move(peaks_), settings_);
}

void PeakPicker::add(const SpectrumBlock<float>& block) {
  for (std::size_t l = 0; l < block.count; ++l) {
    Row& r = row(frames_);
    r.power.resize(high_ - low_);
    for (std::size_t k = low_; k < high_; ++k) r.power[k - low_] = block.power[k * kWide + l];
    largest_near(r.power, static_cast<std::size_t>(settings_.peak_bins), r.near);
    ++frames_;
    if (frames_ > settings_.peak_frames) look_at(frames_ - 1 - settings_.peak_frames);
  }
}

// Of equals within reach the first is the peak: by frame, then bin.
void PeakPicker::look_at(std::int64_t frame) {
  const Row& own = row(frame);
  const std::int64_t first = std::max<std::int64_t>(0, frame - settings_.peak_frames),
                     last = std::min(frames_ - 1, frame + settings_.peak_frames);
  const auto reach = static_cast<std::size_t>(settings_.peak_bins);
  for (std::size_t k = 0; k < own.power.size(); ++k) {
    const float power = own.power[k];
    if (power < own.near[k] || !(power > 0)) continue;
    bool peak = true;
    for (std::size_t before = k - std::min(k, reach); before < k && peak; ++before) peak = own.power[before] < power;
    for (std::int64_t t = first; t < frame && peak; ++t) peak = row(t).near[k] < power;
    for (std::int64_t t = frame + 1; t <= last && peak; ++t) peak = row(t).near[k] <= power;
    if (peak) peaks_.push_back({static_cast<std::uint32_t>(frame), static_cast<std::uint32_t>(k + low_), power});
  }
}

std::vector<Landmark> pair_peaks(std::span<const Peak> peaks, const LandmarkSettings& s) {
  std::vector<Landmark> out;
  const auto least = static_cast<std::uint32_t>(s.least_gap), most = std::uint32_t{LandmarkSettings::kMostGap};
  for (std::size_t a = 0; a < peaks.size(); ++a) {
    int paired = 0;
    for (std::size_t b = a + 1; b < peaks.size() && paired < s.fan_out; ++b) {
      const std::uint32_t gap = peaks[b].frame - peaks[a].frame;
      if (gap > most) break;
      if (gap < least || std::abs(static_cast<int>(peaks[b].bin) - static_cast<int>(peaks[a].bin)) > s.zone_bins)
        continue;
      out.push_back({landmark_hash(peaks[a].bin, peaks[b].bin, gap), peaks[a].frame});
      ++paired;
    }
  }
  return out;
}

std::vector<Landmark> find_landmarks(SampleSource& source, const LandmarkSettings& settings) {
  if (source.sample_rate() != settings.sample_rate)
    throw UsageError("a signal at {} Hz for landmarks at {} Hz", source.sample_rate(), settings.sample_rate);
  PeakPicker picker(settings);
  std::vector<float> piece(kPiece);
  while (const std::size_t n = source.read(piece)) picker.push(std::span(piece).first(n));
  return pair_peaks(picker.finish(), settings);
}

ClipLandmarks find_clip_landmarks(std::span<const float> samples, const LandmarkSettings& settings, int shifts) {
  SEGUE_CHECK(shifts >= 1 && shifts <= settings.stft.hop, "{} shifts within a hop of {}", shifts, settings.stft.hop);
  LandmarkSettings wider = settings;
  wider.fan_out *= 2;
  ClipLandmarks out{shifts, 0, {}};
  for (int i = 0; i < shifts; ++i) {
    const auto skipped = static_cast<std::size_t>(settings.stft.hop * i / shifts);
    if (skipped >= samples.size()) break;
    PeakPicker picker(settings);
    picker.push(samples.subspan(skipped));
    const std::vector<Peak> peaks = picker.finish();
    if (i == 0) out.plain = pair_peaks(peaks, settings).size();
    for (Landmark l : pair_peaks(peaks, wider)) {
      l.frame = l.frame * static_cast<std::uint32_t>(shifts) + static_cast<std::uint32_t>(i);
      out.landmarks.push_back(l);
    }
  }
  std::ranges::sort(out.landmarks);
  const auto same = std::ranges::unique(out.landmarks);
  out.landmarks.erase(same.begin(), same.end());
  return out;
}

}  // namespace segue::audio
