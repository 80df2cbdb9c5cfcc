// What a results folder holds: its tasks, its rows and which trials make them. Written by `segue run` before anything runs, read
// by everything that comes after.
//
//   results/<suite>/plan.json            the manifest
//   results/<suite>/imports.json         rows that came from other systems (imports.hpp)
//   results/<suite>/suite.yaml           the resolved suite
//   results/<suite>/tasks/<task>.h5      queries and truth, once a task
//   results/<suite>/trials/<fit>.h5      one fit with its views
//   results/<suite>/checkpoints/<fit>.h5 a fit between two of its epochs; gone when the trial is there
//   results/<suite>/journal.jsonl        append-only: what happened when
//   results/<suite>/plots/
//   results/<suite>/cache/               leaderboards that need no second computation (report/cache.hpp)
//   results/<suite>/report.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace segue {

// What others published for a row of a task, and how far off a reproduction may be.
struct PublishedFigure {
  std::string label, metric;          // metric: as it stands in the leaderboard, "ndcg@10"
  double value = 0;
  double bound = 0;                   // the worst figure that still reproduces it
  std::string source, note;

  bool operator==(const PublishedFigure&) const = default;
};

struct ManifestTask {
  std::string id, name, dataset;      // dataset: its label in the suite
  std::string dataset_title, dataset_fingerprint;
  std::vector<std::string> metrics;
  std::size_t view = 0;               // position in the suite's `evaluate`
  bool ratings = false;
  bool sampled = false;               // candidates are sampled or given: never ranked with full ones
  std::string retrieval;              // kind of the index that found the lists, "hnsw"; empty: all scores
  std::string description;            // canonical text of feedback, filter, split, view
  std::vector<PublishedFigure> published{};  // no part of any identity
};

struct ManifestTrial {
  std::string fit, label, algorithm, dataset, fold;
  std::uint64_t seed = 0;
  std::vector<std::string> tasks;
  std::string params;                 // JSON of every effective parameter
  std::string group = label;          // the suite's entry; a grid makes several labels of it
  std::size_t tuned = 0;              // settings that were compared on validation data to find these; 0: nobody tuned
  std::string tuned_from = {};        // of a tuned row: label of the row with the entry's own settings
  bool refit = false;                 // trained on training and validation data
};

// One search for settings: of a row, on one fold of one data set.
struct ManifestTuning {
  struct Trial {
    std::string fit;                  // its trial file holds a validation metric, and neither lists nor a model
    std::string settings;             // JSON of the parameters that were tuned
    int epochs = 0;                   // where the strategy decides on them; else 0
  };
  std::string label, dataset, fold;   // the row that gets the winner
  std::string strategy, metric, space;
  std::uint64_t seed = 0;             // of the fits
  std::size_t planned = 0;            // trials in all
  std::string winner;                 // fit of the best trial; empty while it goes on, or where everything failed
  std::vector<Trial> trials;          // proposed so far
};

struct Manifest {
  std::string suite;
  std::string spec;                   // the resolved suite as JSON
  std::string folder;                 // where the suite lies: its data paths and plugins may be relative to it
  std::vector<ManifestTask> tasks;
  std::vector<ManifestTrial> trials;
  std::vector<ManifestTuning> tuning;
  std::vector<std::string> plots;
  std::vector<std::string> labels;    // rows in the suite's order
};

struct ResultsFolder {
  std::filesystem::path root;

  std::filesystem::path manifest_file() const { return root / "plan.json"; }
  std::filesystem::path journal_file() const { return root / "journal.jsonl"; }
  std::filesystem::path trial_file(const std::string& fit) const { return root / "trials" / (fit + ".h5"); }
  std::filesystem::path checkpoints() const { return root / "checkpoints"; }
  std::filesystem::path checkpoint_file(const std::string& fit) const { return checkpoints() / (fit + ".h5"); }
  std::filesystem::path task_file(const std::string& task) const { return root / "tasks" / (task + ".h5"); }
  std::filesystem::path plots() const { return root / "plots"; }

  void write_manifest(const Manifest& manifest) const;   // temporary name, then renamed
  Manifest read_manifest() const;                        // with what was imported; UsageError where this is no results folder

  // One content hash over all results (task files and trial files of the manifest; timings left out).
  std::string hash() const;
};

// Writes text under a temporary name, then renames.
void write_text_file(const std::filesystem::path& path, const std::string& text);
std::string read_text_file(const std::filesystem::path& path);  // EnvironmentError where it cannot be read

struct JournalEntry {
  std::string time;     // UTC; set by append()
  std::string event;    // started, finished, failed, timeout, killed, interrupted
  std::string fit, label, fold;
  std::uint64_t seed = 0;
  double seconds = 0;
  std::string error;    // one line: why it failed

  // One that was interrupted has merely not run.
  bool is_failure() const { return event == "failed" || event == "timeout" || event == "killed"; }
};

class Journal {
 public:
  explicit Journal(std::filesystem::path path) : path_(std::move(path)) {}
  void append(JournalEntry entry) const;   // one line, one write, synced
  // The last entry of each fit. Lines cut short by a crash, and other lines that are no entries, are skipped.
  std::map<std::string, JournalEntry> last_by_fit() const;

 private:
  std::filesystem::path path_;
};

}  // namespace segue
