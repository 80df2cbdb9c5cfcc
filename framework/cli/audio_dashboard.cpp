#include "framework/cli/audio_dashboard.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "framework/report/html.hpp"

namespace segue {

namespace {

using audio::FrameRows;

constexpr std::size_t kColumns = 1000;  // more than a page's width shows at 144 dots an inch

// Columns that are the largest of the frames they stand for, so that short sounds stay to be seen.
std::size_t columns_for(std::size_t frames) { return std::clamp<std::size_t>(frames, 1, kColumns); }

template <class Value>
plot::Raster raster(std::size_t frames, std::size_t rows, Value value) {
  plot::Raster out;
  out.columns = columns_for(frames);
  out.rows = rows;
  out.values.resize(out.columns * rows);
  for (std::size_t c = 0; c < out.columns; ++c) {
    const std::size_t begin = c * frames / out.columns, end = std::max(begin + 1, (c + 1) * frames / out.columns);
    for (std::size_t r = 0; r < rows; ++r) {
      float most = value(begin, r);
      for (std::size_t t = begin + 1; t < std::min(end, frames); ++t) most = std::max(most, value(t, r));
      out.values[r * out.columns + c] = most;
    }
  }
  return out;
}

// Piece by piece, since an hour of samples is larger than all features of them.
plot::Panel waveform(audio::SampleSource& sound, const audio::Track& track) {
  plot::Panel out{.title = fmt::format("Waveform, and {} beats", track.beats.size()), .y_label = "amplitude"};
  plot::Outline outline;
  const std::size_t samples = track.features.samples, columns = columns_for(samples);
  std::vector<float> part;
  float largest = 1e-3f;
  for (std::size_t c = 0; c < columns && samples > 0; ++c) {
    const std::size_t begin = c * samples / columns, end = std::max(begin + 1, (c + 1) * samples / columns);
    part.resize(end - begin);
    part.resize(sound.read(part));
    if (part.empty()) break;
    const auto [low, high] = std::minmax_element(part.begin(), part.end());
    outline.x.push_back(static_cast<double>(begin) / track.settings.sample_rate);
    outline.lo.push_back(static_cast<double>(*low));
    outline.hi.push_back(static_cast<double>(*high));
    largest = std::max({largest, -*low, *high});
  }
  const double range = std::min(1.0, 1.05 * static_cast<double>(largest));
  out.y_range = {-range, range};
  out.y_ticks = {{0, "0"}};
  out.outline = std::move(outline);
  for (const std::size_t beat : track.beats)
    out.marks.push_back(static_cast<double>(beat) / track.settings.frame_rate().hz());
  out.height = 0.8;
  return out;
}

plot::Panel spectrogram(const audio::Track& track) {
  const FrameRows<float>& rows = track.features.log_mel;
  plot::Panel out{.title = "Mel spectrogram, 80 dB from dark to bright", .y_label = "Hz"};
  plot::Raster r = raster(rows.rows(), rows.cols(), [&](std::size_t t, std::size_t b) { return rows.row(t)[b]; });
  r.high = r.values.empty() ? 0 : *std::max_element(r.values.begin(), r.values.end());
  r.low = r.high - 80;
  const std::vector<double> edges = audio::mel_edges(track.settings.mel, track.settings.sample_rate);
  out.y_range = {0, static_cast<double>(rows.cols())};
  for (const double hz : {128.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0}) {
    const auto above = std::upper_bound(edges.begin(), edges.end(), hz);
    if (above == edges.begin() || above == edges.end()) continue;
    const auto band = static_cast<double>(above - edges.begin() - 1);
    out.y_ticks.push_back({band, fmt::format("{:g}", hz)});
  }
  out.raster = std::move(r);
  out.height = 1.5;
  return out;
}

plot::Panel chromagram(const audio::Track& track) {
  const FrameRows<float>& rows = track.features.chroma;
  plot::Panel out{.title = fmt::format("Chroma: {}, tuned {:+.0f} cents from A4 = 440 Hz", to_text(track.summary.key),
                                       100 * track.summary.tuning),
                  .y_label = "pitch class"};
  out.raster = raster(rows.rows(), 12, [&](std::size_t t, std::size_t c) { return rows.row(t)[c]; });
  out.y_range = {0, 12};
  const char* names[] = {"C", "", "D", "", "E", "", "F#", "", "G#", "", "A#", ""};
  for (int c = 0; c < 12; ++c)
    if (*names[c] != '\0') out.y_ticks.push_back({c + 0.5, names[c]});
  out.height = 0.9;
  return out;
}

// Lags as beats a minute on a line of their logarithms, 40 to 320.
plot::Panel tempogram(const audio::Track& track) {
  constexpr double kLow = 40, kHigh = 320;
  constexpr std::size_t kRows = 90;
  const audio::Tempogram grid(track.settings.frame_rate());
  const std::size_t frames = track.features.onset.size(), columns = columns_for(frames);
  // Only the frames that are shown.
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < columns; ++c) shown.push_back(c * frames / columns);
  const Matrix<double> local = grid.local(track.features.onset, shown);
  plot::Raster r;
  r.columns = columns;
  r.rows = kRows;
  r.values.resize(columns * kRows);
  for (std::size_t row = 0; row < kRows; ++row) {
    const double bpm = kLow * std::pow(kHigh / kLow, (static_cast<double>(row) + 0.5) / kRows);
    const double lag = 60 * track.settings.frame_rate().hz() / bpm;
    const auto i = static_cast<Eigen::Index>(lag);
    const double share = lag - static_cast<double>(i);
    for (std::size_t c = 0; c < columns; ++c) {
      const auto t = static_cast<Eigen::Index>(c);
      if (i + 1 < local.cols() && t < local.rows())
        r.values[row * columns + c] = static_cast<float>((1 - share) * local(t, i) + share * local(t, i + 1));
    }
  }
  plot::Panel out{.title = fmt::format("Tempogram: {:.1f} beats a minute (dashed)", track.summary.tempo.bpm),
                  .y_label = "beats/min"};
  const auto at = [&](double bpm) { return std::log2(bpm / kLow); };
  out.y_range = {0, at(kHigh)};
  for (const double bpm : {40.0, 60.0, 80.0, 120.0, 160.0, 240.0, 320.0})
    out.y_ticks.push_back({at(bpm), fmt::format("{:g}", bpm)});
  if (track.summary.tempo.bpm > kLow && track.summary.tempo.bpm < kHigh) out.level = at(track.summary.tempo.bpm);
  out.raster = std::move(r);
  return out;
}

}  // namespace

plot::PanelStack dashboard(const audio::Track& track, audio::SampleSource& sound, const std::string& name) {
  const audio::TrackSummary& s = track.summary;
  plot::PanelStack out;
  out.title = name;
  out.description = fmt::format(
      "{} of {:.1f} s: waveform, mel spectrogram, chromagram and tempogram over time. Tempo {:.1f} beats a minute, key "
      "{}, "
      "loudness {:.1f} LUFS.",
      name, s.seconds, s.tempo.bpm, to_text(s.key), s.loudness);
  out.note = fmt::format("{:.1f} LUFS, danceability {:.2f}, centroid {:.0f} Hz; mono at {} Hz", s.loudness,
                         s.danceability, s.centroid, track.settings.sample_rate);
  out.x_label = s.seconds >= 300 ? "time [min:s]" : "time [s]";
  out.x_range = {0, std::max(s.seconds, 1e-3)};
  out.panels = {waveform(sound, track), spectrogram(track), chromagram(track), tempogram(track)};
  return out;
}

namespace {

std::string url_of(const std::string& path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || std::string_view("/._-~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace

std::string dashboard_page(const std::string& name, const std::string& sound, const std::string& svg,
                           const std::string& facts) {
  return fmt::format(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{0}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.35rem; }} audio {{ width: 100%; margin: .5rem 0 1rem; }}
figure {{ position: relative; margin: 0; }} figure svg {{ width: 100%; height: auto; display: block; }}
#now {{ position: absolute; top: 0; bottom: 0; width: 2px; background: #d55e00; opacity: .8; display: none; pointer-events: none; }}
table {{ border-collapse: collapse; margin: 1.5rem 0; }} td, th {{ padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }}
</style></head><body>
<h1>{0}</h1>
<audio id="player" controls preload="metadata" src="{1}"></audio>
<figure id="figure">{2}<div id="now"></div></figure>
{3}
<script>
const player = document.getElementById('player'), now = document.getElementById('now'), figure = document.getElementById('figure');
const left = {4}, right = {5};
function move() {{
  if (!player.duration) return;
  now.style.display = 'block';
  now.style.left = 100 * (left + (right - left) * player.currentTime / player.duration) + '%';
}}
player.addEventListener('timeupdate', move);
player.addEventListener('seeked', move);
figure.addEventListener('click', e => {{
  const box = figure.getBoundingClientRect(), share = ((e.clientX - box.left) / box.width - left) / (right - left);
  if (player.duration && share >= 0 && share <= 1) {{ player.currentTime = share * player.duration; move(); }}
}});
</script>
</body></html>
)",
                     html_text(name), url_of(sound), svg.substr(std::min(svg.find("<svg"), svg.size())), facts,
                     plot::kPanelsLeft, plot::kPanelsRight);
}

}  // namespace segue
