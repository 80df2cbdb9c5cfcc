// segue audio tempo
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "framework/audio/feature_file.hpp"
#include "framework/audio/tempo_accuracy.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/audio_progress.hpp"
#include "framework/cli/commands.hpp"
#include "framework/data/file_reader.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> paths;
  std::string labels, method = "metre";
  int threads = 0;
  bool json = false;
};

// Recordings by every name that a label may call them: as given, below their folder, and by file name alone.
struct Recordings {
  std::vector<fs::path> files;
  std::map<std::string, std::set<std::size_t>> by_name;
};

Recordings find(const std::vector<std::string>& paths) {
  Recordings out;
  const auto add = [&](const fs::path& file, const std::string& below) {
    const std::size_t at = out.files.size();
    out.files.push_back(file);
    for (const std::string& name : {file.generic_string(), below, file.filename().string()})
      out.by_name[name].insert(at);
  };
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      add(path, path);
      continue;
    }
    for (const audio::FileMark& file : audio::find_recordings(path)) add(fs::path(path) / file.path, file.path);
  }
  if (out.files.empty()) throw DataError("{}: no recordings", paths.front());
  return out;
}

struct Labelled {
  fs::path file;
  double truth = 0, bpm = 0;
  std::string failure{};
};

// "file,bpm" a line, in order; a first line that says just that is a header.
std::vector<Labelled> read_labels(const Options& o, const Recordings& recordings) {
  RecordReader reader(o.labels, ",", '"', "#");
  std::vector<std::string_view> fields;
  std::vector<Labelled> out;
  std::set<std::size_t> met;
  while (reader.next(fields, 2)) {
    if (reader.line_number() == 1 && fields[0] == "file" && fields[1] == "bpm") continue;
    const std::string name(fields[0]);
    const auto found = recordings.by_name.find(name);
    if (found == recordings.by_name.end())
      throw reader.error("no recording '{}' among the {} that were named", name, recordings.files.size());
    if (found->second.size() > 1)
      throw reader.error("{} recordings are called '{}'; write their folders too", found->second.size(), name);
    const auto bpm = reader.number<double>(fields[1], "tempo");
    if (!(bpm > 0)) throw reader.error("a tempo of {} beats a minute; it must be above 0", bpm);
    const std::size_t at = *found->second.begin();
    if (!met.insert(at).second) throw reader.error("'{}' has a tempo already", name);
    out.push_back({recordings.files[at], bpm});
  }
  if (out.empty()) throw DataError("{}: no labels; a line is a file and its beats a minute: song.mp3,128", o.labels);
  return out;
}

struct Total {
  std::size_t files = 0, first = 0, second = 0;
  double share(std::size_t n) const { return static_cast<double>(n) / static_cast<double>(files); }
};

ExitCode run(const Options& o) {
  const audio::FeatureSettings settings;
  const auto method = o.method == "librosa" ? audio::TempoMethod::kLibrosa : audio::TempoMethod::kMetre;
  const Recordings recordings = find(o.paths);
  std::vector<Labelled> all = read_labels(o, recordings);
  if (all.size() < recordings.files.size())
    log_info("{} of {} recordings have a label; the others are left out", all.size(), recordings.files.size());
  std::mutex mutex;
  std::size_t done = 0;
  double sound = 0;
  AudioProgress line(all.size());
  Executor(o.threads).for_blocks(all.size(), 1, [&](std::size_t i, std::size_t) {
    Labelled& one = all[i];
    double seconds = 0;
    try {
      audio::SoundFile source(one.file, settings.sample_rate);
      const audio::TrackSummary summary = analyze_track(source, settings, method).summary;
      one.bpm = summary.tempo.bpm;
      seconds = summary.seconds;
    } catch (const DataError& error) {
      one.failure = error.what();
    }
    const std::lock_guard lock(mutex);
    ++done;
    sound += seconds;
    line.show(done, sound, one.file.string());
  });
  line.clear();
  Table table{.columns = {{"recording", Align::kLeft, Wrap::kYes},
                          {"tempo", Align::kRight},
                          {"estimate", Align::kRight},
                          {"accuracy 1"},
                          {"accuracy 2"}}};
  Json files = Json::array(), failures = Json::array();
  Total total;
  for (const Labelled& one : all) {
    if (!one.failure.empty()) {
      log_warning("{}", one.failure);
      failures.push_back({{"recording", one.file.string()}, {"why", one.failure}});
      continue;
    }
    const audio::TempoAccuracy right = audio::tempo_accuracy(one.bpm, one.truth);
    ++total.files;
    total.first += right.first ? 1 : 0;
    total.second += right.second ? 1 : 0;
    table.add({one.file.string(), Cell::fixed(one.truth, 1), Cell::fixed(one.bpm, 1), right.first, right.second});
    files.push_back({{"recording", one.file.string()},
                     {"tempo_bpm", one.truth},
                     {"estimate_bpm", one.bpm},
                     {"accuracy_1", right.first},
                     {"accuracy_2", right.second}});
  }
  if (total.files == 0) throw DataError("none of {} recordings can be heard", all.size());
  if (o.json) {
    const Json out = {{"method", o.method},
                      {"tolerance", audio::kTempoTolerance},
                      {"recordings", total.files},
                      {"accuracy_1", total.share(total.first)},
                      {"accuracy_2", total.share(total.second)},
                      {"files", files},
                      {"not_readable", failures}};
    fmt::print("{}\n", out.dump(2));
  } else {
    show(table, TableFormat::kText);
    fmt::print("\naccuracy 1: {:.1f} % ({} of {}); accuracy 2: {:.1f} % ({})\n", 100 * total.share(total.first),
               total.first, total.files, 100 * total.share(total.second), total.second);
  }
  return failures.empty() ? ExitCode::kOk : ExitCode::kSomeTrialsFailed;
}

}  // namespace

void add_audio_tempo(CLI::App& parent, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(parent, "tempo", "how right estimated tempi are, by recordings whose tempo is known",
                  {{"segue audio tempo ~/loops --labels tempos.csv", "a line each, and accuracy 1 and 2"},
                   {"segue audio tempo ~/loops --labels tempos.csv --method librosa", "by librosa's method"},
                   {"segue audio tempo a.wav b.mp3 --labels tempos.csv --json", "for programs"}});
  cmd.add_option("PATH", o->paths, "recordings, and folders of them")->required()->type_name("FILE");
  cmd.add_option("--labels", o->labels, "a line a recording: its name, a comma, and its beats a minute")
      ->required()
      ->type_name("FILE");
  cmd.add_option("--method", o->method, "how the tempo is found")
      ->check(CLI::IsMember({"metre", "librosa"}))
      ->capture_default_str()
      ->type_name("metre|librosa");
  cmd.add_option("--threads", o->threads, "recordings at a time; 0: as many as there are cores")
      ->capture_default_str()
      ->check(between(0, 1024));
  cmd.add_flag("--json", o->json, "JSON: the accuracies, and each file");
  on_run(cmd, session, [o] { return run(*o); });
}

}  // namespace segue
