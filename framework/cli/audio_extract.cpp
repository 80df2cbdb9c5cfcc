// segue audio extract
#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>

#include <fmt/core.h>

#include "framework/audio/feature_file.hpp"
#include "framework/base/clock.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using audio::FeatureFile;

struct Options {
  std::string folder, out = "features.h5";
  int threads = 0;
  bool fresh = false, truncated = false;
  TableFormat format{};
};

template <class Record>
void sort_by_path(std::vector<Record>& records) {
  std::ranges::sort(records, {}, [](const Record& r) -> const std::string& { return r.file.path; });
}

// What an older file of the same definition says of files that have not changed.
struct Known {
  std::vector<audio::TrackRecord> tracks;
  std::vector<audio::FileMark> others;  // still to be heard, broken ones among them
};
Known known_of(const std::vector<audio::FileMark>& files, const Options& o, const std::string& definition) {
  FeatureFile old;
  if (!o.fresh && fs::exists(o.out)) {
    old = FeatureFile::load(o.out);
    if (old.definition != definition) {
      log_warning("{}: was extracted with other definitions; everything is extracted anew", o.out);
      old.tracks.clear();
    }
  }
  Known out;
  for (const audio::FileMark& file : files) {
    const auto at = std::ranges::lower_bound(old.tracks, file.path, {},
                                             [](const auto& t) -> const std::string& { return t.file.path; });
    if (at != old.tracks.end() && at->file == file)
      out.tracks.push_back(*at);
    else
      out.others.push_back(file);
  }
  return out;
}

ExitCode run(const Options& o) {
  const audio::FeatureSettings settings;
  const std::vector<audio::FileMark> files = audio::find_recordings(o.folder);
  if (files.empty())
    throw DataError("{}: no recordings; WAV, FLAC, Ogg, Opus, MP3, AIFF and the like are looked for", o.folder);
  FeatureFile result;
  result.definition = fingerprint_definition(settings);
  result.folder = o.folder;
  Known known = known_of(files, o, result.definition);
  const std::size_t before = known.tracks.size();
  result.tracks = std::move(known.tracks);

  constexpr double kSaveEvery = 60;  // s: what an interruption costs at most
  std::mutex mutex;
  std::size_t done = 0;
  double sound = 0;
  Stopwatch since_save, all;
  AudioProgress line(known.others.size());
  const auto save = [&] {
    FeatureFile sorted = result;
    sort_by_path(sorted.tracks);
    sort_by_path(sorted.failures);
    sorted.save(o.out);
    since_save.restart();
  };
  Executor(o.threads).for_blocks(known.others.size(), 1, [&](std::size_t i, std::size_t) {
    const audio::FileMark& file = known.others[i];
    audio::TrackRecord record;
    std::string reason;
    try {
      audio::SoundFile source(fs::path(o.folder) / file.path, settings.sample_rate);
      source.may_be_short(o.truncated);
      record = record_of(file, analyze_track(source, settings));
    } catch (const DataError& error) {
      reason = error.what();
    }
    const std::lock_guard lock(mutex);
    ++done;
    sound += record.seconds;
    if (reason.empty())
      result.tracks.push_back(std::move(record));
    else
      result.failures.push_back({file, reason});
    line.show(done, sound, file.path);
    if (since_save.seconds() > kSaveEvery) save();
  });
  line.clear();
  save();

  const double seconds = all.seconds();
  log_info("{}: {} recordings, {} as before, {} extracted in {} ({:.0f} x real time), {} not readable", o.out,
           result.tracks.size() + result.failures.size(), before, result.tracks.size() - before,
           format_seconds(seconds), seconds > 0 ? sound / seconds : 0, result.failures.size());
  if (result.failures.empty()) return ExitCode::kOk;
  sort_by_path(result.failures);
  Table broken{.columns = {{"not readable"}, {"why", Align::kLeft, Wrap::kYes}}};
  for (const audio::Failure& f : result.failures) {
    std::string why = f.reason;
    const std::string path = (fs::path(o.folder) / f.file.path).string() + ": ";
    if (why.starts_with(path)) why = why.substr(path.size());
    broken.add({f.file.path, why});
  }
  show(broken, o.format);
  return ExitCode::kSomeTrialsFailed;
}

}  // namespace

void add_audio_extract(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(parent, "extract", "extracts fingerprints of every recording below a folder into one HDF5 file",
                  {{"segue audio extract ~/music -o features.h5", "all of it, on all cores"},
                   {"segue audio extract ~/music -o features.h5", "again: only what is new or has changed"},
                   {"segue audio extract ~/music -o features.h5 --fresh", "everything anew"}});
  cmd.add_option("DIR", o->folder, "a folder of recordings")->required()->type_name("DIR");
  cmd.add_option("-o,--out", o->out, "the file to write; one that is there is added to")
      ->capture_default_str()
      ->type_name("FILE");
  cmd.add_option("--threads", o->threads, "recordings at a time; 0: as many as there are cores")
      ->capture_default_str()
      ->check(between(0, 1024));
  cmd.add_flag("--fresh", o->fresh, "extracts everything anew");
  cmd.add_flag("--allow-truncated", o->truncated, "takes files that end early for what there is of them");
  add_format(cmd, o->format);
  on_run(cmd, session, [o] { return run(*o); });
}

}  // namespace segue
