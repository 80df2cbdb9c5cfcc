// What stored trials say about a task, in the form that every statistic needs.
//
// For a row (a label: all its folds and seeds) and a metric there is one value a unit, and their mean is the figure that is
// reported. A unit is a user, because the queries and ratings of one user are not independent of each other. Where each
// user has one query in one fold, the values are the metric of that query. Otherwise a unit's value is the figure plus the
// user's share in it, linearised:
//
//   z_u = figure + U / F  sum over folds f  g'(m_f) / n_f  sum over the queries q of u in f  (v_q - m_f)
//
// with U units, F folds, n_f queries, m_f their mean and g the root for rmse (else g(m) = m): the influence values of a mean of
// ratios (Hampel 1974), whose spread gives the figure's standard error to first order. Seeds are averaged unit by
// unit. All rows of a task have the same units in the same order, so they can be compared in pairs.
//
// Intervals and t tests read these. But z is no verdict on a user: where two rows serve u alike, their z still differ,
// because the rows' means do. Tests by signs and ranks, and counts of users, therefore read the shares
//
//   s_u = U / F  sum over folds f  1 / n_f  sum over the queries q of u in f  v_q,
//
// what u adds to the mean (for rmse: of the squares). If two rows are alike, their s of a user could as well be swapped,
// which is just what a randomisation test does. Where z is the metric of the one query, s is the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/eval/metrics.hpp"
#include "framework/store/manifest.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

// One fit of a row, as planned; `file` need not exist.
struct EvidenceTrial {
  std::string fit, fold;
  std::uint64_t seed = 0;
  std::filesystem::path file;
  bool present = false;   // the file exists and holds the task
  bool failed = false;
  std::string error;      // of a failed one
};

struct EvidenceRow {
  std::string label;      // unique within the task; "label (suite)" where two folders use it for different fits
  std::string algorithm, suite;
  std::string group;      // the suite's entry; a grid makes several rows of it
  std::string params;     // JSON, of the first trial
  std::vector<EvidenceTrial> trials;

  std::size_t present() const;
  std::size_t failed() const;
};

// A metric of a row.
struct RowMetric {
  // Over the trials of the seeds of which every fold is there; where there is no such seed, over all trials that are
  // there: then it is no figure of this task, only of some folds. NaN for none.
  double mean = 0;
  bool whole = false;               // there is such a seed
  std::vector<double> by_trial;     // in the order of the row's trials, those that are there
  std::string missing;              // why there is no figure: what the stored files lack for it; else empty
  std::uint64_t n = 0;              // queries (ratings) judged, all folds of one seed
  // Seeds of which every fold is there, ascending, each with its values a unit. Empty for metrics over the union of lists.
  std::vector<std::uint64_t> seeds;
  std::vector<std::vector<double>> by_seed;
  std::vector<std::vector<double>> shares_by_seed;  // empty where they are the same
  std::vector<double> weights;      // what the shares would be if all v were 1; empty where they are 1
  bool root = false;                // the figure is the root of a mean

  // Averaged over the seeds; empty where no seed is complete.
  std::vector<double> units() const;
  std::vector<double> shares() const;
  // The figure of each unit by itself: the mean (its root, for rmse) over its own queries.
  std::vector<double> own() const;
};

// All about one task, from one or more results folders. Thread-safe once made.
class TaskEvidence {
 public:
  ManifestTask task;
  std::filesystem::path task_file;
  std::vector<EvidenceRow> rows;                // in the order of the suites
  std::vector<ResultsFolder> folders;
  // A space for the diversity of lists (metric ild_vectors), items x dim, row-major; empty: none. The same for all rows, lest each be
  // judged by its own.
  std::vector<float> item_vectors;
  std::size_t vector_dim = 0;

  // Reads each of the row's files once, and shows it to `visit` too. Slices and metrics beyond accuracy read the task file. Where the
  // files do not hold what a metric needs its mean is NaN, and `missing` says why. UsageError for a metric of ratings on a ranking, and the
  // other way round.
  using TrialVisitor = std::function<void(const EvidenceTrial&, const TrialFile&)>;
  std::vector<RowMetric> evaluate(const EvidenceRow& row, std::span<const MetricSpec> metrics, const TrialVisitor& visit = {}) const;
  // The same for one trial that is there; `missing` receives one text a metric of a ranking.
  std::vector<MetricValue> evaluate_trial(const EvidenceTrial& trial, const TrialFile& file, std::span<const MetricSpec> metrics,
                                          std::vector<std::string>* missing = nullptr) const;
  // The outcome of a ranking trial, with all facts of its task file (where that is missing: without), handed to `use` while it lives.
  void with_outcome(const EvidenceTrial& trial, const TrialFile& file, ViewParts parts,
                    const std::function<void(const RankingOutcome&)>& use) const;

  const StoredTask& stored() const;             // DataError where the task file is missing
  const EvidenceRow& find(const std::string& label) const;  // UsageError with a suggestion

 private:
  struct Lazy;
  friend std::vector<TaskEvidence> gather_evidence(std::span<const ResultsFolder>, const std::string&);
  std::shared_ptr<Lazy> lazy_;
};

// The tasks of all folders, those of one id merged; `wanted` is a name or an id, empty for all. UsageError where a folder holds no results
// or no folder holds such a task.
std::vector<TaskEvidence> gather_evidence(std::span<const ResultsFolder> folders, const std::string& wanted = "");

}  // namespace segue
