// A suite as its author wrote it, checked: every name known, every parameter in range, every metric fit for its view, all
// before anything runs. Errors carry file:line:column and what would have worked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/data/loader.hpp"
#include "framework/data/task_spec.hpp"
#include "framework/experiment/published_spec.hpp"
#include "framework/experiment/tune_spec.hpp"
#include "framework/model/registry.hpp"
#include "framework/param/value.hpp"

namespace segue {

struct DatasetEntry {
  std::string name;
  Value params;        // checked against the loader's schema
  std::string label;   // unique in the suite; shown where a suite has several data sets
  Mark mark;
};

// One row of the suite: an entry of `algorithms:`, one point of its grid, or its tuned settings beside its own.
struct AlgorithmEntry {
  std::string algorithm;
  Value params;        // canonical: every effective parameter
  Value non_default;   // part of the fit's identity
  std::string label;   // unique; one leaderboard row
  std::string group;   // entry it came from, where a grid made several
  std::vector<std::uint64_t> seeds;  // those of the suite, or the entry's own
  Mark mark;
  std::optional<TuneSpec> tune;  // the row whose settings a tuner chooses; `params` are those of the entry
  std::string tuned_from;        // label of the row with the entry's own settings
  std::optional<FeedbackSpec> learned;  // weights of events that it learns from, where they are not the suite's
  TaskSpec task(const TaskSpec& suite) const {
    TaskSpec out = suite;
    out.learned = learned;
    return out;
  }
};

struct LatencySpec {
  std::vector<std::int64_t> batch{1, 256};
  int k = 10;
  int samples = 200;
  double seconds = 2;  // at most, per batch size
  static Schema<LatencySpec> schema();
};

struct StoppingSpec {
  std::string metric = "ndcg@10";
  int patience = 0;  // 0: run all epochs, but record the validation metric
  int every = 1;
  static Schema<StoppingSpec> schema();
};

struct LimitsSpec {
  std::string timeout;  // per trial, "30m"; empty: none
  std::string memory;   // per trial, "4G"; empty: 80 % of the machine
  static Schema<LimitsSpec> schema();
};

struct Spec {
  std::string name;
  std::vector<DatasetEntry> datasets;
  TaskSpec task;
  std::vector<std::uint64_t> seeds;
  std::vector<AlgorithmEntry> algorithms;
  std::vector<ViewSpec> views;
  std::optional<LatencySpec> latency;
  StoppingSpec stopping;
  LimitsSpec limits;
  std::vector<PublishedSpec> published;  // one a row: a label of a grid stands for each of its rows
  std::vector<std::string> plots;
  std::vector<std::string> plugins;
  Value resolved;      // the whole suite after includes and overrides, for the record
};

// Paths of plugins that the suite names, needed before the rest can be checked. Relative to the suite's folder.
std::vector<std::string> suite_plugins(const Value& suite, const std::string& folder);

Spec parse_spec(const Value& suite, const Registry& algorithms, const DatasetRegistry& datasets);

// How a fit is judged on validation data after an epoch: full ranking by the stopping metric; what may be recommended again,
// and from which catalogue, is as in the first of the fit's views that judges lists. Part of the fit's identity.
ViewSpec validation_view(const std::vector<ViewSpec>& views, const StoppingSpec& stopping);

// Whether a view judges predicted ratings (rmse ...) rather than lists.
bool is_rating_view(const ViewSpec& view);
// What the task of a data set and a view is called: the view's name, behind the data set's label where there are several.
std::string task_name(const Spec& spec, const DatasetEntry& dataset, const ViewSpec& view);
// The longest list that any of the view's metrics needs; at least 10.
std::size_t list_length(const ViewSpec& view);

// JSON Schema of suites, for editors (`segue config schema`).
std::string suite_json_schema(const Registry& algorithms, const DatasetRegistry& datasets);

}  // namespace segue
