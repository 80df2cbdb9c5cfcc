#include "framework/report/gate.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

namespace {

struct Cost {
  const char* name;
  double (*value)(const LeaderboardRow&);
};
// Of an imported row nothing is known, so that no promise about it is kept.
double mib(const LeaderboardRow& r, std::uint64_t bytes) {
  return r.peak_rss_bytes > 0 ? static_cast<double>(bytes) / (1024.0 * 1024.0) : std::nan("");
}
const std::vector<Cost> kCosts = {
    {"fit_seconds", [](const LeaderboardRow& r) { return r.fit_seconds; }},
    {"latency_p50_us", [](const LeaderboardRow& r) { return r.latency_p50; }},
    {"latency_p99_us", [](const LeaderboardRow& r) { return r.latency_p99; }},
    {"peak_rss_mib", [](const LeaderboardRow& r) { return mib(r, r.peak_rss_bytes); }},
    {"model_mib", [](const LeaderboardRow& r) { return mib(r, r.model_bytes); }},
};

const Cost* find_cost(const std::string& name) {
  const auto it = std::find_if(kCosts.begin(), kCosts.end(), [&](const Cost& c) { return c.name == name; });
  return it == kCosts.end() ? nullptr : &*it;
}

const Leaderboard& board_of(const GateRule& rule, const std::vector<Leaderboard>& boards) {
  std::vector<std::string> known;
  for (const Leaderboard& b : boards) {
    if (!rule.task.empty() && (b.task.name == rule.task || b.task.id == rule.task)) return b;
    known.push_back(b.task.name);
  }
  if (!rule.task.empty()) throw UsageError("{}unknown task '{}'{}", rule.mark.prefix(), rule.task, suggestion(rule.task, known));
  if (boards.size() == 1) return boards.front();
  throw UsageError("{}say which task is meant: {}", rule.mark.prefix(), fmt::join(known, ", "));
}

// The figure, or why there is none.
std::optional<double> value_of(const GateRule& rule, const Leaderboard& board, std::string& why) {
  const auto row = std::find_if(board.rows.begin(), board.rows.end(), [&](const LeaderboardRow& r) { return r.label == rule.label; });
  if (row == board.rows.end()) {
    std::vector<std::string> known;
    for (const LeaderboardRow& r : board.rows) known.push_back(r.label);
    why = "there is no such row" + suggestion(rule.label, known);
    return std::nullopt;
  }
  if (row->trials < row->planned) {  // a figure of half the folds keeps no promise
    why = fmt::format("{} of its {} trials {}", row->planned - row->trials, row->planned, row->failed > 0 ? "are missing, some failed" : "have not run");
    return std::nullopt;
  }
  why = "it was not measured";
  double value = std::nan("");
  if (const Cost* cost = find_cost(rule.metric)) {
    value = cost->value(*row);
  } else if (const auto it = row->metrics.find(parse_metric(rule.metric).text()); it != row->metrics.end()) {
    if (rule.use != "mean" && !std::isnan(it->second.mean)) why = "it has no interval";
    value = rule.use == "low" ? it->second.low : rule.use == "high" ? it->second.high : it->second.mean;
  }
  if (std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace

Schema<GateRule> GateRule::schema() {
  using R = GateRule;
  Schema<R> s;
  s.field("task", &R::task, "name or id; may be left out where there is one task");
  s.field("label", &R::label, "the row");
  s.field("metric", &R::metric, "as in `segue metric list`, or fit_seconds, latency_p50_us, latency_p99_us, peak_rss_mib, model_mib");
  s.field("min", &R::min, "the figure must not be below");
  s.field("max", &R::max, "the figure must not be above");
  s.field("use", &R::use, "the mean, or an end of its interval").choices({"mean", "low", "high"});
  return s;
}

std::vector<GateRule> read_gate(const std::filesystem::path& file) {
  const Value document = load_yaml(file);
  if (!document.is_list()) throw UsageError("{}a gate is a list of rules: - {{label: popular, metric: ndcg@10, min: 0.1}}", document.mark().prefix());
  std::vector<GateRule> rules;
  for (const Value& entry : document.items()) {
    GateRule rule = GateRule::schema().parse(entry, "rule");
    rule.mark = entry.mark();
    if (rule.label.empty() || rule.metric.empty()) throw UsageError("{}a rule needs a label and a metric", rule.mark.prefix());
    if (!rule.min && !rule.max) throw UsageError("{}a rule needs min or max", rule.mark.prefix());
    if (rule.min && rule.max && *rule.min > *rule.max) throw UsageError("{}min is above max, so nothing can keep the rule", rule.mark.prefix());
    if (find_cost(rule.metric) == nullptr) {
      try {
        parse_metric(rule.metric);
      } catch (const UsageError& e) {
        throw UsageError("{}{}", rule.mark.prefix(), e.what());
      }
    } else if (rule.use != "mean") {
      throw UsageError("{}{} has no interval; use: mean", rule.mark.prefix(), rule.metric);
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) throw UsageError("{}: no rules", file.string());
  return rules;
}

std::vector<std::string> gate_metrics(const std::vector<GateRule>& rules, const ManifestTask& task) {
  std::vector<std::string> metrics;
  for (const GateRule& rule : rules) {
    if (find_cost(rule.metric) != nullptr || !(rule.task.empty() || rule.task == task.name || rule.task == task.id)) continue;
    const std::string text = parse_metric(rule.metric).text();
    const auto has = [&](const std::vector<std::string>& all) { return std::find(all.begin(), all.end(), text) != all.end(); };
    if (!has(task.metrics) && !has(metrics)) metrics.push_back(text);
  }
  return metrics;
}

std::vector<GateResult> check_gate(const std::vector<GateRule>& rules, const std::vector<Leaderboard>& boards) {
  std::vector<GateResult> results;
  for (const GateRule& rule : rules) {
    GateResult r;
    r.rule = rule;
    std::string why;
    r.value = value_of(rule, board_of(rule, boards), why);
    r.kept = r.value && (!rule.min || *r.value >= *rule.min) && (!rule.max || *r.value <= *rule.max);
    std::string bounds;
    if (rule.min) bounds += fmt::format(" >= {:g}", *rule.min);
    if (rule.max) bounds += fmt::format("{} <= {:g}", rule.min ? " and" : "", *rule.max);
    r.text = fmt::format("{}{} {}{}{}{}", rule.task.empty() ? "" : rule.task + ": ", rule.label, rule.metric, rule.use == "mean" ? "" : " (" + rule.use + ")",
                         r.value ? fmt::format(" = {:.6g}, must be", *r.value) : fmt::format(" is missing ({}), must be", why), bounds);
    results.push_back(std::move(r));
  }
  return results;
}

}  // namespace segue
