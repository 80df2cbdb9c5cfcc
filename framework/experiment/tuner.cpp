#include "framework/experiment/tuner.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace fs = std::filesystem;

TuningResults stored_tuning_results(const ResultsFolder& results) {
  return [results, known = std::make_shared<std::map<std::string, TuningResult>>()](
             const std::string& fit) -> std::optional<TuningResult> {
    if (const auto it = known->find(fit); it != known->end() && fs::exists(results.trial_file(fit))) return it->second;
    if (!fs::exists(results.trial_file(fit))) return std::nullopt;
    const TrialFile file(results.trial_file(fit));
    TuningResult r;
    r.failed = file.attribute("status") != "ok";
    r.error = file.attribute("error");
    r.seconds = file.timing().fit_seconds;
    const std::map<std::string, double> validation = file.validation();
    if (!r.failed) {
      if (validation.empty())
        throw DataError("{} is not a tuning trial; run the suite again with --fresh", results.trial_file(fit).string());
      r.value = validation.begin()->second;
      const std::vector<std::string> series = file.curve_series();
      if (std::find(series.begin(), series.end(), "best epoch") != series.end())
        r.best_epoch = static_cast<int>(file.curve("best epoch").first.back());
    }
    return (*known)[fit] = r;
  };
}

void write_failed_tuning(const fs::path& path, std::map<std::string, std::string> attributes, const std::string& status,
                         const std::string& error, double seconds) {
  TrialRecord record;
  record.attributes = std::move(attributes);
  record.attributes["role"] = "tuning";
  record.attributes["status"] = status;
  record.attributes["error"] = error;
  record.timing.fit_seconds = seconds;
  write_trial(path, record);
}

std::vector<std::size_t> Tuning::missing() const {
  std::vector<std::size_t> out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (!trials[i].result && seen.insert(trials[i].fit).second) out.push_back(i);
  return out;
}

std::size_t Tuning::done() const {
  return static_cast<std::size_t>(
      std::count_if(trials.begin(), trials.end(), [](const TuningTrial& t) { return t.result.has_value(); }));
}

double Tuning::share(std::size_t trial) const {
  const int epochs = trials[trial].proposal.epochs;
  return epochs > 0 ? epochs / algorithm->params.find("epochs")->as_real() : 1;
}

std::optional<std::size_t> Tuning::best() const {
  const bool higher = parse_metric(algorithm->tune->metric).card->higher_is_better;
  std::optional<std::size_t> out;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::optional<TuningResult>& r = trials[i].result;
    if (!r || r->failed) continue;
    const int more = out ? trials[i].proposal.epochs - trials[*out].proposal.epochs : 1;
    if (more > 0 ||
        (more == 0 && (higher ? r->value > trials[*out].result->value : r->value < trials[*out].result->value)))
      out = i;
  }
  return out;
}

Value Tuning::winner_params(const AnySchema& schema) const {
  Value params = trials.at(winner.value()).params;
  const int best_epoch = trials[*winner].result->best_epoch;
  if (algorithm->tune->refit && best_epoch > 0 && params.find("epochs") != nullptr)
    params.set("epochs", Value::integer(best_epoch));
  return schema.canonicalise(params, "algorithm '" + algorithm->algorithm + "'");
}

ManifestTuning Tuning::manifest() const {
  ManifestTuning m;
  m.label = algorithm->label;
  m.dataset = dataset->label;
  m.fold = fold;
  m.strategy = algorithm->tune->strategy;
  m.metric = algorithm->tune->metric;
  for (const Dimension& d : algorithm->tune->space.dimensions())
    m.space += fmt::format("{}{} {}", m.space.empty() ? "" : ", ", d.name, d.text());
  m.seed = seed;
  m.planned = planned;
  if (winner) m.winner = trials[*winner].fit;
  for (const TuningTrial& t : trials) m.trials.push_back({t.fit, t.proposal.settings.to_json(), t.proposal.epochs});
  return m;
}

void replay(Tuning& tuning, const AnySchema& schema, const std::function<std::string(const Value& non_default)>& fit_of,
            const TuningResults& results) {
  const AlgorithmEntry& entry = *tuning.algorithm;
  const std::string what = "algorithm '" + entry.algorithm + "'";
  const std::unique_ptr<Strategy> strategy = make_strategy(*entry.tune, entry.params, what);
  const double sign = parse_metric(entry.tune->metric).card->higher_is_better ? 1 : -1;
  tuning.planned = strategy->left(0);
  tuning.settings = strategy->settings();
  std::vector<Tried> history;
  for (;;) {
    const std::vector<Proposal> round = strategy->next(history);
    if (round.empty()) {
      tuning.finished = true;
      tuning.winner = strategy->winner(history);
      return;
    }
    for (const Proposal& p : round) {
      TuningTrial trial;
      trial.proposal = p;
      Value params = entry.params;
      for (const Value::Entry& e : p.settings.entries()) params.set(e.key, e.value);
      if (p.epochs > 0) params.set("epochs", Value::integer(p.epochs));
      trial.params = schema.canonicalise(params, what);
      trial.non_default = schema.non_default(params, what);
      trial.fit = fit_of(trial.non_default);
      trial.result = results ? results(trial.fit) : std::nullopt;
      tuning.trials.push_back(std::move(trial));
    }
    tuning.rest = strategy->cost(tuning.done());
    for (const TuningTrial& t : std::span(tuning.trials).last(round.size())) {
      if (!t.result) return;
      history.push_back({t.proposal, t.result->failed ? Tried::kFailed : sign * t.result->value});
    }
  }
}

}  // namespace segue
