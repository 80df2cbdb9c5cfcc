// Leaderboards: one table a task, computed from the stored lists of a results folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/report/table.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

struct MetricSummary {
  double mean = 0;       // over the row's trials (folds and seeds)
  double stddev = 0;     // between trials; 0 for one
  std::uint64_t n = 0;   // queries (ratings) judged, all folds of one seed
};

// Folds and seeds of one label are one row.
struct LeaderboardRow {
  std::string label, algorithm;
  std::string status;    // "ok", "failed" (some trial failed), "not run", "partial" (some not run)
  std::string error;     // of the first failed trial
  std::size_t trials = 0, failed = 0, planned = 0;
  std::map<std::string, MetricSummary> metrics;  // by text, "ndcg@10"
  double fit_seconds = 0;              // mean a trial; NaN where nothing ran
  double latency_p50 = 0, latency_p99 = 0;  // microseconds a query, batch 1; NaN where not measured
  std::map<std::size_t, double> latency_p50_by_batch;
  std::uint64_t peak_rss_bytes = 0;    // largest of the trials
  std::uint64_t model_bytes = 0;
  double tie_rate = 0;                 // share of queries with a tie at the end of their list
};

struct Leaderboard {
  ManifestTask task;
  std::vector<LeaderboardRow> rows;    // best first by the first metric, then what failed
};

// UsageError where the folder holds no results or no such task (by name or id); empty task: all of them.
std::vector<Leaderboard> build_leaderboards(const ResultsFolder& results, const std::string& task = "");

Table leaderboard_table(const Leaderboard& board);
// {"task": ..., "rows": [...], "tasks": [...]}: the shape that scripts rely on (cli/leaderboard.cpp).
std::string leaderboard_json(const std::vector<Leaderboard>& boards);
// One line on what the split leaks and what the truth lacks, for the head of a table.
std::string leak_line(const ResultsFolder& results, const ManifestTask& task);

struct Curve {
  std::string label, series;
  std::vector<double> epochs, values;  // of the first seed and fold
};
std::vector<Curve> learning_curve_data(const ResultsFolder& results);

}  // namespace segue
