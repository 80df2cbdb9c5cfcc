#include "framework/experiment/spec.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/param/grid.hpp"
#include "framework/store/plots.hpp"

namespace segue {

Schema<LatencySpec> LatencySpec::schema() {
  using P = LatencySpec;
  Schema<P> s;
  s.field("batch", &P::batch, "queries a call; each size is measured on its own").range(1, 1000000);
  s.field("k", &P::k, "length of the lists").range(1, 10000);
  s.field("samples", &P::samples, "timed calls per batch size").range(1, 1000000);
  s.field("seconds", &P::seconds, "at most this long per batch size").above(0.0);
  return s;
}

Schema<StoppingSpec> StoppingSpec::schema() {
  using P = StoppingSpec;
  Schema<P> s;
  s.field("metric", &P::metric, "computed on validation data after an epoch, full ranking");
  s.field("patience", &P::patience, "checks without improvement before training stops; 0: never").range(0, 100000);
  s.field("every", &P::every, "epochs between checks").range(1, 100000);
  return s;
}

Schema<LimitsSpec> LimitsSpec::schema() {
  using P = LimitsSpec;
  Schema<P> s;
  s.field("timeout", &P::timeout, "longest time for one trial, e.g. 30m; empty: none");
  s.field("memory", &P::memory, "most memory for one trial, e.g. 4G; empty: 80 % of the machine");
  return s;
}

namespace {

const std::vector<std::string> kSuiteKeys{"version", "name", "dataset", "datasets", "feedback", "filter", "split", "seeds", "algorithms",
                                          "evaluate", "latency", "stopping", "limits", "published", "plots", "plugins", "include", "description", "tune"};

UsageError with_mark(const Mark& mark, const std::exception& e) { return UsageError("{}{}", mark.prefix(), e.what()); }

// Runs body and puts the place in front of an error that has none of its own.
template <class Body>
auto at(const Mark& mark, Body body) {
  try {
    return body();
  } catch (const UsageError& e) {
    const std::string text = e.what();
    if (mark.file.empty() || text.starts_with(mark.file)) throw;
    throw with_mark(mark, e);
  }
}

std::vector<std::uint64_t> parse_seeds(const Value& value) {
  std::vector<std::uint64_t> seeds;
  const auto add = [&](const Value& s) {
    if (s.as_int() < 0) throw UsageError("{}a seed is a number of 0 or more, not {}", s.mark().prefix(), s.text());
    const auto seed = static_cast<std::uint64_t>(s.as_int());
    if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end()) throw UsageError("{}seed {} is listed twice", s.mark().prefix(), seed);
    seeds.push_back(seed);
  };
  if (value.is_list()) for (const Value& s : value.items()) add(s);
  else add(value);
  if (seeds.empty()) throw UsageError("{}'seeds' is empty", value.mark().prefix());
  return seeds;
}

// An entry of a list: a name, {name: {parameters}} with further keys, or {name: x, key: value}.
struct NamedEntry {
  std::string name;
  Value params = Value::map();
  std::string label;
  std::vector<std::uint64_t> seeds;
  std::optional<Value> tune, feedback;
  Mark mark, params_mark;
};

NamedEntry parse_algorithm_entry(const Value& value, const Registry& registry) {
  NamedEntry entry;
  entry.mark = value.mark();
  if (value.is_string()) {
    entry.name = value.as_string();
  } else if (value.is_map()) {
    const Value* label = value.find("label");
    if (label != nullptr) entry.label = label->as_string();
    if (const Value* seeds = value.find("seeds")) entry.seeds = parse_seeds(*seeds);
    const Value* tune = value.find("tune");
    if (tune != nullptr && !(tune->kind() == Value::Kind::kBool && !tune->as_bool())) entry.tune = *tune;
    if (const Value* feedback = value.find("feedback")) entry.feedback = *feedback;
    std::vector<const Value::Entry*> main;
    for (const Value::Entry& e : value.entries())
      if (e.key != "label" && e.key != "seeds" && e.key != "tune" && e.key != "feedback") main.push_back(&e);
    if (main.size() != 1) {
      const Mark mark = main.size() > 1 ? main[1]->key_mark : value.mark();
      throw UsageError("{}an entry of 'algorithms' has one algorithm and perhaps a 'label', 'seeds', 'tune' and 'feedback', such as {{implicit_als: {{factors: 128}}, label: als}}; {}", mark.prefix(),
                       main.empty() ? "there is no algorithm here" : fmt::format("'{}' and '{}' both stand here", main[0]->key, main[1]->key));
    }
    entry.name = main[0]->key;
    entry.mark = main[0]->key_mark;
    if (!main[0]->value.is_null()) entry.params = main[0]->value;
    if (!entry.params.is_map()) throw UsageError("{}parameters of '{}' are a map, such as {{factors: 128}}", entry.params.mark().prefix(), entry.name);
  } else {
    throw UsageError("{}an entry of 'algorithms' is a name or a map, not {}", value.mark().prefix(), value.describe());
  }
  at(entry.mark, [&] { return &registry.find(entry.name); });
  return entry;
}

// What must hold of `metric` for validation data to be judged by it; `what` is "stopping" or "tuning".
void check_validation_metric(const std::string& metric, const Mark& mark, const std::string& what, bool ratings_task) {
  const MetricSpec m = at(mark, [&] { return parse_metric(metric); });
  const auto beyond = [](Fact fact) { return fact != Fact::kTieCounts; };
  if (m.slice.card != nullptr || std::any_of(m.card->needs.begin(), m.card->needs.end(), beyond))
    throw UsageError("{}{} needs a metric of accuracy over all of the truth, not '{}'", mark.prefix(), what, metric);
  if (m.card->kind == MetricKind::kUnion) throw UsageError("{}{} needs a metric with one value a query, not '{}'", mark.prefix(), what, metric);
  if (m.card->kind == MetricKind::kRating && !ratings_task) throw UsageError("{}{} on '{}' needs feedback: {{transform: rating}}", mark.prefix(), what, metric);
}

std::string validation_remedy(const SplitSpec& split) {
  return fmt::format("add for example split: {{validation: {}}}", split.strategy == "leave_last_out" ? "1" : "0.1");
}

// The row of tuned settings that stands beside `own`.
AlgorithmEntry tuned_entry(const AlgorithmEntry& own, const NamedEntry& entry, TuneSpec tune, const Registry::Entry& known, const Spec& spec) {
  AlgorithmEntry a = own;
  a.tune = std::move(tune);
  a.label = a.group = own.label + " (tuned)";
  a.tuned_from = own.label;
  const Mark mark = entry.tune->find("metric") != nullptr ? entry.tune->find("metric")->mark() : entry.tune->mark();
  check_validation_metric(a.tune->metric, mark, "tuning", spec.task.feedback.transform == "rating");
  if (spec.task.split.validation <= 0) throw UsageError("{}tuning compares settings on validation data, and there is none; {}", entry.tune->mark().prefix(), validation_remedy(spec.task.split));
  const bool rating = parse_metric(a.tune->metric).card->kind == MetricKind::kRating;
  if (rating ? !known.info.predicts_ratings : !known.info.ranks)
    throw UsageError("{}tuning by '{}' {}, and algorithm '{}' does not; write for example tune: {{metric: {}}}", mark.prefix(), a.tune->metric, rating ? "needs predicted ratings" : "needs ranked lists",
                     entry.name, rating ? "ndcg@10" : "rmse");
  return a;
}

// Keys of the suite's own `tune`, which speaks to every entry that is tuned; nullptr where there is none.
const Value* tune_defaults(const Value& suite) {
  const Value* defaults = suite.find("tune");
  if (defaults == nullptr) return nullptr;
  if (!defaults->is_map()) throw UsageError("{}'tune' of the suite is a map of what its tuned entries share, such as {{strategy: random, trials: 40}}, not {}", defaults->mark().prefix(), defaults->describe());
  if (const Value* space = defaults->find("space")) throw UsageError("{}a 'space' belongs to one algorithm: write it under 'tune' of its entry", space->mark().prefix());
  TuneSpec::schema().parse(*defaults, "'tune'");
  return defaults;
}

std::vector<AlgorithmEntry> parse_algorithms(const Value& list, const Registry& registry, const Value& suite, const Spec& spec) {
  if (!list.is_list() || list.items().empty()) throw UsageError("{}'algorithms' is a list such as [popular, item_knn]", list.mark().prefix());
  std::vector<AlgorithmEntry> out;
  std::map<std::string, Mark> labels;
  const Value* defaults = tune_defaults(suite);
  bool any_tuned = false;
  const auto add = [&](AlgorithmEntry a) {
    const auto [it, fresh] = labels.try_emplace(a.label, a.mark);
    if (!fresh) throw UsageError("{}two entries are labelled '{}' (the other at {}); give one a 'label'", a.mark.prefix(), a.label, it->second.str());
    out.push_back(std::move(a));
  };
  for (const Value& value : list.items()) {
    const NamedEntry entry = parse_algorithm_entry(value, registry);
    const Registry::Entry& known = registry.find(entry.name);
    const std::string what = "algorithm '" + entry.name + "'";
    // A list in a tuned entry is refused with what to write instead, not taken for a grid.
    std::optional<TuneSpec> tune;
    if (entry.tune) tune = parse_tune(*entry.tune, defaults, known, entry.params, spec.stopping.metric, what);
    const auto grid = expand_grid(entry.params, known.schema.list_fields());
    for (const auto& [params, suffix] : grid) {
      AlgorithmEntry a;
      a.algorithm = entry.name;
      a.params = known.schema.canonicalise(params, what);
      a.non_default = known.schema.non_default(params, what);
      registry.parts(entry.name, a.params);  // speaks up where one of its components is wrong
      a.group = entry.label.empty() ? entry.name : entry.label;
      a.label = suffix.empty() ? a.group : a.group + " " + suffix;
      a.seeds = entry.seeds;
      a.mark = entry.mark;
      if (entry.feedback) a.learned = spec.task.feedback.with_signals(*entry.feedback);
      if (entry.feedback && tune) throw UsageError("{}'feedback' of an entry does not go with 'tune', which judges settings on the suite's own", entry.feedback->mark().prefix());
      const AlgorithmEntry own = a;
      add(std::move(a));
      if (tune) add(tuned_entry(own, entry, *tune, known, spec));
      any_tuned = any_tuned || tune;
    }
  }
  if (defaults != nullptr && !any_tuned)
    throw UsageError("{}'tune' of the suite speaks to entries that are tuned, and none is; write for example {{{}: , tune: true}}", defaults->mark().prefix(), out.front().algorithm);
  return out;
}

DatasetEntry parse_dataset(const Value& value, const DatasetRegistry& registry) {
  DatasetEntry entry;
  entry.mark = value.mark();
  entry.params = Value::map();
  if (value.is_string()) {
    entry.name = value.as_string();
  } else if (value.is_map()) {
    const Value* name = value.find("name");
    if (name == nullptr) throw UsageError("{}a dataset needs a 'name', such as {{name: demo}}; known: {}", value.mark().prefix(), fmt::join(registry.names(), ", "));
    entry.name = name->as_string();
    entry.mark = name->mark();
    for (const Value::Entry& e : value.entries()) {
      if (e.key == "label") entry.label = e.value.as_string();
      else if (e.key != "name") entry.params.set(e.key, e.value, e.key_mark);
    }
  } else {
    throw UsageError("{}a dataset is a name or a map with a 'name', not {}", value.mark().prefix(), value.describe());
  }
  const DatasetRegistry::Entry* known = at(entry.mark, [&] { return &registry.find(entry.name); });
  entry.params = known->schema.non_default(entry.params, "dataset '" + entry.name + "'");
  if (entry.label.empty()) {
    entry.label = entry.name;
    // A file speaks for itself; else the settings that make this data set another one.
    const Value* path = entry.params.find("path");
    if (path != nullptr && path->is_string()) entry.label += "-" + std::filesystem::path(path->as_string()).stem().string();
    for (const Value::Entry& e : entry.params.entries())
      if (path == nullptr && e.value.is_scalar() && e.key != "folder") entry.label += "-" + e.value.text();
  }
  return entry;
}

void check_views(const Spec& spec, const Value& suite) {
  const bool ratings_task = spec.task.feedback.transform == "rating";
  for (const ViewSpec& view : spec.views) {
    const MetricCard* first = nullptr;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < view.metrics.size(); ++i) {
      const MetricSpec metric = at(view.metric_marks[i], [&] { return parse_metric(view.metrics[i]); });
      if (!seen.insert(metric.text()).second) throw UsageError("{}metric '{}' is listed twice", view.metric_marks[i].prefix(), view.metrics[i]);
      const bool rating = metric.card->kind == MetricKind::kRating;
      if (first == nullptr) first = metric.card;
      if (rating != (first->kind == MetricKind::kRating))
        throw UsageError("{}metric '{}' does not fit beside '{}': one judges ratings, the other lists; put them into two entries of 'evaluate'",
                         view.metric_marks[i].prefix(), view.metrics[i], first->name);
      if (rating && !ratings_task)
        throw UsageError("{}metric '{}' does not fit this task: it judges predicted ratings, and feedback '{}' has none; write feedback: {{transform: rating}}, or use a ranking metric such as ndcg@10",
                         view.metric_marks[i].prefix(), view.metrics[i], spec.task.feedback.transform);
    }
  }
  if (const Value* stopping = suite.find("stopping")) {
    const Value* metric = stopping->find("metric");
    check_validation_metric(spec.stopping.metric, metric != nullptr ? metric->mark() : stopping->mark(), "stopping", ratings_task);
    if (spec.stopping.patience > 0 && spec.task.split.validation <= 0)
      throw UsageError("{}early stopping needs validation data; {}", stopping->mark().prefix(), validation_remedy(spec.task.split));
  }
}

std::vector<ViewSpec> parse_views(const Value& list) {
  std::vector<ViewSpec> views;
  std::set<std::string> names;
  if (!list.is_list() || list.items().empty()) throw UsageError("{}'evaluate' is a list such as [{{candidates: full, metrics: [ndcg@10]}}]", list.mark().prefix());
  for (const Value& value : list.items()) {
    ViewSpec view = ViewSpec::parse(value);
    if (view.name.empty()) {
      view.name = is_rating_view(view) ? "ratings" : view.candidates == "sampled" ? fmt::format("sampled{}", view.sampled) : view.candidates;
      if (view.repeats != "exclude") view.name += "-repeats-" + view.repeats;
      if (view.catalogue != "all") view.name += "-" + view.catalogue + "-catalogue";
      if (std::find(view.exclude.begin(), view.exclude.end(), "artists") != view.exclude.end()) view.name += "-new-artists";
      if (view.relevance != "binary") view.name += "-graded";
      if (!view.retrieval.exact()) view.name += "-" + view.retrieval.kind;
    }
    if (!names.insert(view.name).second) throw UsageError("{}two entries of 'evaluate' are both '{}'; merge their metrics, or give one a 'name'", value.mark().prefix(), view.name);
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace

ViewSpec validation_view(const std::vector<ViewSpec>& views, const StoppingSpec& stopping) {
  ViewSpec view;
  view.metrics = {stopping.metric};
  view.exclude = {"train"};
  for (const ViewSpec& v : views) {
    if (is_rating_view(v)) continue;
    view.repeats = v.repeats;
    view.catalogue = v.catalogue;
    break;
  }
  return view;
}

bool is_rating_view(const ViewSpec& view) {
  try {
    return !view.metrics.empty() && parse_metric(view.metrics.front()).card->kind == MetricKind::kRating;
  } catch (const UsageError&) {
    return false;  // reported with its place by check_views()
  }
}

std::string task_name(const Spec& spec, const DatasetEntry& dataset, const ViewSpec& view) {
  return spec.datasets.size() > 1 ? dataset.label + "/" + view.name : view.name;
}

std::size_t list_length(const ViewSpec& view) {
  std::size_t k = 10;
  for (const std::string& metric : view.metrics) k = std::max(k, parse_metric(metric).k);
  return k;
}

std::vector<std::string> suite_plugins(const Value& suite, const std::string& folder) {
  std::vector<std::string> out;
  if (const Value* plugins = suite.find("plugins")) {
    if (!plugins->is_list()) throw UsageError("{}'plugins' is a list of .so files", plugins->mark().prefix());
    for (const Value& p : plugins->items()) {
      const std::filesystem::path path = p.as_string();
      out.push_back((path.is_absolute() ? path : std::filesystem::path(folder) / path).string());
    }
  }
  return out;
}

Spec parse_spec(const Value& suite, const Registry& algorithms, const DatasetRegistry& datasets) {
  if (!suite.is_map()) throw UsageError("{}a suite is a map with keys such as name, dataset, algorithms, evaluate", suite.mark().prefix());
  check_keys(suite, "the suite", kSuiteKeys);
  const auto required = [&](const char* key, const char* example) -> const Value& {
    if (const Value* v = suite.find(key)) return *v;
    throw UsageError("{}the suite has no '{}'; write for example {}", suite.mark().prefix(), key, example);
  };
  Spec spec;
  spec.resolved = suite;
  const Value& version = required("version", "version: 1");
  if (version.as_int() != 1) throw UsageError("{}version {} is not known; this program reads version 1", version.mark().prefix(), version.text());
  const Value& name = required("name", "name: als_vs_knn");
  spec.name = name.as_string();
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.'; };
  if (spec.name.empty() || spec.name[0] == '.' || !std::all_of(spec.name.begin(), spec.name.end(), plain))
    throw UsageError("{}name '{}' names a folder of results: use letters, digits, '_', '-' and '.'", name.mark().prefix(), spec.name);

  const Value* one = suite.find("dataset");
  const Value* many = suite.find("datasets");
  if ((one == nullptr) == (many == nullptr)) throw UsageError("{}the suite needs either 'dataset' or 'datasets'; known data sets: {}", suite.mark().prefix(), fmt::join(datasets.names(), ", "));
  const Value& listed = one != nullptr ? *one : *many;
  if (listed.is_list()) {
    for (const Value& d : listed.items()) spec.datasets.push_back(parse_dataset(d, datasets));
  } else {
    spec.datasets.push_back(parse_dataset(listed, datasets));
  }
  if (spec.datasets.empty()) throw UsageError("{}the list of data sets is empty; known: {}", listed.mark().prefix(), fmt::join(datasets.names(), ", "));
  std::set<std::string> labels;
  for (const DatasetEntry& d : spec.datasets)
    if (!labels.insert(d.label).second) throw UsageError("{}two data sets are labelled '{}'; give one a 'label'", d.mark.prefix(), d.label);

  const auto section = [&](const char* key) { const Value* v = suite.find(key); return v == nullptr ? Value::map() : *v; };
  spec.task.feedback = FeedbackSpec::schema().parse(section("feedback"), "'feedback'");
  spec.task.filter = FilterSpec::schema().parse(section("filter"), "'filter'");
  spec.task.split = SplitSpec::schema().parse(section("split"), "'split'");
  at(section("feedback").mark(), [&] { return spec.task.feedback.check(); });
  at(section("split").mark(), [&] { return spec.task.split.check(); });
  spec.stopping = StoppingSpec::schema().parse(section("stopping"), "'stopping'");
  spec.limits = LimitsSpec::schema().parse(section("limits"), "'limits'");
  if (!spec.limits.timeout.empty()) at(suite.find("limits")->find("timeout")->mark(), [&] { return parse_duration(spec.limits.timeout); });
  if (!spec.limits.memory.empty()) at(suite.find("limits")->find("memory")->mark(), [&] { return parse_bytes(spec.limits.memory); });
  if (const Value* latency = suite.find("latency"); latency != nullptr && !(latency->kind() == Value::Kind::kBool && !latency->as_bool())) {
    spec.latency = latency->kind() == Value::Kind::kBool ? LatencySpec{} : LatencySpec::schema().parse(*latency, "'latency'");
    std::set<std::int64_t> sizes;
    for (const std::int64_t b : spec.latency->batch)
      if (!sizes.insert(b).second) throw UsageError("{}batch size {} is listed twice", latency->find("batch")->mark().prefix(), b);
  }

  spec.seeds = {1};
  if (const Value* seeds = suite.find("seeds")) spec.seeds = parse_seeds(*seeds);
  spec.algorithms = parse_algorithms(required("algorithms", "algorithms: [popular, item_knn]"), algorithms, suite, spec);
  for (AlgorithmEntry& a : spec.algorithms)
    if (a.seeds.empty()) a.seeds = spec.seeds;
  spec.views = parse_views(required("evaluate", "evaluate: [{candidates: full, metrics: [ndcg@10]}]"));
  check_views(spec, suite);
  const bool any_ranking = std::any_of(spec.views.begin(), spec.views.end(), [](const ViewSpec& v) { return !is_rating_view(v); });
  const bool any_rating = std::any_of(spec.views.begin(), spec.views.end(), is_rating_view);
  for (const AlgorithmEntry& a : spec.algorithms) {
    const AlgorithmInfo& info = algorithms.find(a.algorithm).info;
    if (!((any_ranking && info.ranks) || (any_rating && info.predicts_ratings)))
      throw UsageError("{}algorithm '{}' does not {}, and every metric of this suite judges {}", a.mark.prefix(), a.algorithm,
                       any_rating ? "predict ratings" : "rank", any_rating ? "ratings" : "lists");
  }
  if (const Value* published = suite.find("published")) spec.published = parse_published(*published, spec, algorithms);
  if (const Value* plots = suite.find("plots")) {
    if (!plots->is_list()) throw UsageError("{}'plots' is a list such as [metric_bars]", plots->mark().prefix());
    for (const Value& p : plots->items()) {
      const std::string& plot = p.as_string();
      const std::vector<std::string> known = plot_names();
      if (std::find(known.begin(), known.end(), plot) == known.end()) throw UsageError("{}unknown plot '{}'{}", p.mark().prefix(), plot, suggestion(plot, known));
      spec.plots.push_back(plot);
    }
  }
  return spec;
}

}  // namespace segue
