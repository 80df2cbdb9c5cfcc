#include "framework/experiment/plan.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/facets.hpp"
#include "framework/data/item_sound.hpp"
#include "framework/data/task.hpp"
#include "framework/eval/metrics.hpp"

namespace segue {

namespace {

std::vector<ViewSpec> views_at(const Spec& spec, const std::vector<std::size_t>& positions) {
  std::vector<ViewSpec> views;
  for (const std::size_t v : positions) views.push_back(spec.views[v]);
  return views;
}

// What a model of sound learns from is no part of the data set's fingerprint, and what a hybrid is made of has versions of its own.
void add_parts(const Registry& algorithms, const std::string& name, const Value& params, Hasher& hasher) {
  if (needs_sound(algorithms, name, params)) hasher.add(item_sound_definition());
  const std::vector<Registry::Part> parts = algorithms.parts(name, params);
  for (std::size_t i = 1; i < parts.size(); ++i) hasher.add(parts[i].entry->info.name).add(parts[i].entry->info.version);
}

std::string fit_id(const Spec& spec, const PlannedTrial& trial, const DatasetSummary& dataset, const Registry& algorithms) {
  const AlgorithmInfo& info = algorithms.find(trial.algorithm->algorithm).info;
  Hasher hasher;
  hasher.add("fit 1").add(dataset.fingerprint).add(spec.task.canonical()).add(trial.fold);
  hasher.add(info.name).add(info.version).add(trial.non_default.canonical()).add(trial.seed);
  add_parts(algorithms, info.name, trial.params, hasher);
  if (trial.algorithm->learned) hasher.add("learned").add(FeedbackSpec::schema().to_value(*trial.algorithm->learned).canonical());
  if (trial.tuning && trial.algorithm->tune->refit) return hasher.add("refit").hex().substr(0, 16);
  // The stopping policy decides which epoch is kept, but only where there is validation data and a loop to stop.
  if (info.iterative && spec.task.split.validation > 0) {
    const ViewSpec view = validation_view(views_at(spec, trial.views), spec.stopping);
    hasher.add(StoppingSpec::schema().to_value(spec.stopping).canonical()).add(view.identity().canonical());
  }
  return hasher.hex().substr(0, 16);
}

std::string tuning_id(const Spec& spec, const Tuning& tuning, const DatasetSummary& dataset, const Registry& algorithms, const Value& non_default) {
  const AlgorithmInfo& info = algorithms.find(tuning.algorithm->algorithm).info;
  const MetricSpec metric = parse_metric(tuning.algorithm->tune->metric);
  Hasher hasher;
  hasher.add("tuning 1").add(dataset.fingerprint).add(spec.task.canonical()).add(tuning.fold);
  hasher.add(info.name).add(info.version).add(non_default.canonical()).add(tuning.seed);
  add_parts(algorithms, info.name, non_default, hasher);
  hasher.add(metric.text()).add(metric.card->version).add(validation_view(views_at(spec, tuning.views), spec.stopping).identity().canonical());
  if (info.iterative && spec.stopping.patience > 0) hasher.add(StoppingSpec::schema().to_value(spec.stopping).canonical());
  return hasher.hex().substr(0, 16);
}

bool judges(const AlgorithmInfo& info, const ViewSpec& view) {
  if (is_rating_view(view)) return info.predicts_ratings;
  return info.ranks && (view.retrieval.exact() || info.embeddings);
}

// An index finds lists, of models whose scores are inner products.
void check_retrieval(const Spec& spec, const Registry& algorithms) {
  for (const ViewSpec& view : spec.views) {
    if (view.retrieval.exact()) continue;
    for (std::size_t i = 0; i < view.metrics.size(); ++i) {
      const std::vector<Fact>& needs = parse_metric(view.metrics[i]).card->needs;
      if (is_rating_view(view) || std::find(needs.begin(), needs.end(), Fact::kTieCounts) != needs.end())
        throw UsageError("{}retrieval '{}' finds lists alone, and metric '{}' needs more; judge it under retrieval: exact",
                         view.metric_marks[i].prefix(), view.retrieval.kind, view.metrics[i]);
    }
    std::vector<std::string> known;
    for (const std::string& name : algorithms.names())
      if (algorithms.find(name).info.embeddings) known.push_back(name);
    if (std::none_of(spec.algorithms.begin(), spec.algorithms.end(), [&](const AlgorithmEntry& a) { return algorithms.find(a.algorithm).info.embeddings; }))
      throw UsageError("{}retrieval '{}' needs an algorithm whose scores are inner products of vectors, and this suite has none; there are: {}",
                       view.metric_marks.front().prefix(), view.retrieval.kind, fmt::join(known, ", "));
  }
}

// Bad data is reported with the place in the suite that asked for it, before the place in the data.
const DatasetSummary& summary_of(const DatasetEntry& entry, DatasetStore& datasets) {
  try {
    return datasets.summary(entry);
  } catch (const DataError& e) {
    throw DataError("{}data set '{}': {}", entry.mark.prefix(), entry.label, e.what());
  }
}

void check_fits_dataset(const Spec& spec, const DatasetEntry& entry, const DatasetSummary& summary, const Registry& algorithms) {
  if (spec.task.feedback.transform == "rating" && !summary.has_ratings)
    throw UsageError("{}feedback 'rating' needs star ratings, and data set '{}' has none; use binary, linear_confidence, log_confidence, bm25 or signals", entry.mark.prefix(), entry.label);
  if (spec.task.split.strategy == "global_time" && !summary.has_times)
    throw UsageError("{}split global_time needs timestamps, and data set '{}' has none; use leave_last_out or random_ratio", entry.mark.prefix(), entry.label);
  for (const ViewSpec& view : spec.views) {
    if (view.candidates == "given" && !(summary.has_negatives && spec.task.split.strategy == "given"))
      throw UsageError("{}candidates 'given' need lists that come with the data, and data set '{}' {}; use full or {{sampled: 99}}", view.metric_marks.front().prefix(),
                       entry.label, summary.has_negatives ? "has them only under split: {strategy: given}" : "has none");
    if (view.candidates == "sampled" && static_cast<std::uint64_t>(view.sampled) >= summary.items)
      throw UsageError("{}cannot sample {} negatives: data set '{}' has {} items", view.metric_marks.front().prefix(), view.sampled, entry.label, summary.items);
  }
  // How items sound follows from where their sound is.
  const auto given = [](std::string_view facet) { return facet == ItemSound::kName ? ItemAudio::kName : facet; };
  const auto has = [&](std::string_view facet) { return facet == kNeedsTimes ? summary.has_times : std::find(summary.facets.begin(), summary.facets.end(), facet) != summary.facets.end(); };
  const auto lacks = [&](const std::string& mark, const std::string& what, std::string_view facet) {
    return UsageError("{}{} needs '{}', which data set '{}' does not have; it has: {}", mark, what, facet, entry.label, fmt::join(summary.facets, ", "));
  };
  if (spec.task.split.strategy == "cold_items" && spec.task.split.cold_by != "item") {
    const std::string_view facet = spec.task.split.cold_by == "artist" ? ItemArtist::kName : ItemRelease::kName;
    if (!has(facet)) throw lacks(entry.mark.prefix(), fmt::format("split cold_items by {}", spec.task.split.cold_by), facet);
  }
  for (const ViewSpec& view : spec.views)
    if (std::find(view.exclude.begin(), view.exclude.end(), "artists") != view.exclude.end() && !has(ItemArtist::kName))
      throw lacks(view.metric_marks.front().prefix(), "exclude: artists", ItemArtist::kName);
  for (const ViewSpec& view : spec.views)
    for (std::size_t i = 0; i < view.metrics.size(); ++i) {
      const MetricSpec metric = parse_metric(view.metrics[i]);
      if (metric.slice.card != nullptr && metric.slice.card->needs == Fact::kTimes && !has(kNeedsTimes))
        throw lacks(view.metric_marks[i].prefix(), fmt::format("metric '{}'", view.metrics[i]), kNeedsTimes);
      for (const Fact fact : metric.card->needs) {
        const std::string_view facet = fact == Fact::kTags ? ItemTags::kName : fact == Fact::kArtists ? ItemArtist::kName : std::string_view();
        if (!facet.empty() && !has(facet))
          throw lacks(view.metric_marks[i].prefix(), fmt::format("metric '{}'", view.metrics[i]), facet);
        if (fact == Fact::kVectors)
          throw UsageError("{}metric '{}' needs item vectors; run without it, then: segue evaluate RESULTS --metrics {} --embeddings LABEL", view.metric_marks[i].prefix(), view.metrics[i], view.metrics[i]);
      }
    }
  for (const AlgorithmEntry& a : spec.algorithms)
    for (const std::string& need : algorithms.needs(a.algorithm, a.params))
      if (!has(given(need))) throw lacks(a.mark.prefix(), fmt::format("algorithm '{}'", a.algorithm), given(need));
}

}  // namespace

bool needs_sound(const Registry& algorithms, const std::string& name, const Value& params) {
  const std::vector<std::string> needs = algorithms.needs(name, params);
  return std::find(needs.begin(), needs.end(), ItemSound::kName) != needs.end();
}

Plan make_plan(const Spec& spec, const Registry& algorithms, DatasetStore& datasets, const TuningResults& results) {
  Plan plan;
  plan.manifest.suite = spec.name;
  plan.manifest.spec = spec.resolved.to_json();
  plan.manifest.plots = spec.plots;
  check_retrieval(spec, algorithms);
  for (const AlgorithmEntry& a : spec.algorithms) plan.manifest.labels.push_back(a.label);
  for (const DatasetEntry& entry : spec.datasets) {
    const DatasetSummary& summary = summary_of(entry, datasets);
    check_fits_dataset(spec, entry, summary, algorithms);
    std::vector<std::string> task_ids;
    for (std::size_t v = 0; v < spec.views.size(); ++v) {
      const ViewSpec& view = spec.views[v];
      ManifestTask task;
      task.ratings = is_rating_view(view);
      // Judging ratings and judging lists are different tasks even when everything else agrees.
      task.id = task_id(summary.fingerprint, spec.task, view) + (task.ratings ? "r" : "");
      task.name = task_name(spec, entry, view);
      task.dataset = entry.label;
      task.dataset_title = summary.title;
      task.dataset_fingerprint = summary.fingerprint;
      task.metrics = view.metrics;
      for (const PublishedSpec& p : spec.published)
        if (p.task == task.name) task.published.push_back({p.label, p.metric, *p.value, p.bound(), p.source, p.note});
      task.view = v;
      task.sampled = view.candidates != "full";
      if (!view.retrieval.exact()) task.retrieval = view.retrieval.kind;
      task.description = fmt::format("{{\"task\":{},\"view\":{}}}", spec.task.canonical(), view.identity().canonical());
      const auto twin = std::find_if(plan.manifest.tasks.begin(), plan.manifest.tasks.end(), [&](const ManifestTask& t) { return t.id == task.id; });
      if (twin != plan.manifest.tasks.end())
        throw UsageError("{}'{}' and '{}' are the same task; merge their metrics into one entry", view.metric_marks.front().prefix(), twin->name, task.name);
      task_ids.push_back(task.id);
      plan.manifest.tasks.push_back(std::move(task));
    }
    const std::vector<std::string> folds = fold_names(entry.label, summary.given, spec.task.split);
    for (const AlgorithmEntry& a : spec.algorithms) {
      const AlgorithmInfo& info = algorithms.find(a.algorithm).info;
      const AnySchema& schema = algorithms.find(a.algorithm).schema;
      std::vector<std::size_t> views;
      for (std::size_t v = 0; v < spec.views.size(); ++v)
        if (judges(info, spec.views[v])) views.push_back(v);
      for (const std::string& fold : folds) {
        // Each fold has a tuner of its own: validation data of one fold may be test data of another.
        if (a.tune) {
          Tuning tuning;
          tuning.algorithm = &a;
          tuning.dataset = &entry;
          tuning.fold = fold;
          tuning.seed = a.seeds.front();
          tuning.views = views;
          replay(tuning, schema, [&](const Value& non_default) { return tuning_id(spec, tuning, summary, algorithms, non_default); }, results);
          plan.manifest.tuning.push_back(tuning.manifest());
          plan.tunings.push_back(std::move(tuning));
        }
        for (const std::uint64_t seed : a.seeds) {
          PlannedTrial trial;
          trial.algorithm = &a;
          trial.dataset = &entry;
          trial.fold = fold;
          trial.seed = seed;
          trial.views = views;
          for (const std::size_t v : views) trial.tasks.push_back(task_ids[v]);
          trial.params = a.params;
          trial.non_default = a.non_default;
          if (a.tune) {
            const Tuning& tuning = plan.tunings.back();
            trial.tuning = plan.tunings.size() - 1;
            trial.open = !tuning.winner;
            if (tuning.winner) {
              trial.params = tuning.winner_params(schema);
              trial.non_default = schema.non_default(trial.params, "algorithm '" + a.algorithm + "'");
            }
          }
          trial.fit = trial.open ? Hasher().add("open").add(a.label).add(entry.label).add(fold).add(seed).hex().substr(0, 16) : fit_id(spec, trial, summary, algorithms);
          ManifestTrial m{trial.fit, a.label, a.algorithm, entry.label, fold, seed, trial.tasks, trial.params.to_json(), a.group};
          if (a.tune && !trial.open) m.tuned = plan.tunings.back().settings;
          m.tuned_from = a.tuned_from;
          m.refit = a.tune && a.tune->refit;
          plan.manifest.trials.push_back(std::move(m));
          plan.trials.push_back(std::move(trial));
        }
      }
    }
  }
  return plan;
}

}  // namespace segue
