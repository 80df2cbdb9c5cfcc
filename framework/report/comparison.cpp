#include "framework/report/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/eval/summary.hpp"
#include "framework/param/scalar.hpp"

namespace segue {

namespace {

struct Chosen {
  const EvidenceRow* row;
  RowMetric figure;
  std::vector<double> units, shares;
};

std::string incomplete(const EvidenceRow& row) {
  return fmt::format("{}: {} of {} trials are missing{}", row.label, row.trials.size() - row.present(), row.trials.size(),
                     row.failed() > 0 ? ", some failed" : "");
}

// The rows that can be compared, best first; the others are named with the reason.
std::vector<Chosen> choose(const TaskEvidence& evidence, const MetricSpec& metric, const std::vector<std::string>& labels, const Executor& exec,
                           std::vector<std::string>& left_out) {
  std::vector<const EvidenceRow*> rows;
  if (labels.empty())
    for (const EvidenceRow& row : evidence.rows) rows.push_back(&row);
  for (const std::string& label : std::set<std::string>(labels.begin(), labels.end())) rows.push_back(&evidence.find(label));
  std::vector<RowMetric> figures(rows.size());
  exec.for_blocks(rows.size(), 1, [&](std::size_t i, std::size_t) {
    if (rows[i]->present() > 0) figures[i] = evidence.evaluate(*rows[i], {&metric, 1}).front();
  });
  std::vector<Chosen> chosen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> units = figures[i].units();
    if (units.empty() && figures[i].whole) {
      if (!figures[i].missing.empty()) throw UsageError("{}", figures[i].missing);
      if (metric.card->kind == MetricKind::kUnion)
        throw UsageError("{} has one value for all lists together, none a user, so there is nothing to pair; `segue evaluate` prints it", metric.text());
      throw UsageError("{} has no value for any user{}, so there is nothing to compare", metric.text(), rows[i]->trials.size() > 1 ? " of some fold" : "");
    }
    if (units.empty()) {
      left_out.push_back(incomplete(*rows[i]));
      continue;
    }
    std::vector<double> shares = figures[i].shares();
    chosen.push_back({rows[i], std::move(figures[i]), std::move(units), std::move(shares)});
  }
  if (!chosen.empty()) {
    const std::size_t n = chosen.front().units.size();
    for (const Chosen& c : chosen) SEGUE_CHECK(c.units.size() == n, "row '{}' has {} users, another has {}", c.row->label, c.units.size(), n);
  }
  const bool higher = metric.card->higher_is_better;
  std::stable_sort(chosen.begin(), chosen.end(), [&](const Chosen& a, const Chosen& b) {
    return higher ? mean_of(a.units) > mean_of(b.units) : mean_of(a.units) < mean_of(b.units);
  });
  return chosen;
}

ComparedRow row_of(const Chosen& chosen) {
  ComparedRow row;
  row.label = chosen.row->label;
  row.algorithm = chosen.row->algorithm;
  row.mean = mean_of(chosen.units);
  row.seeds = chosen.figure.by_seed.size();
  if (row.seeds > 1 && chosen.units.size() > 1) {
    std::vector<double> values;
    for (const auto& seed : chosen.figure.by_seed) values.insert(values.end(), seed.begin(), seed.end());
    row.variance = stats::variance_components(values, row.seeds, chosen.units.size());
  }
  return row;
}

}  // namespace

Comparison compare(const TaskEvidence& evidence, const MetricSpec& metric, const ComparisonOptions& options, const Executor& exec) {
  Comparison c;
  c.task = evidence.task;
  c.metric = metric.text();
  c.higher_is_better = metric.card->higher_is_better;
  c.descriptive = metric.card->descriptive;
  std::vector<std::string> labels = options.labels;
  if (!labels.empty() && !options.baseline.empty()) labels.push_back(options.baseline);
  const std::vector<Chosen> chosen = choose(evidence, metric, labels, exec, c.left_out);
  if (chosen.size() < 2)
    throw UsageError("task '{}' has {} to compare{}", evidence.task.name, chosen.empty() ? "no complete row" : "only one complete row",
                     c.left_out.empty() ? "" : " (" + fmt::format("{}", fmt::join(c.left_out, "; ")) + ")");
  c.units = chosen.front().units.size();
  const Rng rng(options.seed);
  const stats::BootstrapOptions bootstrap{.resamples = options.resamples, .level = options.level, .method = options.interval};
  std::vector<double> values;
  for (const Chosen& one : chosen) {
    c.rows.push_back(row_of(one));
    values.insert(values.end(), one.units.begin(), one.units.end());
  }
  const auto intervals = stats::bootstrap_means(values, chosen.size(), c.units, bootstrap, rng, exec);
  for (std::size_t r = 0; r < chosen.size(); ++r) c.rows[r].interval = intervals[r];

  std::size_t baseline = 0;
  if (!options.baseline.empty()) {
    const auto it = std::find_if(c.rows.begin(), c.rows.end(), [&](const ComparedRow& r) { return r.label == options.baseline; });
    if (it == c.rows.end()) {
      evidence.find(options.baseline);  // an unknown name is the better message
      throw UsageError("baseline '{}' is not complete on task '{}'", options.baseline, evidence.task.name);
    }
    baseline = static_cast<std::size_t>(it - c.rows.begin());
  }
  for (std::size_t a = 0; a < c.rows.size(); ++a)
    for (std::size_t b = 0; b < c.rows.size(); ++b)
      if (options.all_pairs ? a < b : b == baseline && a != b) c.pairs.push_back({.a = a, .b = b, .interval = {}, .effect = {}});

  std::vector<double> differences, shares;
  for (const ComparedPair& pair : c.pairs) {
    const std::vector<double> d = stats::paired_differences(chosen[pair.a].units, chosen[pair.b].units);
    differences.insert(differences.end(), d.begin(), d.end());
    const std::vector<double> s = stats::paired_differences(chosen[pair.a].shares, chosen[pair.b].shares);
    shares.insert(shares.end(), s.begin(), s.end());
  }
  const auto of = [&](std::size_t pair) { return std::span(differences).subspan(pair * c.units, c.units); };
  const auto shares_of = [&](std::size_t pair) { return std::span(shares).subspan(pair * c.units, c.units); };
  const auto pair_intervals = stats::bootstrap_means(differences, c.pairs.size(), c.units, bootstrap, rng, exec);
  std::vector<stats::SignFlipTest> flips;
  if (options.test == PairedTest::kRandomisation) flips = stats::sign_flip_tests(shares, c.pairs.size(), c.units, options.resamples, rng, exec);
  std::vector<double> p;
  for (std::size_t i = 0; i < c.pairs.size(); ++i) {
    ComparedPair& pair = c.pairs[i];
    pair.difference = mean_of(of(i));
    pair.interval = pair_intervals[i];
    pair.p = options.test == PairedTest::kRandomisation ? flips[i].p_tail
             : options.test == PairedTest::kStudentT    ? stats::paired_t_test(of(i)).p
                                                        : stats::wilcoxon_signed_rank(shares_of(i)).p;
    pair.effect = stats::effect_size(of(i));
    pair.effect.superiority = stats::effect_size(shares_of(i)).superiority;
    for (const double d : shares_of(i)) ++(d > 0 ? pair.higher : d < 0 ? pair.lower : pair.equal);
    if (c.units > 1) pair.detectable = stats::minimum_detectable_difference(of(i), options.alpha);
    p.push_back(pair.p);
  }
  const std::vector<double> adjusted = stats::adjusted(p, options.adjustment);
  for (std::size_t i = 0; i < c.pairs.size(); ++i) {
    c.pairs[i].p_adjusted = adjusted[i];
    c.pairs[i].distinguishable = adjusted[i] <= options.alpha;
  }
  return c;
}

AcrossTasks compare_across(const std::vector<TaskEvidence>& tasks, const std::string& metric_text, double alpha, const Executor& exec) {
  AcrossTasks out;
  const MetricSpec metric = parse_metric(metric_text);
  out.metric = metric.text();
  std::vector<std::map<std::string, double>> figures;
  const TaskEvidence* first = nullptr;
  for (const TaskEvidence& task : tasks) {
    if (task.task.ratings != (metric.card->kind == MetricKind::kRating)) continue;
    if (first == nullptr) first = &task;
    std::map<std::string, double>& of = figures.emplace_back();
    out.tasks.push_back(task.task.name + (task.task.dataset_title.empty() ? "" : " on " + task.task.dataset_title) + (task.task.sampled ? " ~" : task.task.retrieval.empty() ? "" : " (" + task.task.retrieval + ")"));
    std::vector<double> means(task.rows.size(), std::nan(""));
    exec.for_blocks(task.rows.size(), 1, [&](std::size_t r, std::size_t) {
      if (task.rows[r].present() == task.rows[r].trials.size()) means[r] = task.evaluate(task.rows[r], {&metric, 1}).front().mean;
    });
    for (std::size_t r = 0; r < means.size(); ++r)
      if (!std::isnan(means[r])) of[task.rows[r].label] = means[r];
  }
  if (figures.size() < 2) throw UsageError("{} can be compared over two or more tasks; {} found", out.metric, figures.size() == 1 ? "one was" : "none was");
  for (const EvidenceRow& row : first->rows)
    if (std::all_of(figures.begin(), figures.end(), [&](const auto& f) { return f.contains(row.label); })) out.labels.push_back(row.label);
  if (out.labels.size() < 2) throw UsageError("{} of these rows {} complete on all {} tasks; two or more are needed", out.labels.size(), out.labels.size() == 1 ? "is" : "are", figures.size());
  std::vector<double> signed_means;
  for (const auto& f : figures)
    for (const std::string& label : out.labels) {
      out.means.push_back(f.at(label));
      signed_means.push_back(metric.card->higher_is_better ? f.at(label) : -f.at(label));
    }
  out.friedman = stats::friedman_test(signed_means, figures.size(), out.labels.size());
  out.critical_difference = stats::nemenyi_critical_difference(figures.size(), out.labels.size(), alpha);
  out.cliques = stats::cliques(out.friedman.mean_ranks, out.critical_difference);
  return out;
}

namespace {

void flatten(const Value& value, const std::string& path, std::vector<std::pair<std::string, std::string>>& out) {
  if (!value.is_map()) {
    out.emplace_back(path, value.kind() == Value::Kind::kReal ? format_canonical(value.as_real()) : value.text());
    return;
  }
  for (const auto& entry : value.entries()) flatten(entry.value, path.empty() ? entry.key : path + "." + entry.key, out);
}

// "task.split.seed" -> "split.seed"; "view.candidates" -> "candidates"
std::map<std::string, std::string> settings_of(const Value& description) {
  std::vector<std::pair<std::string, std::string>> flat;
  flatten(description, "", flat);
  std::map<std::string, std::string> out;
  for (auto& [key, text] : flat) out[key.substr(key.find('.') + 1)] = text;
  return out;
}

std::map<std::string, std::string> settings_of(const ManifestTask& task) {
  std::map<std::string, std::string> out = settings_of(Value::from_json(task.description));
  out["dataset"] = fmt::format("{} ({})", task.dataset_title.empty() ? task.dataset : task.dataset_title, task.dataset_fingerprint.substr(0, 8));
  out["judged on"] = task.ratings ? "ratings" : "rankings";
  return out;
}

}  // namespace

std::vector<std::string> task_differences(const ManifestTask& a, const ManifestTask& b, const Value& defaults) {
  std::vector<std::string> lines;
  if (a.id == b.id) return lines;
  const auto left = settings_of(a), right = settings_of(b), left_out = settings_of(defaults);
  const auto setting = [&](const std::map<std::string, std::string>& settings, const std::string& key) {
    if (const auto it = settings.find(key); it != settings.end()) return it->second;
    // -1 stands for a size that depends on the strategy.
    const auto it = left_out.find(key);
    return it == left_out.end() || it->second == "-1" || it->second == "null" ? std::string("not set") : it->second;
  };
  std::set<std::string> keys;
  for (const auto& [key, text] : left) keys.insert(key);
  for (const auto& [key, text] : right) keys.insert(key);
  for (const std::string& key : keys) {
    const std::string one = setting(left, key), other = setting(right, key);
    if (one != other) lines.push_back(fmt::format("{}: {} and {}", key, one, other));
  }
  return lines;
}

}  // namespace segue
