// segue audio analyze
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "framework/audio/track.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_dashboard.hpp"
#include "framework/cli/commands.hpp"
#include "framework/plot/render.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> files;
  std::string dashboard, clicks, tempo = "metre";
  bool json = false, truncated = false;
};

struct Analysed {
  fs::path path;
  audio::SoundInfo info;
  audio::Track track;
};

Analysed analyse(const fs::path& path, const Options& o) {
  audio::SoundFile sound(path, audio::FeatureSettings().sample_rate);
  sound.may_be_short(o.truncated);
  const auto method = o.tempo == "librosa" ? audio::TempoMethod::kLibrosa : audio::TempoMethod::kMetre;
  Analysed out{path, sound.info(), analyze_track(sound, {}, method)};
  if (sound.ended_at())
    log_warning("{}: ends after {:.2f} s of the {:.2f} s that it declares", path.string(), *sound.ended_at(),
                out.info.seconds());
  return out;
}

std::unique_ptr<audio::SampleSource> open_again(const Analysed& a, const Options& o) {
  auto sound = std::make_unique<audio::SoundFile>(a.path, a.track.settings.sample_rate);
  sound->may_be_short(o.truncated);
  return sound;
}

Json json_of(const Analysed& a) {
  const audio::TrackSummary& s = a.track.summary;
  const double frame = 1 / a.track.settings.frame_rate().hz();
  Json beats = Json::array();
  for (const std::size_t b : a.track.beats) beats.push_back(static_cast<double>(b) * frame);
  return {{"path", a.path.string()},
          {"duration_s", s.seconds},
          {"format", a.info.format},
          {"sample_rate", a.info.sample_rate},
          {"channels", a.info.channels},
          {"tempo_bpm", s.tempo.bpm},
          {"tempo_confidence", s.tempo.confidence},
          {"beats_s", beats},
          {"key", to_text(s.key)},
          {"key_correlation", s.key.correlation},
          {"key_lead", s.key.lead},
          {"tuning_cents", 100 * s.tuning},
          {"loudness_lufs", s.loudness},
          {"energy", s.energy},
          {"danceability", s.danceability},
          {"onsets_per_s", s.onsets_a_second},
          {"spectral_centroid_hz", s.centroid},
          {"spectral_bandwidth_hz", s.bandwidth},
          {"spectral_rolloff_hz", s.rolloff},
          {"spectral_flatness", s.flatness},
          {"spectral_contrast_db", s.contrast},
          {"zero_crossing_rate", s.zero_crossing_rate},
          {"rms", s.rms},
          {"mfcc_mean", s.mfcc},
          {"chroma_mean", s.chroma},
          {"settings", a.track.settings.canonical()}};
}

// Which pitch classes stand out, strongest first.
std::string strongest(const std::vector<double>& chroma) {
  constexpr const char* kNames[] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  std::vector<std::size_t> order(chroma.size());
  for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return chroma[a] > chroma[b]; });
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, order.size()); ++i)
    out += fmt::format("{}{} {:.2f}", i == 0 ? "" : ", ", kNames[order[i]], chroma[order[i]]);
  return out;
}

std::string list(const std::vector<double>& x, std::size_t n, int decimals) {
  std::string out;
  for (std::size_t i = 0; i < std::min(n, x.size()); ++i)
    out += fmt::format("{}{:.{}f}", i == 0 ? "" : " ", x[i], decimals);
  return out;
}

const char* word(double value, double low, double high, const char* below, const char* between, const char* above) {
  return value < low ? below : value < high ? between : above;
}

Table table_of(const Analysed& a) {
  const audio::TrackSummary& s = a.track.summary;
  Table out = record_table();
  out.add({"duration", Cell(fmt::format("{}:{:04.1f}  ({}, {} Hz, {} channel{})", static_cast<int>(s.seconds) / 60,
                                        s.seconds - 60 * (static_cast<int>(s.seconds) / 60), a.info.format,
                                        a.info.sample_rate, a.info.channels, a.info.channels == 1 ? "" : "s"),
                            s.seconds)});
  out.add({"tempo", s.tempo.bpm == 0 ? Cell("none: nothing repeats")
                                     : Cell(fmt::format("{:.1f} beats a minute, {} ({} beats)", s.tempo.bpm,
                                                        word(s.tempo.confidence, 0.1, 0.3, "unsure", "likely", "clear"),
                                                        a.track.beats.size()),
                                            s.tempo.bpm)});
  out.add({"key", Cell(fmt::format("{}, {} (correlation {:.2f}, {:+.0f} cents from A4 = 440 Hz)", to_text(s.key),
                                   word(s.key.lead, 0.03, 0.1, "unsure", "likely", "clear"), s.key.correlation,
                                   100 * s.tuning),
                       to_text(s.key))});
  out.add({"energy", Cell(fmt::format("{:.2f}  ({:.1f} LUFS)", s.energy, s.loudness), s.energy)});
  out.add({"danceability", Cell::fixed(s.danceability, 2)});
  out.add({"brightness",
           Cell(fmt::format("centroid {:.0f} Hz, 85 % of the magnitude below {:.0f} Hz", s.centroid, s.rolloff),
                s.centroid)});
  out.add({"texture", Cell(fmt::format("{:.1f} onsets a second, flatness {:.4f}, zero crossings {:.3f}",
                                       s.onsets_a_second, s.flatness, s.zero_crossing_rate))});
  out.add({"harmony", strongest(s.chroma)});
  out.add({"timbre", Cell("MFCC " + list(s.mfcc, 8, 1) + " ...")});
  return out;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw EnvironmentError("cannot write '{}'", path.string());
}

// A name that figures may have.
std::string stem_of(const fs::path& path) {
  std::string out = path.stem().string();
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        std::string_view("._-+=,@~%").find(c) == std::string_view::npos)
      c = '_';
  while (!out.empty() && (out[0] == '.' || out[0] == '-')) out.erase(0, 1);
  return out.empty() ? "recording" : out;
}

void write_dashboard(const Analysed& a, const Options& o) {
  const fs::path folder = o.dashboard, stem = folder / stem_of(a.path);
  const std::string name = a.path.filename().string();
  const plot::RenderedFigure figure = plot::render(dashboard(a.track, *open_again(a, o), name), stem);
  std::ifstream in(figure.svg, std::ios::binary);
  const std::string svg((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const fs::path page = stem.string() + ".html";
  std::error_code error;
  fs::path sound = fs::relative(a.path, folder, error);
  if (error || sound.empty()) sound = fs::absolute(a.path);
  write_file(page, dashboard_page(name, sound.generic_string(), svg, render(table_of(a), TableFormat::kHtml)));
  for (const fs::path& file : {figure.png, figure.svg, figure.pdf, page}) log_info("dashboard  {}", file.string());
}

ExitCode run(const Options& o) {
  if (!o.clicks.empty() && o.files.size() != 1)
    throw UsageError("--clicks writes one file: analyse one recording at a time");
  std::error_code unknown;  // where there is no such file yet
  if (!o.clicks.empty() && fs::equivalent(o.files.front(), o.clicks, unknown))
    throw UsageError("--clicks {} is the recording itself, which would be lost; write to another file", o.clicks);
  Json all = Json::array();
  bool first = true;
  for (const std::string& file : o.files) {
    const Analysed a = analyse(file, o);
    if (o.json) {
      all.push_back(json_of(a));
    } else {
      fmt::print("{}{}\n", first ? "" : "\n", file);
      show(table_of(a), TableFormat::kText);
    }
    first = false;
    if (!o.dashboard.empty()) write_dashboard(a, o);
    if (!o.clicks.empty()) {
      const auto sound = open_again(a, o);
      audio::Clicked clicked(*sound, a.track.beats, a.track.settings.frame_rate().hop);
      audio::write_wav(o.clicks, clicked);
      log_info("clicks  {}", o.clicks);
    }
  }
  if (o.json) fmt::print("{}\n", (o.files.size() == 1 ? all[0] : all).dump(2));
  return ExitCode::kOk;
}

}  // namespace

void add_audio_analyze(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(parent, "analyze", "says what a recording sounds like: tempo, key, loudness, timbre, harmony",
                  {{"segue audio analyze song.mp3", "a table"},
                   {"segue audio analyze song.flac --json", "everything, for programs"},
                   {"segue audio analyze song.ogg --dashboard out", "pictures of it, and a page with a player"},
                   {"segue audio analyze song.wav --clicks clicks.wav", "to hear whether the beats are right"}});
  cmd.add_option("FILE", o->files, "recordings: WAV, FLAC, Ogg Vorbis, Opus, MP3 ...")->required()->type_name("FILE");
  cmd.add_flag("--json", o->json, "JSON: one object, or a list where there are several files");
  cmd.add_option("--dashboard", o->dashboard, "writes <name>.png, .svg, .pdf and .html into this folder")
      ->type_name("DIR");
  cmd.add_option("--clicks", o->clicks, "writes the recording with a click at every beat")->type_name("FILE");
  cmd.add_option("--tempo", o->tempo, "how the tempo is found")
      ->check(CLI::IsMember({"metre", "librosa"}))
      ->capture_default_str()
      ->type_name("metre|librosa");
  cmd.add_flag("--allow-truncated", o->truncated, "takes a file that ends early for what there is of it");
  on_run(cmd, session, [o] { return run(*o); });
}

}  // namespace segue
