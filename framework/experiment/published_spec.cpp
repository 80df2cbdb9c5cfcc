#include "framework/experiment/published_spec.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/experiment/spec.hpp"

namespace segue {

Schema<PublishedSpec> PublishedSpec::schema() {
  using P = PublishedSpec;
  Schema<P> s;
  s.field("label", &P::label, "the row");
  s.field("task", &P::task, "name of an entry of 'evaluate'; may be left out where there is one task");
  s.field("metric", &P::metric, "one of the task's metrics");
  s.field("value", &P::value, "the published figure");
  s.field("tolerance", &P::tolerance, "how much worse than value ours may be").at_least(0.0);
  s.field("min", &P::min, "instead of tolerance, where higher is better: the lowest that reproduces value");
  s.field("max", &P::max, "instead of tolerance, where lower is better: the highest that reproduces value");
  s.field("source", &P::source, "where the figure stands: paper and table, or page");
  s.field("note", &P::note, "in what the published experiment differs from this one");
  return s;
}

double PublishedSpec::bound() const {
  if (min) return *min;
  if (max) return *max;
  return *value + (parse_metric(metric).card->higher_is_better ? -1 : 1) * *tolerance;
}

namespace {

struct NamedView {
  std::string name;
  const ViewSpec* view;
};

// "suite.yaml:12:7: " of what was written for `key`, or of the whole entry.
std::string place(const Value& entry, const char* key) {
  const Value* value = entry.find(key);
  return (value != nullptr ? *value : entry).mark().prefix();
}

const NamedView& view_of(const PublishedSpec& p, const Value& entry, const std::vector<NamedView>& views) {
  std::vector<std::string> known;
  for (const NamedView& v : views) {
    if (v.name == p.task) return v;
    known.push_back(v.name);
  }
  if (p.task.empty() && views.size() == 1) return views.front();
  if (p.task.empty())
    throw UsageError("{}say of which task the figure is, such as task: {}; known: {}", place(entry, "task"),
                     known.front(), fmt::join(known, ", "));
  throw UsageError("{}unknown task '{}' in 'published'{}", place(entry, "task"), p.task, suggestion(p.task, known));
}

std::string metric_of(const PublishedSpec& p, const Value& entry, const NamedView& task) {
  std::string metric;
  try {
    metric = parse_metric(p.metric).text();
  } catch (const UsageError& e) {
    throw UsageError("{}{}", place(entry, "metric"), e.what());
  }
  std::vector<std::string> known;
  for (const std::string& m : task.view->metrics) known.push_back(parse_metric(m).text());
  if (std::find(known.begin(), known.end(), metric) == known.end())
    throw UsageError("{}task '{}' does not compute '{}': add it to the metrics of 'evaluate'; it computes {}",
                     place(entry, "metric"), task.name, metric, fmt::join(known, ", "));
  return metric;
}

// Exactly one bound, on the worse side of the value.
void check_bound(const PublishedSpec& p, const Value& entry) {
  const bool higher = parse_metric(p.metric).card->higher_is_better;
  const char *right = higher ? "min" : "max", *wrong = higher ? "max" : "min";
  if (int(p.tolerance.has_value()) + int(p.min.has_value()) + int(p.max.has_value()) != 1)
    throw UsageError("{}a published figure needs one of tolerance and {}", entry.mark().prefix(), right);
  if (higher ? p.max.has_value() : p.min.has_value())
    throw UsageError("{}of {} {} is better: write {} instead of {}", place(entry, wrong), p.metric,
                     higher ? "higher" : "lower", right, wrong);
  if (higher ? p.bound() > *p.value : p.bound() < *p.value)
    throw UsageError(
        "{}{} {:g} asks for more than the published {:g}; that belongs into a gate: segue leaderboard --gate",
        place(entry, right), right, p.bound(), *p.value);
}

std::vector<std::string> rows_of(const PublishedSpec& p, const Value& entry, const NamedView& task, const Spec& spec,
                                 const Registry& algorithms) {
  std::vector<std::string> rows, known;
  for (const AlgorithmEntry& a : spec.algorithms) {
    const AlgorithmInfo& info = algorithms.find(a.algorithm).info;
    const bool rating = is_rating_view(*task.view);
    if ((a.label == p.label || a.group == p.label) && !(rating ? info.predicts_ratings : info.ranks))
      throw UsageError("{}task '{}' has no row '{}': algorithm '{}' does not {}", place(entry, "label"), task.name,
                       a.label, a.algorithm, rating ? "predict ratings" : "rank");
    if (a.label == p.label) return {a.label};
    if (a.group == p.label) rows.push_back(a.label);
    if (known.empty() || known.back() != a.group) known.push_back(a.group);
  }
  if (rows.empty())
    throw UsageError("{}'published' has a figure of '{}', and no entry of 'algorithms' is labelled so{}",
                     place(entry, "label"), p.label, suggestion(p.label, known));
  return rows;
}

}  // namespace

std::vector<PublishedSpec> parse_published(const Value& list, const Spec& spec, const Registry& algorithms) {
  if (!list.is_list())
    throw UsageError(
        "{}'published' is a list such as [{{label: slim, metric: hr@10, value: 0.7162, tolerance: 0.003, source: "
        "...}}]",
        list.mark().prefix());
  std::vector<NamedView> views;
  for (const DatasetEntry& dataset : spec.datasets)
    for (const ViewSpec& view : spec.views) views.push_back({task_name(spec, dataset, view), &view});
  std::vector<PublishedSpec> out;
  for (const Value& entry : list.items()) {
    PublishedSpec p = PublishedSpec::schema().parse(entry, "'published'");
    for (const auto& [key, missing] : {std::pair("label", p.label.empty()), std::pair("metric", p.metric.empty()),
                                       std::pair("value", !p.value), std::pair("source", p.source.empty())})
      if (missing) throw UsageError("{}a published figure needs a {}", entry.mark().prefix(), key);
    const NamedView& task = view_of(p, entry, views);
    p.task = task.name;
    p.metric = metric_of(p, entry, task);
    check_bound(p, entry);
    for (std::string& label : rows_of(p, entry, task, spec, algorithms)) {
      p.label = std::move(label);
      out.push_back(p);
    }
  }
  return out;
}

}  // namespace segue
