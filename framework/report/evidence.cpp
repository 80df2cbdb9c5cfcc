#include "framework/report/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/eval/summary.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

ViewParts parts_for(std::span<const MetricSpec> metrics) {
  ViewParts parts = ViewParts::ranks_only();
  for (const MetricSpec& m : metrics) {
    parts.lists = parts.lists || m.card->kind == MetricKind::kUnion || m.card->kind == MetricKind::kList;
    parts.ties = parts.ties || contains(m.card->needs, Fact::kTieCounts);
  }
  return parts;
}

// What reading a trial leaves of a metric: values, and which unit each belongs to.
struct FoldValues {
  MetricValue value;
  std::vector<std::uint32_t> units;
};

}  // namespace

std::size_t EvidenceRow::present() const {
  return static_cast<std::size_t>(std::count_if(trials.begin(), trials.end(), [](const auto& t) { return t.present; }));
}

std::size_t EvidenceRow::failed() const {
  return static_cast<std::size_t>(std::count_if(trials.begin(), trials.end(), [](const auto& t) { return t.failed; }));
}

namespace {

std::vector<double> averaged(const std::vector<std::vector<double>>& by_seed) {
  if (by_seed.size() <= 1) return by_seed.empty() ? std::vector<double>{} : by_seed.front();
  std::vector<double> average(by_seed.front().size(), 0);
  for (const auto& seed : by_seed)
    for (std::size_t u = 0; u < average.size(); ++u) average[u] += seed.at(u);
  for (double& value : average) value /= static_cast<double>(by_seed.size());
  return average;
}

}  // namespace

std::vector<double> RowMetric::units() const { return averaged(by_seed); }

std::vector<double> RowMetric::shares() const { return averaged(shares_by_seed.empty() ? by_seed : shares_by_seed); }

std::vector<double> RowMetric::own() const {
  std::vector<double> values = shares();
  for (std::size_t u = 0; u < values.size(); ++u) {
    if (!weights.empty()) values[u] /= weights[u];
    if (root) values[u] = std::sqrt(values[u]);
  }
  return values;
}

// The task file, read when first asked for, and which unit each of its queries belongs to.
struct TaskEvidence::Lazy {
  std::mutex mutex;
  std::unique_ptr<StoredTask> stored;
  std::map<std::string, ItemFacts> facts;
  std::map<std::string, std::vector<std::uint32_t>> units;  // by fold, one a query

  const StoredTask* load(const fs::path& file) {
    const std::lock_guard lock(mutex);
    if (stored != nullptr) return stored.get();
    if (!fs::exists(file)) return nullptr;
    auto task = std::make_unique<StoredTask>(read_task(file));
    std::map<std::string, std::uint32_t> users;
    for (const StoredTaskFold& fold : task->folds)
      for (const std::string& user : fold.users) users.try_emplace(user, static_cast<std::uint32_t>(users.size()));
    for (const StoredTaskFold& fold : task->folds) {
      facts[fold.name] = item_facts(*task, fold);
      for (const std::string& user : fold.users) units[fold.name].push_back(users.at(user));
    }
    stored = std::move(task);
    return stored.get();
  }
};

const StoredTask& TaskEvidence::stored() const {
  const StoredTask* task_of = lazy_->load(task_file);
  if (task_of == nullptr) throw DataError("{} is missing; run the suite again", task_file.string());
  return *task_of;
}

const EvidenceRow& TaskEvidence::find(const std::string& label) const {
  for (const EvidenceRow& row : rows)
    if (row.label == label) return row;
  std::vector<std::string> known;
  for (const EvidenceRow& row : rows) known.push_back(row.label);
  throw UsageError("no row '{}' in task '{}'{}", label, task.name, suggestion(label, known));
}

void TaskEvidence::with_outcome(const EvidenceTrial& trial, const TrialFile& file, ViewParts parts,
                                const std::function<void(const RankingOutcome&)>& use) const {
  const StoredTask* judge = lazy_->load(task_file);
  const StoredTaskFold* fold = judge == nullptr ? nullptr : judge->find_fold(trial.fold);
  parts.truth = fold == nullptr;
  const std::optional<StoredView> view = file.view(task.id, parts);
  if (!view) throw DataError("{} was not judged on task '{}' ({}); run the suite again", trial.file.string(), task.name, task.id);
  RankingOutcome outcome = view->outcome();
  ItemFacts facts;
  if (fold != nullptr) {
    if (fold->truth_items.size() != view->truth_rank.size() || fold->users.size() != view->queries)
      throw DataError("{} and {} do not belong together; run the suite again with --fresh", trial.file.string(), task_file.string());
    outcome.truth_offsets = fold->truth_offsets;
    outcome.truth_items = fold->truth_items;
    outcome.truth_gains = fold->truth_gains;
    facts = lazy_->facts.at(fold->name);
    if (facts.items * vector_dim == item_vectors.size()) {
      facts.vectors = item_vectors;
      facts.vector_dim = vector_dim;
    }
    outcome.item_facts = &facts;
    outcome.query_facts = query_facts(*fold);
  }
  use(outcome);
}

std::vector<MetricValue> TaskEvidence::evaluate_trial(const EvidenceTrial& trial, const TrialFile& file, std::span<const MetricSpec> metrics,
                                                      std::vector<std::string>* missing) const {
  for (const MetricSpec& m : metrics)
    if ((m.card->kind == MetricKind::kRating) != task.ratings)
      throw UsageError("task '{}' {}; {} is computed from {}", task.name, task.ratings ? "predicts ratings" : "ranks items", m.text(),
                       task.ratings ? "ranked lists" : "predicted ratings");
  std::vector<MetricValue> values;
  if (task.ratings) {
    const std::optional<StoredRatings> ratings = file.ratings(task.id);
    if (!ratings) throw DataError("{} was not judged on task '{}' ({}); run the suite again", trial.file.string(), task.name, task.id);
    for (const MetricSpec& m : metrics) values.push_back(compute(m, ratings->outcome()));
  } else {
    with_outcome(trial, file, parts_for(metrics), [&](const RankingOutcome& outcome) {
      std::vector<MetricSpec> possible;
      std::vector<std::string> reasons;
      for (const MetricSpec& m : metrics) {
        reasons.push_back(why_not(m, outcome));
        if (reasons.back().empty()) possible.push_back(m);
      }
      std::vector<MetricValue> computed = compute(possible, outcome);
      auto next = computed.begin();
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        values.push_back(reasons[m].empty() ? std::move(*next++) : MetricValue{.mean = std::numeric_limits<double>::quiet_NaN()});
        if (missing != nullptr) missing->push_back(std::move(reasons[m]));
      }
    });
  }
  return values;
}

namespace {

// The unit of each value of a rating metric: the user, or for a metric a user the users in ascending order.
std::vector<std::uint32_t> rating_units(const std::vector<std::uint32_t>& users, bool by_user) {
  if (!by_user) return users;
  const std::set<std::uint32_t> distinct(users.begin(), users.end());
  return {distinct.begin(), distinct.end()};
}

// One value a unit of each kind; see the header.
struct UnitValues {
  std::vector<double> values, shares, weights;  // the latter two empty where every unit has one query in one fold
};

// From the values of the folds of one seed. `root`: the figure is the root of the mean. Empty where a fold has no value.
UnitValues unit_values(const std::vector<FoldValues>& folds, bool root) {
  std::uint32_t largest = 0;
  for (const FoldValues& f : folds)
    for (const std::uint32_t u : f.units) largest = std::max(largest, u);
  std::vector<std::uint32_t> seen(std::size_t{largest} + 1, 0);
  bool plain = folds.size() == 1 && !root;
  for (const FoldValues& f : folds) {
    SEGUE_CHECK(f.units.size() == f.value.per_query.size(), "{} units for {} values", f.units.size(), f.value.per_query.size());
    for (std::size_t i = 0; i < f.units.size(); ++i)
      if (!std::isnan(f.value.per_query[i]) && ++seen[f.units[i]] > 1) plain = false;
  }
  UnitValues all;
  all.values.assign(seen.size(), 0);
  if (!plain) all.shares = all.weights = all.values;
  double figure = 0;
  const auto n_units = static_cast<double>(std::count_if(seen.begin(), seen.end(), [](auto s) { return s > 0; }));
  for (const FoldValues& f : folds) {
    double sum = 0, n = 0;
    for (const double v : f.value.per_query)
      if (!std::isnan(v)) sum += v, ++n;
    if (n == 0) return {};
    const double mean = sum / n;
    const double slope = !root ? 1 : mean > 0 ? 0.5 / std::sqrt(mean) : 0;
    figure += f.value.mean / static_cast<double>(folds.size());
    const double scale = n_units / static_cast<double>(folds.size()) / n;
    for (std::size_t i = 0; i < f.units.size(); ++i) {
      const double v = f.value.per_query[i];
      if (std::isnan(v)) continue;
      const std::uint32_t u = f.units[i];
      if (plain) {
        all.values[u] = v;
        continue;
      }
      all.values[u] += scale * slope * (v - mean);
      all.shares[u] += scale * v;
      all.weights[u] += scale;
    }
  }
  std::size_t kept = 0;
  for (std::size_t u = 0; u < seen.size(); ++u) {
    if (seen[u] == 0) continue;
    all.values[kept] = plain ? all.values[u] : figure + all.values[u];
    if (!plain) {
      all.shares[kept] = all.shares[u];
      all.weights[kept] = all.weights[u];
    }
    ++kept;
  }
  all.values.resize(kept);
  if (!plain) {
    all.shares.resize(kept);
    all.weights.resize(kept);
  }
  return all;
}

}  // namespace

std::vector<RowMetric> TaskEvidence::evaluate(const EvidenceRow& row, std::span<const MetricSpec> metrics, const TrialVisitor& visit) const {
  std::vector<RowMetric> out(metrics.size());
  // By metric and seed: the folds in the order of the row's trials.
  std::vector<std::map<std::uint64_t, std::vector<FoldValues>>> by_seed(metrics.size());
  std::map<std::uint64_t, std::size_t> planned;
  for (const EvidenceTrial& trial : row.trials) {
    ++planned[trial.seed];
    if (!trial.present) continue;
    const TrialFile file(trial.file);
    if (visit) visit(trial, file);
    std::vector<std::string> missing;
    std::vector<MetricValue> values = evaluate_trial(trial, file, metrics, &missing);
    const std::vector<std::uint32_t>* query_units = nullptr;
    std::vector<std::uint32_t> users;
    if (task.ratings) users = file.ratings(task.id)->users;
    else if (lazy_->load(task_file) != nullptr && lazy_->units.contains(trial.fold)) query_units = &lazy_->units.at(trial.fold);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      out[m].by_trial.push_back(values[m].mean);
      if (!missing.empty() && out[m].missing.empty()) out[m].missing = missing[m];
      FoldValues fold{std::move(values[m]), {}};
      if (!fold.value.per_query.empty()) {
        if (task.ratings) {
          fold.units = rating_units(users, metrics[m].card->by_user);
        } else if (query_units != nullptr) {
          fold.units = *query_units;
        } else {
          fold.units.resize(fold.value.per_query.size());
          std::iota(fold.units.begin(), fold.units.end(), 0u);
        }
      }
      by_seed[m][trial.seed].push_back(std::move(fold));
    }
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<double> of_whole_seeds;
    std::size_t at = 0;
    for (const EvidenceTrial& trial : row.trials) {
      if (!trial.present) continue;
      if (by_seed[m].at(trial.seed).size() == planned[trial.seed]) of_whole_seeds.push_back(out[m].by_trial[at]);
      ++at;
    }
    out[m].whole = !of_whole_seeds.empty();
    out[m].mean = mean_of(out[m].whole ? of_whole_seeds : out[m].by_trial);
    out[m].root = metrics[m].card->root_of_mean;
    for (const auto& [seed, folds] : by_seed[m]) {
      std::uint64_t n = 0;
      for (const FoldValues& f : folds) n += f.value.n;
      out[m].n = std::max(out[m].n, n);
      if (folds.size() < planned[seed] || folds.empty() || folds.front().value.per_query.empty()) continue;
      UnitValues units = unit_values(folds, metrics[m].card->root_of_mean);
      if (units.values.empty()) continue;
      out[m].seeds.push_back(seed);
      out[m].by_seed.push_back(std::move(units.values));
      if (!units.shares.empty()) out[m].shares_by_seed.push_back(std::move(units.shares));
      out[m].weights = std::move(units.weights);
    }
  }
  return out;
}

std::vector<TaskEvidence> gather_evidence(std::span<const ResultsFolder> folders, const std::string& wanted) {
  std::vector<TaskEvidence> tasks;
  std::vector<std::string> known;
  for (const ResultsFolder& folder : folders) {
    const Manifest manifest = folder.read_manifest();
    const auto journal = Journal(folder.journal_file()).last_by_fit();
    std::map<std::pair<std::string, std::string>, std::vector<const ManifestTrial*>> trials;  // by dataset and label
    for (const ManifestTrial& t : manifest.trials) trials[{t.dataset, t.label}].push_back(&t);
    for (const ManifestTask& task : manifest.tasks) {
      if (!contains(known, task.name)) known.push_back(task.name);
      if (!wanted.empty() && wanted != task.name && wanted != task.id) continue;
      auto at = std::find_if(tasks.begin(), tasks.end(), [&](const TaskEvidence& t) { return t.task.id == task.id; });
      if (at == tasks.end()) {
        TaskEvidence fresh;
        fresh.task = task;
        fresh.task_file = folder.task_file(task.id);
        fresh.lazy_ = std::make_shared<TaskEvidence::Lazy>();
        tasks.push_back(std::move(fresh));
        at = tasks.end() - 1;
      }
      // A folder whose run ended before all folds were parted has no task file yet.
      if (!fs::exists(at->task_file) && fs::exists(folder.task_file(task.id))) at->task_file = folder.task_file(task.id);
      if (std::none_of(at->folders.begin(), at->folders.end(), [&](const ResultsFolder& f) { return f.root == folder.root; })) at->folders.push_back(folder);
      for (const std::string& m : task.metrics)
        if (!contains(at->task.metrics, m)) at->task.metrics.push_back(m);
      for (const std::string& label : manifest.labels) {
        EvidenceRow row;
        row.label = label;
        row.suite = manifest.suite;
        const auto found = trials.find({task.dataset, label});
        if (found == trials.end()) continue;
        for (const ManifestTrial* t : found->second) {
          if (!contains(t->tasks, task.id)) continue;
          if (row.trials.empty()) {
            row.algorithm = t->algorithm;
            row.params = t->params;
            row.group = t->group;
          }
          EvidenceTrial trial{.fit = t->fit, .fold = t->fold, .seed = t->seed, .file = folder.trial_file(t->fit), .error = {}};
          // A file that exists holds the tasks of its plan, but for a view that was added and has not run.
          try {
            trial.present = fs::exists(trial.file) && (manifest.tasks.size() == 1 || TrialFile(trial.file).has_task(task.id));
          } catch (const DataError& e) {
            trial.failed = true;
            trial.error = e.what();
          }
          if (const auto it = journal.find(t->fit); !trial.present && !trial.failed && it != journal.end() && it->second.is_failure()) {
            trial.failed = true;
            trial.error = it->second.error;
          }
          row.trials.push_back(std::move(trial));
        }
        if (row.trials.empty()) continue;
        const auto same = std::find_if(at->rows.begin(), at->rows.end(), [&](const EvidenceRow& r) { return r.label == label; });
        if (same != at->rows.end()) {
          const bool equal = std::equal(same->trials.begin(), same->trials.end(), row.trials.begin(), row.trials.end(),
                                        [](const auto& a, const auto& b) { return a.fit == b.fit; });
          if (equal && same->present() >= row.present()) continue;
          if (equal) {
            *same = std::move(row);
            continue;
          }
          row.label += " (" + manifest.suite + ")";
          for (int i = 2; std::any_of(at->rows.begin(), at->rows.end(), [&](const EvidenceRow& r) { return r.label == row.label; }); ++i)
            row.label = fmt::format("{} ({} {})", label, manifest.suite, i);
        }
        at->rows.push_back(std::move(row));
      }
    }
  }
  if (tasks.empty() && !wanted.empty()) {
    std::string where;
    for (const ResultsFolder& f : folders) where += (where.empty() ? "" : ", ") + f.root.string();
    throw UsageError("{} has no task '{}'{}", where, wanted, suggestion(wanted, known));
  }
  return tasks;
}

}  // namespace segue
