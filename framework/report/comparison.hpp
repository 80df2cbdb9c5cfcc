// Are these systems really different? Paired inference over the users of one task, and ranks over several tasks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/param/value.hpp"
#include "framework/report/evidence.hpp"
#include "framework/report/table.hpp"
#include "framework/stats/interval.hpp"
#include "framework/stats/multiple.hpp"
#include "framework/stats/paired.hpp"
#include "framework/stats/ranks.hpp"
#include "framework/stats/variance.hpp"

namespace segue {

enum class PairedTest { kRandomisation, kStudentT, kWilcoxon };

struct ComparisonOptions {
  std::vector<std::string> labels;   // rows; empty: all that are complete
  std::string baseline;              // compared with all others; empty: the best row
  bool all_pairs = false;            // instead of a baseline
  PairedTest test = PairedTest::kRandomisation;
  stats::Adjustment adjustment = stats::Adjustment::kHolm;
  stats::IntervalMethod interval = stats::IntervalMethod::kBca;
  double level = 0.95, alpha = 0.05;
  std::size_t resamples = 10000;     // of the bootstrap, and draws of the randomisation test
  std::uint64_t seed = 1;
};

struct ComparedRow {
  std::string label, algorithm;
  double mean = 0;
  stats::Interval interval;
  std::size_t seeds = 0;
  // With several seeds: how much of the uncertainty is the users', and how much the seeds'.
  std::optional<stats::VarianceComponents> variance;
};

// Row a against row b: difference = a - b. Intervals, effects and the t test are made of the users' values, the other
// tests and the counts of their shares (evidence.hpp), which tell for a user alone.
struct ComparedPair {
  std::size_t a = 0, b = 0;  // positions in Comparison::rows
  double difference = 0;
  stats::Interval interval;  // of the difference
  double p = 1, p_adjusted = 1;  // of the randomisation test: SignFlipTest::p_tail
  stats::EffectSize effect;  // dz > 0: a has the larger values
  std::uint64_t higher = 0, lower = 0, equal = 0;  // users for whom a has the higher, the lower, the same value
  double detectable = 0;     // smallest difference that a t test at alpha of this pair alone finds with probability 0.8
  bool distinguishable = false;  // p_adjusted <= alpha
};

struct Comparison {
  ManifestTask task;
  std::string metric;
  bool higher_is_better = true;
  bool descriptive = false;         // neither end of the metric is better
  std::size_t units = 0;            // users
  std::vector<ComparedRow> rows;    // best first
  std::vector<ComparedPair> pairs;
  std::vector<std::string> left_out;  // "gru4rec: 2 of 3 trials are missing"
};

// UsageError for fewer than two complete rows, unknown labels, and metrics that have no value a user, saying why.
Comparison compare(const TaskEvidence& evidence, const MetricSpec& metric, const ComparisonOptions& options, const Executor& exec);

// For programs both name the metric in a column, and the row that a difference is against.
Table comparison_rows(const Comparison& comparison, TableFormat format = TableFormat::kText);
Table comparison_pairs(const Comparison& comparison, const ComparisonOptions& options, TableFormat format = TableFormat::kText);
std::vector<std::string> comparison_notes(const Comparison& comparison, const ComparisonOptions& options);

// The rows that all of several tasks share, ranked on each by their means.
struct AcrossTasks {
  std::string metric;
  std::vector<std::string> tasks, labels;  // a task with sampled candidates ends in " ~"
  std::vector<double> means;        // tasks x labels
  stats::FriedmanTest friedman;
  double critical_difference = 0;   // Nemenyi
  std::vector<std::vector<std::size_t>> cliques;  // of labels, see stats::cliques
};
// UsageError for fewer than two tasks or shared complete rows.
AcrossTasks compare_across(const std::vector<TaskEvidence>& tasks, const std::string& metric, double alpha, const Executor& exec);
Table across_table(const AcrossTasks& across, TableFormat format = TableFormat::kText);
Table across_test(const AcrossTasks& across);  // one row, for programs
std::vector<std::string> across_notes(const AcrossTasks& across, double alpha);

// What makes two tasks different, a line a setting: "split.seed: 42 and 7". Empty for one and the same. Descriptions leave
// out what is default; `defaults`, of the same shape, says what that is.
std::vector<std::string> task_differences(const ManifestTask& a, const ManifestTask& b, const Value& defaults = Value::map());

}  // namespace segue
