// Leaderboards: one table a task, computed from the stored lists of one or more results folders, with the uncertainty of
// every figure.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/report/evidence.hpp"
#include "framework/report/table.hpp"

namespace segue {

struct MetricSummary {
  double mean = 0;         // over the row's trials (folds and seeds), see RowMetric
  double stddev = 0;       // between trials; 0 for one
  double seed_stddev = 0;  // between seeds; 0 for one
  std::uint64_t n = 0;     // queries (ratings) judged, all folds of one seed
  // Bootstrap interval of the mean over users; NaN for metrics over the union of lists, where a fold is missing, and
  // for a single user.
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
  // No other row's mean is better. Where any row has all its folds, those that lack some are not asked. Never for a
  // descriptive metric.
  bool best = false;
  // Against the best row: paired randomisation test, adjusted by Holm over the rows; NaN for the best itself, where
  // there is no interval, and for a descriptive metric.
  double p_best = std::numeric_limits<double>::quiet_NaN();
  // Not distinguishable from the best; false for the best itself. Since the data chose the best, the promise is that of
  // a subset selection (Gupta 1965; Hsu 1984): the row that is truly best is marked best or tied with probability of at
  // least 1 - alpha. It is not that all unmarked rows are worse: of k rows that are alike one is left unmarked with
  // probability 0.15 for k = 10, 0.5 for k = 100 at alpha 0.05. For that compare() all pairs.
  bool tied = false;
};

// Folds and seeds of one label are one row.
struct LeaderboardRow {
  std::string label, algorithm, suite;
  std::string params;    // JSON
  std::string status;    // "ok", "failed" (some trial failed), "not run", "partial" (some not run)
  std::string error;     // of the first failed trial
  std::size_t trials = 0, failed = 0, planned = 0;
  // Settings that were compared to get this row: those of its grid, which stand in the table themselves; or of a tuned row those
  // that its tuner compared on validation data.
  std::size_t tried = 1;
  bool tuned = false;
  std::string tuned_from;              // of a tuned row: label of the row with the entry's own settings; empty where it is not here
  // By the first metric, above 0 is better than tuned_from; NaN where there is nothing to compare.
  double gain = std::numeric_limits<double>::quiet_NaN();
  bool refit = false;                  // trained on training and validation data
  std::map<std::string, MetricSummary> metrics;  // by text, "ndcg@10"
  double fit_seconds = 0;              // mean a trial; NaN where nothing ran
  double latency_p50 = 0, latency_p99 = 0;  // microseconds a query, batch 1; NaN where not measured. Of the index where one finds the lists
  std::map<std::size_t, double> latency_p50_by_batch;
  std::vector<std::pair<std::string, double>> stage_p50;  // microseconds a query of each stage of a composed model
  std::uint64_t peak_rss_bytes = 0;    // largest of the trials; 0: imported, and then the model is not known either
  std::uint64_t model_bytes = 0;
  // Where an index found the lists: the share of the exact lists that they hold, mean over trials. NaN: all items were scored.
  double exact_recall = std::numeric_limits<double>::quiet_NaN();
  double tie_rate = 0;                 // share of queries with a tie at the end of their list
};

struct Leaderboard {
  ManifestTask task;
  std::vector<LeaderboardRow> rows;    // best first by the first metric, then what failed
  std::vector<std::string> missing;    // why figures are missing: what the data or the stored lists lack for a metric
  std::string leaks;                   // one line on what the split leaks and what the truth lacks; empty where not known
};

struct LeaderboardOptions {
  std::vector<std::string> metrics;    // empty: those of the task
  bool inference = true;               // intervals and tests
  double level = 0.95;                 // of the intervals
  double alpha = 0.05;                 // of the tests
  std::size_t resamples = 2000;        // of the bootstrap
  std::size_t permutations = 10000;    // of the randomisation test
  std::uint64_t seed = 1;              // of both
};

Leaderboard build_leaderboard(const TaskEvidence& evidence, const LeaderboardOptions& options, const Executor& exec);

// Of all tasks of one folder. UsageError where the folder holds no results or no such task (by name or id); empty task: all.
std::vector<Leaderboard> build_leaderboards(const ResultsFolder& results, const std::string& task = "", const LeaderboardOptions& options = {});

// Decimals that a metric is printed with: four for what lies between 0 and 1, fewer where figures are large.
int metric_decimals(const Leaderboard& board, const std::string& metric);
// People: figures with their intervals and marks (leaderboard_notes() says what they mean). CSV: a column a number, the
// same ones for every board but for the metrics.
Table leaderboard_table(const Leaderboard& board, TableFormat format = TableFormat::kText);
// What stands below the table: what marks and intervals mean, only those that occur.
std::vector<std::string> leaderboard_notes(const Leaderboard& board, const LeaderboardOptions& options = {});
// {"task": ..., "rows": [...], "tasks": [...]}: the shape that scripts rely on (cli/leaderboard.cpp).
std::string leaderboard_json(const std::vector<Leaderboard>& boards);

struct Curve {
  std::string label, series, dataset;
  std::vector<double> epochs, values;  // of the first seed and fold
};
std::vector<Curve> learning_curve_data(const ResultsFolder& results);

}  // namespace segue
