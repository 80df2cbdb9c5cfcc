// One trial's raw outcomes as one HDF5 file. A file that exists is complete; it is written under a temporary name, synced and
// renamed. Wall-clock figures live in /timing alone, so all other groups compare bit for bit. Layout: framework/store/README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/eval/latency.hpp"
#include "framework/eval/outcome.hpp"
#include "framework/h5/file.hpp"
#include "framework/model/recommend.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

// The lists of one view of a fit, and where the truth stands in it.
struct StoredView {
  std::string task;          // id
  std::string name;          // "full", "given", "sampled99"
  std::size_t queries = 0, k = 0;
  std::vector<std::uint32_t> items;    // queries x k
  std::vector<float> scores;           // queries x k
  std::vector<std::uint64_t> truth_offsets;
  std::vector<std::uint32_t> truth_items;
  std::vector<float> truth_gains;
  std::vector<std::uint32_t> truth_rank, truth_above, truth_tied;
  std::vector<std::uint32_t> candidates;
  std::vector<std::uint8_t> tie_at_cut;
  std::uint64_t catalogue = 0;
  bool lists_only = false;  // imported: truth_rank is the place inside the list or 0; above, tied, candidates, tie_at_cut are empty
  // Where an index found the lists: the share of the exact lists' items that they hold. NaN: all items were scored.
  double exact_recall = std::numeric_limits<double>::quiet_NaN();
  std::map<std::string, double> means;  // "ndcg@10.v1" -> mean, what the trial printed

  RankingOutcome outcome() const;  // spans into this object
};

struct StoredRatings {
  std::string task, name;
  std::vector<std::uint32_t> users, items;
  std::vector<float> predicted, actual;
  double clip_low = 0, clip_high = 0;
  std::map<std::string, double> means;

  RatingOutcome outcome() const;
};

struct StoredTiming {
  double fit_seconds = 0;
  std::vector<double> epoch_seconds;
  std::vector<LatencySamples> latency;
  std::map<std::string, std::vector<LatencySamples>> index_latency;  // by the tasks whose lists an index finds
  std::vector<StageSamples> stages;  // of composed models
  std::uint64_t peak_rss_bytes = 0;
  int threads = 0;

  // What a recommendation takes in a task: by its index where one finds its lists (empty where that was not measured), else by
  // scoring all items.
  const std::vector<LatencySamples>& latency_of(const std::string& task, bool of_index) const;
};

struct TrialRecord {
  std::map<std::string, std::string> attributes;  // provenance: see experiment/provenance.hpp
  std::vector<StoredView> views;
  std::vector<StoredRatings> ratings;
  std::map<std::string, std::vector<double>> curve_epochs, curve_values;  // by series
  std::map<std::string, double> validation;  // of a tuning trial, which has neither views nor a model: "ndcg@10.v1" -> value
  StoredTiming timing;
  std::uint64_t model_bytes = 0;

  bool has_task(const std::string& task) const;
};

inline constexpr int kTrialSchemaVersion = 2;

// Writes the record and the model. Sets record.model_bytes.
void write_trial(const std::filesystem::path& path, TrialRecord& record, const Recommender& model);
// Of a trial that has no model: imported lists, a tuner's trial.
void write_trial(const std::filesystem::path& path, TrialRecord& record);

// What of a view is read; the other arrays stay empty. Statistics over thousands of trials read ranks alone.
struct ViewParts {
  bool lists = true;   // items, scores
  bool truth = true;   // truth_offsets, truth_items, truth_gains: the same for all trials of a task and fold
  bool ties = true;    // truth_above, truth_tied, candidates
  static ViewParts ranks_only() { return {false, false, false}; }  // truth_rank and tie_at_cut are always read
};

// A trial file, read part by part. DataError where it is truncated, foreign, or of another schema version.
class TrialFile {
 public:
  explicit TrialFile(const std::filesystem::path& path);

  std::map<std::string, std::string> attributes() const;
  // One of them alone; empty where it is missing.
  std::string attribute(const std::string& name) const;
  std::vector<std::string> ranking_tasks() const;  // ids
  std::vector<std::string> rating_tasks() const;
  bool has_task(const std::string& task) const;
  std::optional<StoredView> view(const std::string& task, ViewParts parts = {}) const;  // nullopt: not judged so
  std::optional<StoredRatings> ratings(const std::string& task) const;
  struct TieCount {
    std::uint64_t queries = 0, tied = 0;  // tied: places k and k + 1 have the same score
  };
  TieCount ties_at_cut(const std::string& task) const;  // zeros: not judged so
  double exact_recall(const std::string& task) const;     // NaN: all items were scored, or not judged so
  StoredTiming timing() const;
  std::uint64_t model_bytes() const;
  std::vector<std::string> curve_series() const;
  std::pair<std::vector<double>, std::vector<double>> curve(const std::string& series) const;  // epochs, values
  // Batch sizes whose latency was measured: of scoring all items, or of the index that found the lists of a task.
  std::vector<std::size_t> latency_batches(const std::string& index_task = "") const;
  std::map<std::string, double> validation() const;

 private:
  H5Reader file_;
};

// All of it.
TrialRecord read_trial(const std::filesystem::path& path);

// Adds every result of the file (views, ratings, curve, model; not timings, not provenance) to the hash.
void hash_trial(const std::filesystem::path& path, Hasher& hasher);

}  // namespace segue
