// Floors that results must keep: what a continuous-integration job checks after a run.
//
//   # gate.yaml
//   - {label: implicit_als, metric: ndcg@10, min: 0.44}            # the only task of the folder, or name it:
//   - {task: full, label: implicit_als, metric: ndcg@10, min: 0.08, use: low}   # the lower end of its interval
//   - {label: popular, metric: fit_seconds, max: 5}
//
// Metrics are those of `segue metric list`, and fit_seconds, latency_p50_us, latency_p99_us, peak_rss_mib, model_mib.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/param/schema.hpp"
#include "framework/report/leaderboard.hpp"

namespace segue {

struct GateRule {
  std::string task;    // name or id; empty: the only one
  std::string label;
  std::string metric;
  std::optional<double> min, max;
  std::string use = "mean";
  Mark mark;

  static Schema<GateRule> schema();
};

// UsageError with file:line:column for what is no list of rules, unknown keys and metrics, and rules without a bound.
std::vector<GateRule> read_gate(const std::filesystem::path& file);

// The metrics that a task's table must hold for these rules, beyond its own.
std::vector<std::string> gate_metrics(const std::vector<GateRule>& rules, const ManifestTask& task);

struct GateResult {
  GateRule rule;
  bool kept = false;
  std::optional<double> value;  // empty where the row has no such figure, and then the rule is missed
  std::string text;             // "implicit_als ndcg@10 = 0.443984, must be >= 0.44"
};
// UsageError where a rule names a task that none of the boards is, or none although there are several.
std::vector<GateResult> check_gate(const std::vector<GateRule>& rules, const std::vector<Leaderboard>& boards);

}  // namespace segue
