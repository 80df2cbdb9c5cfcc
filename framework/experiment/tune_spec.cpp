#include "framework/experiment/tune_spec.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"

namespace segue {

Schema<TuneSpec> TuneSpec::schema() {
  using P = TuneSpec;
  Schema<P> s;
  s.field("strategy", &P::strategy, "how settings are chosen").choices({"random", "grid", "halving", "tpe"});
  s.field("trials", &P::trials, "settings that are compared; the most that a grid may have").range(1, 100000);
  s.field("metric", &P::metric, "what is compared, on validation data, full ranking; empty: that of 'stopping'");
  s.field("seed", &P::seed, "of the proposals").at_least(0);
  s.field("refit", &P::refit, "train the winner on training and validation data");
  s.field("startup", &P::startup, "tpe: random trials before the estimators speak").range(1, 100000);
  s.field("round", &P::round, "tpe: proposals made at a time").range(1, 1000);
  s.field("factor", &P::factor, "halving: one of so many goes on, and trains so many times as long").range(2, 100);
  s.field("min_epochs", &P::min_epochs, "halving: epochs of the first round").range(1, 100000);
  return s;
}

namespace {

// {key, strategy that reads it}
constexpr std::pair<const char*, const char*> kOwnKeys[] = {
    {"startup", "tpe"}, {"round", "tpe"}, {"factor", "halving"}, {"min_epochs", "halving"}};

void check_no_grid(const Value& fixed, const Registry::Entry& algorithm) {
  const std::vector<std::string> lists = algorithm.schema.list_fields();
  for (const Value::Entry& e : fixed.entries()) {
    const bool is_list = std::find(lists.begin(), lists.end(), e.key) != lists.end();
    const bool grid =
        e.value.is_list() && (!is_list || (!e.value.items().empty() && e.value.items().front().is_list()));
    if (grid)
      throw UsageError(
          "{}{} is a grid in an entry that is tuned; write tune: {{space: {{{}: {}}}}}, or leave 'tune' out",
          e.value.mark().prefix(), e.key, e.key, e.value.text());
  }
}

}  // namespace

TuneSpec parse_tune(const Value& entry, const Value* suite, const Registry::Entry& algorithm, const Value& fixed,
                    const std::string& stopping_metric, const std::string& what) {
  if (!entry.is_map() && !(entry.kind() == Value::Kind::kBool && entry.as_bool()))
    throw UsageError("{}'tune' is true or a map such as {{strategy: random, trials: 40, metric: ndcg@10}}, not {}",
                     entry.mark().prefix(), entry.describe());
  check_no_grid(fixed, algorithm);
  Value own = entry.is_map() ? entry : Value::map(entry.mark()),
        merged = suite != nullptr ? *suite : Value::map(entry.mark());
  const Value* declared = own.find("space");
  const Value space = declared != nullptr ? *declared : Value::map();
  own.erase("space");
  // Checked before it is merged, so that a wrong key is reported with all that could stand there.
  std::vector<std::string> known = AnySchema::of<TuneSpec>().names();
  known.emplace_back("space");
  check_keys(own, "'tune'", known);
  for (const Value::Entry& e : own.entries()) merged.set(e.key, e.value, e.key_mark);
  TuneSpec spec = TuneSpec::schema().parse(merged, "'tune'");
  for (const auto& [key, strategy] : kOwnKeys) {
    // What the suite says for those whom it concerns is no mistake in an entry with another strategy.
    const Value* given = own.find(key);
    if (given != nullptr && spec.strategy != strategy)
      throw UsageError("{}'{}' belongs to strategy {}, and this is {}", given->mark().prefix(), key, strategy,
                       spec.strategy);
  }
  spec.trials_given = merged.find("trials") != nullptr;
  if (spec.metric.empty()) spec.metric = stopping_metric;
  spec.space = SearchSpace(algorithm.schema, fixed, space, what);
  // Whoever lists the values of a grid means these and no others.
  if (spec.strategy == "grid" && !space.entries().empty())
    for (const Dimension& d : std::vector<Dimension>(spec.space.dimensions()))
      if (space.find(d.name) == nullptr) spec.space = spec.space.without(d.name);
  if (spec.strategy == "halving") {
    if (!algorithm.info.iterative || algorithm.schema.canonicalise({}, what).find("epochs") == nullptr)
      throw UsageError("{}halving shares out epochs, and {} is not trained in epochs; use random, grid or tpe",
                       entry.mark().prefix(), what);
    if (const Value* epochs = space.find("epochs"))
      throw UsageError(
          "{}halving shares out the epochs itself; give their largest number in the entry, {{{}: {{epochs: 30}}}}, not "
          "in the space",
          epochs->mark().prefix(), algorithm.info.name);
    spec.space = spec.space.without("epochs");
  }
  if (spec.space.empty())
    throw UsageError("{}there is nothing to tune in {}{}; write for example tune: {{space: {{{}: [..., ...]}}}}",
                     entry.mark().prefix(), what,
                     fixed.entries().empty() ? ": none of its parameters has a search space"
                                             : ": all parameters with a search space are given",
                     algorithm.schema.names().empty() ? "parameter" : algorithm.schema.names().front());
  try {
    make_strategy(spec, algorithm.schema.canonicalise(fixed, what), what);
  } catch (const UsageError& e) {
    const std::string text = e.what();
    if (entry.mark().file.empty() || text.starts_with(entry.mark().file)) throw;
    throw UsageError("{}{}", entry.mark().prefix(), text);
  }
  return spec;
}

std::unique_ptr<Strategy> make_strategy(const TuneSpec& spec, const Value& params, const std::string& what) {
  const auto trials = static_cast<std::size_t>(spec.trials);
  if (spec.strategy == "grid") return grid_search(spec.space, spec.trials_given ? trials : 0, what);
  if (spec.strategy == "halving")
    return halving_search(spec.space, trials, static_cast<int>(params.find("epochs")->as_int()), spec.factor,
                          spec.min_epochs, spec.seed);
  if (spec.strategy == "tpe")
    return tpe_search(
        spec.space, {trials, static_cast<std::size_t>(spec.startup), static_cast<std::size_t>(spec.round), spec.seed});
  return random_search(spec.space, trials, spec.seed);
}

}  // namespace segue
