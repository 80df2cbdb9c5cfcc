// What others published for the rows of a suite: its `published` list. The figures stand beside ours after a run; they
// are no part of any trial's identity.
//
//   published:
//     - {label: slim, task: given, metric: hr@10, value: 0.7162, tolerance: 0.003, source: "Rendle et al. 2020, table
//     1"}
//     - {label: sgd_mf, metric: rmse, value: 0.873, max: 0.88, source: "Surprise, README", note: "5 random folds"}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/param/schema.hpp"

namespace segue {

struct Spec;
class Registry;

struct PublishedSpec {
  std::string label;   // a row, or an entry of `algorithms` that is a grid: each of its rows
  std::string task;    // name of a view, "dataset/view" where there are several data sets; empty: the only task
  std::string metric;  // one that the task names
  std::optional<double> value;
  std::optional<double> tolerance;  // how much worse than value a reproduction may be
  std::optional<double> min, max;   // the same, as the worst figure itself
  std::string source;               // where the figure stands
  std::string note;                 // in what the published experiment differs

  static Schema<PublishedSpec> schema();
  // The worst figure that still reproduces the value: `value` on the worse side of it by `tolerance`, or min or max.
  double bound() const;
};

// Checked against what spec holds already (data sets, algorithms, views): UsageError with file:line:column for unknown
// labels, tasks and metrics, for missing keys, and where tolerance, min and max are not exactly one or bound the wrong
// side. One entry a row, with the task's name and the metric's full text.
std::vector<PublishedSpec> parse_published(const Value& list, const Spec& spec, const Registry& algorithms);

}  // namespace segue
