// segue audio index
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include <fmt/core.h>

#include "framework/audio/sound_index.hpp"
#include "framework/base/clock.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/recordings.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using audio::HeardFile;
using audio::HeardRecording;
using audio::SoundIndex;

struct Options : RecordingOptions {
  std::string out = "music.index", kind = "hnsw";
  audio::SoundIndexSettings index;
  int threads = 0;
  bool fresh = false, truncated = false;
  TableFormat format{};
};

void sort_by_path(std::vector<HeardRecording>& recordings) {
  std::ranges::sort(recordings, {}, [](const HeardRecording& r) -> const std::string& { return r.file.path; });
}

// What was heard before, of recordings that have not changed; the others are still to be heard.
struct Known {
  bool damaged = false;  // what was heard before could not be read
  std::vector<HeardRecording> heard;
  std::vector<const NamedRecording*> others;
};
Known known_of(const Recordings& named, const Options& o, const std::string& definition) {
  Known out;
  std::map<std::string, HeardRecording> old;
  const fs::path file = SoundIndex::heard_path(o.out);
  if (!o.fresh && fs::exists(file)) {
    HeardFile stored;
    try {
      stored = HeardFile::load(file);
      if (stored.definition != definition) {
        log_warning("{}: was heard with other definitions; everything is heard anew", o.out);
        stored.recordings.clear();
      }
    } catch (const DataError& error) {
      log_warning("{}; everything is heard anew", error.what());
      out.damaged = true;
      stored.recordings.clear();
    }
    for (HeardRecording& r : stored.recordings) {
      std::string path = r.file.path;
      old.emplace(std::move(path), std::move(r));
    }
  }
  std::map<std::string, const NamedRecording*> once;  // a file may be named twice
  for (const NamedRecording& r : named.all) once.emplace(r.mark.path, &r);
  for (const auto& [path, recording] : once) {
    const auto it = old.find(path);
    if (it != old.end() && it->second.file == recording->mark)
      out.heard.push_back(std::move(it->second));
    else
      out.others.push_back(recording);
  }
  return out;
}

struct NotReadable {
  std::string path, why;
};

// Hears the others, and keeps what was heard now and then.
std::vector<NotReadable> hear(const std::vector<const NamedRecording*>& others, HeardFile& heard, const Options& o,
                              const Executor& exec) {
  constexpr double kSaveEvery = 120;  // s: what an interruption costs at most
  std::vector<NotReadable> broken;
  std::mutex mutex;
  std::size_t done = 0;
  double sound = 0;
  Stopwatch since_save;
  AudioProgress line(others.size());
  exec.for_blocks(others.size(), 1, [&](std::size_t i, std::size_t) {
    const NamedRecording& recording = *others[i];
    HeardRecording result;
    std::string why;
    try {
      const auto source = recording.open(audio::FeatureSettings().sample_rate, o.truncated);
      result = hear_recording(*source, recording.mark, o.index.windows);
    } catch (const DataError& error) {
      why = error.what();
    }
    const std::lock_guard lock(mutex);
    ++done;
    sound += result.seconds;
    if (why.empty())
      heard.recordings.push_back(std::move(result));
    else
      broken.push_back(
          {recording.name, why.starts_with(recording.name + ": ") ? why.substr(recording.name.size() + 2) : why});
    line.show(done, sound, recording.name);
    if (since_save.seconds() < kSaveEvery) return;
    HeardFile sorted = heard;
    sort_by_path(sorted.recordings);
    sorted.save(SoundIndex::heard_path(o.out));
    since_save.restart();
  });
  line.clear();
  sort_by_path(heard.recordings);
  std::ranges::sort(broken, {}, &NotReadable::path);
  return broken;
}

std::uintmax_t bytes_of(const fs::path& folder) {
  std::uintmax_t sum = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) sum += entry.file_size();
  return sum;
}

void say_what_was_built(const Options& o, double building) {
  const Stopwatch opening;
  const SoundIndex index = SoundIndex::open(o.out);
  const double opened = opening.seconds();
  const IndexMemory memory = index.vectors().memory();
  log_info("{}: {} recordings{}, {} landmarks; {} on disk, built in {}", o.out, index.tracks(),
           index.distractors() > 0 ? fmt::format(" and {} distractors", index.distractors()) : "",
           index.landmarks().postings(), format_bytes(static_cast<double>(bytes_of(o.out))), format_seconds(building));
  log_info(
      "opens in {:.0f} ms; vectors ({}) hold {} in memory{}, landmarks stay in their file", 1000 * opened,
      to_text(index.vectors().settings().kind),
      format_bytes(static_cast<double>(memory.structure + (memory.rows_mapped ? 0 : memory.rows))),
      memory.rows_mapped ? fmt::format(" and {} in their file", format_bytes(static_cast<double>(memory.rows))) : "");
}

// Whether the index is there, is made of this, and can be read.
bool up_to_date(const HeardFile& heard, const Options& o) {
  if (o.fresh) return false;
  try {
    if (!SoundIndex::is_of(o.out, heard, o.index)) return false;
    SoundIndex::open(o.out).landmarks().verify();
    return true;
  } catch (const DataError& damaged) {
    log_warning("{}; it is built anew", damaged.what());
  } catch (const EnvironmentError& missing) {
    log_warning("{}; it is built anew", missing.what());
  }
  return false;
}

ExitCode run(Options& o, const Session& session) {
  o.index.vectors.kind = index_kind_of(o.kind);
  o.index.seed = o.seed;
  o.index.vectors.check(audio::kSoundDims);
  if (fs::exists(o.out) && !fs::is_empty(o.out) && !SoundIndex::is_index(o.out))
    throw UsageError("{}: is there already, and no index; name another folder with -o", o.out);
  const Recordings named = find_recordings(o, session);
  HeardFile heard;
  heard.definition = audio::heard_definition(o.index.windows);
  Known known = known_of(named, o, heard.definition);
  heard.recordings = std::move(known.heard);
  const std::size_t before = heard.recordings.size();
  std::error_code error;
  fs::create_directories(o.out, error);
  if (error) throw EnvironmentError("cannot make the folder {}: {}", o.out, error.message());

  const Executor exec(o.threads);
  const Stopwatch hearing;
  const std::vector<NotReadable> broken = hear(known.others, heard, o, exec);
  if (heard.recordings.empty()) throw DataError("none of {} recordings can be heard", named.all.size());
  log_info("{} recordings as before, {} heard in {}, {} not readable", before, heard.recordings.size() - before,
           format_seconds(hearing.seconds()), broken.size());
  if (known.damaged) heard.save(SoundIndex::heard_path(o.out));
  if (up_to_date(heard, o)) {
    log_info("{}: up to date", o.out);
  } else {
    heard.save(SoundIndex::heard_path(o.out));
    const Stopwatch building;
    SoundIndex::build(o.out, heard, o.index, exec);
    say_what_was_built(o, building.seconds());
  }
  if (broken.empty()) return ExitCode::kOk;
  Table table{.columns = {{"not readable"}, {"why", Align::kLeft, Wrap::kYes}}};
  for (const NotReadable& b : broken) table.add({b.path, b.why});
  show(table, o.format);
  return ExitCode::kSomeTrialsFailed;
}

}  // namespace

void add_audio_index(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(
      parent, "index", "hears recordings once, so that they can be searched by sound",
      {{"segue audio index ~/music -o music.index", "all of it, on all cores"},
       {"segue audio index ~/music -o music.index", "again: hears only what is new or has changed"},
       {"segue audio index ~/music -o music.index --windows 3", "parts of each recording too: 3 more vectors each"},
       {"segue audio index --data demo --limit 100 -o demo.index", "tracks of a data set"}});
  add_recordings(cmd, *o);
  cmd.add_option("-o,--out", o->out,
                 "the folder to write; of an index that is there, what was heard of recordings that are named again is "
                 "kept, and the rest left out")
      ->capture_default_str()
      ->type_name("DIR");
  cmd.add_option("--windows", o->index.windows,
                 "excerpts of 10 s of each recording, evenly spread, that have a vector of their own (2 KiB each)")
      ->capture_default_str()
      ->check(between(0, 64))
      ->type_name("N");
  cmd.add_option("--kind", o->kind, "of the index of vectors: a graph, all of them compared, or lists of codes")
      ->capture_default_str()
      ->type_name("hnsw|exact|ivfpq|sq8");
  cmd.add_option("--search-width", o->index.vectors.effort.search_width,
                 "hnsw: candidates kept while walking; more finds more, and takes longer")
      ->capture_default_str()
      ->check(between(1, 1 << 20))
      ->type_name("N");
  cmd.add_option("--distractors", o->index.distractors,
                 "vectors that no recording has, resampled from those of recordings, to measure a search among many; "
                 "they are named 'distractor 000123'")
      ->capture_default_str()
      ->type_name("N");
  cmd.add_option("--seed", o->seed, "of --limit and distractors")->capture_default_str()->type_name("N");
  cmd.add_option("--threads", o->threads, "recordings at a time; 0: as many as there are cores")
      ->capture_default_str()
      ->check(between(0, 1024));
  cmd.add_flag("--fresh", o->fresh, "hears and builds everything anew");
  cmd.add_flag("--allow-truncated", o->truncated, "takes files that end early for what there is of them");
  add_format(cmd, o->format);
  on_run(cmd, session, [o, &session] { return run(*o, session); });
}

}  // namespace segue
