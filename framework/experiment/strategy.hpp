// How a tuner chooses what to try. A strategy knows a space and what was found so far: neither data, models nor
// metrics.
//
// It proposes in rounds of a size that nothing but the strategy decides. What it proposes is a function of its seed and
// of the complete rounds before, so that any number of trials at the same time, and any number of interruptions, give
// the same.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/param/space.hpp"

namespace segue {

struct Proposal {
  Value settings;             // {name: value}, the tuned parameters alone
  std::vector<double> point;  // its coordinates in the space; empty where it did not come from there
  int epochs = 0;             // to train for; 0: as many as the settings, or the entry, say
};

struct Tried {
  static constexpr double kFailed = -std::numeric_limits<double>::infinity();
  Proposal proposal;
  double value = kFailed;  // higher is better
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  // What to try next, given all that earlier rounds brought, in the order of proposal. Empty: nothing more.
  virtual std::vector<Proposal> next(std::span<const Tried> history) const = 0;
  // Number of fits that are still to be proposed after `made`, at most.
  virtual std::size_t left(std::size_t made) const = 0;
  // What they cost, in fits of full length.
  virtual double cost(std::size_t made) const { return static_cast<double>(left(made)); }
  // Settings that are compared with each other; a setting that is trained longer and longer counts once.
  virtual std::size_t settings() const = 0;
  // Position of the best in a finished history, the first of equals; nullopt where everything failed.
  virtual std::optional<std::size_t> winner(std::span<const Tried> history) const;
};

// Distinct points drawn uniformly from the space (on its scales), in one round. All of them where there are no more
// than `trials`. Bergstra & Bengio 2012, Random search for hyper-parameter optimization, JMLR 13.
std::unique_ptr<Strategy> random_search(SearchSpace space, std::size_t trials, std::uint64_t seed);

// Every combination of the dimensions' grids, the first slowest, in one round. UsageError where an interval has no
// steps, or the grid has more than `most` points (0: any number up to 100,000).
std::unique_ptr<Strategy> grid_search(const SearchSpace& space, std::size_t most, const std::string& what);

// Successive halving (Jamieson & Talwalkar 2016, Non-stochastic best arm identification and hyperparameter
// optimization, AISTATS), with epochs as its resource: `trials` random settings are trained for a few epochs, the best
// of them anew for `factor` times as many, and so on until the last, in round s - 1, are trained for `epochs`.
//   round i of s = 1 + floor(log_factor(min(trials, epochs / min_epochs))):
//   n_i = max(1, floor(trials / factor^i)) settings, r_i = max(1, round(epochs * factor^(i - s + 1))) epochs
struct HalvingRound {
  std::size_t settings;
  int epochs;
  bool operator==(const HalvingRound&) const = default;
};
std::vector<HalvingRound> halving_rounds(std::size_t trials, int epochs, int factor, int min_epochs);
std::unique_ptr<Strategy> halving_search(SearchSpace space, std::size_t trials, int epochs, int factor, int min_epochs,
                                         std::uint64_t seed);

// Tree-structured Parzen estimator (Bergstra et al. 2011, Algorithms for hyper-parameter optimization, NeurIPS, section
// 4), with an independent estimator a dimension: after `startup` random trials, the best 15 % of what was tried give a
// density l, the others a density g; of 24 draws from l that with the largest l / g is tried. `round` proposals are
// made at a time.
struct TpeOptions {
  std::size_t trials = 40, startup = 10, round = 4;
  std::uint64_t seed = 1;
};
std::unique_ptr<Strategy> tpe_search(SearchSpace space, const TpeOptions& options);

// Up to `count` distinct random points that are not in `taken` (canonical texts of settings), to which they are added.
std::vector<Proposal> draw_distinct(const SearchSpace& space, std::size_t count, Rng rng,
                                    std::vector<std::string>& taken);

}  // namespace segue
