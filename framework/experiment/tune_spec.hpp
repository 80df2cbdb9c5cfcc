// What `tune:` of a suite or of an entry of `algorithms` says. An entry's keys stand above those of the suite.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "framework/experiment/strategy.hpp"
#include "framework/model/registry.hpp"
#include "framework/param/schema.hpp"
#include "framework/param/space.hpp"

namespace segue {

struct TuneSpec {
  std::string strategy = "random";
  int trials = 40;         // settings that are compared; of a grid: at most
  std::string metric;      // on validation data; empty: that of `stopping`
  std::uint64_t seed = 1;  // of the proposals
  bool refit = false;      // the winner is trained on training and validation data
  int startup = 10;        // tpe: random trials before the estimators speak
  int round = 4;           // tpe: proposals at a time
  int factor = 3;          // halving: the share that goes on, and how much longer it trains
  int min_epochs = 1;      // halving: of the first round
  static Schema<TuneSpec> schema();

  SearchSpace space;  // without what the entry fixes
  bool trials_given = false;
};

// `entry`: what stands under `tune` in an entry, true or a map with a `space`; `suite`: the suite's map or null.
// UsageError with file:line:column where a key does not fit the strategy, nothing is left to tune, a list in `fixed` is
// meant as a grid, halving has no epochs, or a grid no values. `stopping_metric` is the default metric.
TuneSpec parse_tune(const Value& entry, const Value* suite, const Registry::Entry& algorithm, const Value& fixed,
                    const std::string& stopping_metric, const std::string& what);

// The strategy that the spec describes. `params`: every effective parameter of the entry, whose epochs halving shares
// out.
std::unique_ptr<Strategy> make_strategy(const TuneSpec& spec, const Value& params, const std::string& what);

}  // namespace segue
