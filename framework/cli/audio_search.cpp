// segue audio search
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "framework/base/clock.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/sound_query.hpp"

namespace segue {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string index, query, mode = "similar";
  std::size_t count = 10;
  double from = 0, seconds = 10;
  std::uint32_t search_width = 0;
  bool json = false;
};

// "1:05.20"; "-0:00.35"
std::string minutes(double seconds) {
  const long hundredths = std::lround(100 * std::abs(seconds));
  return fmt::format("{}{}:{:02}.{:02}", seconds < 0 && hundredths > 0 ? "-" : "", hundredths / 6000,
                     hundredths / 100 % 60, hundredths % 100);
}

struct Answer {
  bool found = true;
  Json results = Json::array();
  Table table;
};

Answer answer_of(const std::vector<audio::SimilarRecording>& found, const audio::SoundIndex& index) {
  Answer out{.table = {.columns = {{"rank", Align::kRight},
                                   {"recording", Align::kLeft, Wrap::kYes},
                                   {"distance", Align::kRight},
                                   {"offset", Align::kRight}}}};
  for (const audio::SimilarRecording& s : found) {
    const std::string path = index.path(s.track);
    out.table.add({Cell(out.results.size() + 1), path, Cell::fixed(s.distance, 3), minutes(s.begin)});
    out.results.push_back({{"rank", out.results.size() + 1},
                           {"path", path},
                           {"distance", s.distance},
                           {"offset_s", s.begin},
                           {"seconds", index.seconds(s.track)}});
  }
  out.found = !found.empty();
  return out;
}

// votes: the more the surer; a distance as of others is 1 - share.
Answer answer_of(const audio::Identification& found, const audio::SoundIndex& index) {
  Answer out{.found = found.found,
             .table = {.columns = {{"rank", Align::kRight},
                                   {"recording", Align::kLeft, Wrap::kYes},
                                   {"votes", Align::kRight},
                                   {"share", Align::kRight},
                                   {"offset", Align::kRight}}}};
  if (!found.found) return out;
  for (const audio::LandmarkMatch& m : found.best) {
    const std::string path = index.path(m.track);
    out.table.add({Cell(out.results.size() + 1), path, Cell(m.votes), Cell::fixed(m.share, 2), minutes(m.offset)});
    out.results.push_back({{"rank", out.results.size() + 1},
                           {"path", path},
                           {"distance", std::max(0.0, 1 - m.share)},
                           {"offset_s", m.offset},
                           {"votes", m.votes},
                           {"share", m.share},
                           {"seconds", index.seconds(m.track)}});
  }
  return out;
}

ExitCode run(const Options& o) {
  if (o.mode != "similar" && o.mode != "identify")
    throw UsageError("'{}' is no mode; there are similar and identify", o.mode);
  const Stopwatch opening;
  audio::SoundIndex index = audio::SoundIndex::open(o.index);
  const double opened = opening.seconds();
  if (o.search_width > 0) {
    SearchEffort effort = index.vectors().settings().effort;
    effort.search_width = o.search_width;
    index.vectors().set_effort(effort);
  }
  QueryTiming timing;
  const std::vector<float> clip = read_clip(o.query, o.from, o.seconds, timing);
  const double seconds = static_cast<double>(clip.size()) / audio::FeatureSettings().sample_rate;
  const Answer answer = o.mode == "similar" ? answer_of(find_similar(index, clip, o.count, timing), index)
                                            : answer_of(identify_clip(index, clip, o.count, timing), index);
  if (o.json) {
    const Json json{{"query", o.query},
                    {"mode", o.mode},
                    {"from_s", o.from},
                    {"clip_s", seconds},
                    {"recordings", index.tracks()},
                    {"distractors", index.distractors()},
                    {"found", answer.found},
                    {"results", answer.results},
                    {"timing_ms",
                     {{"open", 1000 * opened},
                      {"decode", 1000 * timing.decode},
                      {"features", 1000 * timing.features},
                      {"search", 1000 * timing.search},
                      {"total", 1000 * timing.total()}}}};
    fmt::print("{}\n", json.dump(2));
    return ExitCode::kOk;
  }
  if (answer.found)
    show(answer.table, TableFormat::kText);
  else
    fmt::print("not found: none of {} recordings is the one that this clip was cut from\n", index.tracks());
  fmt::print(
      "\n{:.1f} s of {} in {:.1f} ms: decoded in {:.1f}, {} in {:.1f}, searched in {:.2f}; the index opened in {:.0f} "
      "ms\n",
      seconds, o.query, 1000 * timing.total(), 1000 * timing.decode, o.mode == "similar" ? "features" : "landmarks",
      1000 * timing.features, 1000 * timing.search, 1000 * opened);
  return ExitCode::kOk;
}

}  // namespace

void add_audio_search(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(
      parent, "search", "finds what sounds like a clip, or which recording it was cut from",
      {{"segue audio search --index music.index --query clip.wav -n 5", "which recordings sound like this?"},
       {"segue audio search --index music.index --query clip.mp3 --mode identify",
        "which recording is this, and where?"},
       {"segue audio search --index music.index --query song.flac --from 60 --json",
        "ten seconds of it; with timings"}});
  cmd.add_option("--index", o->index, "an index of `segue audio index`")->required()->type_name("DIR");
  cmd.add_option("--query", o->query, "a sound file")->required()->type_name("FILE");
  cmd.add_option("--mode", o->mode,
                 "similar: by timbre, harmony and rhythm; identify: the very same recording, however quiet, noisy or "
                 "compressed, or none")
      ->capture_default_str()
      ->type_name("similar|identify");
  cmd.add_option("-n,--count", o->count, "recordings to show")
      ->capture_default_str()
      ->check(between(1, 10000))
      ->type_name("N");
  cmd.add_option("--from", o->from, "the second of the file where the clip begins")
      ->capture_default_str()
      ->check(between(0, 86400))
      ->type_name("SECONDS");
  cmd.add_option("--seconds", o->seconds, "how long it is at most")
      ->capture_default_str()
      ->check(between(1, 3600))
      ->type_name("SECONDS");
  cmd.add_option("--search-width", o->search_width, "hnsw: candidates kept while walking; 0: as the index was built")
      ->capture_default_str()
      ->check(between(0, 1 << 20))
      ->type_name("N");
  cmd.add_flag("--json", o->json, "JSON, with the time of each stage");
  on_run(cmd, session, [o] { return run(*o); });
}

}  // namespace segue
