// Charts of what a mean hides: bins of users or items, and distributions over users.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/chart_words.hpp"
#include "framework/plot/figure.hpp"

namespace segue::plot {

struct Bin {
  std::string meaning;         // "1 to 4 ratings", "cold"
  double share = kNotANumber;  // of the queries, from 0 to 1; printed below where it is a number
};
struct BinValue {
  double mean = kNotANumber;
  double lo = kNotANumber, hi = kNotANumber;
};
struct BinnedSystem {
  std::string label;
  std::vector<BinValue> bins;  // one a bin
};
struct PerBin {
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<Bin> bins;  // top to bottom
  std::vector<BinnedSystem> systems;
  std::string interval{};      // what lo and hi are
  std::string of = "queries";  // what the shares are of
  std::string unit{};          // of the metric
};

// Dots with intervals, a row a bin, systems below each other in the order given. Up to 6 systems carry their names at
// every dot, more have a key of marks above. A system without a value in a bin is said so there (up to 6) or in the
// note. UsageError: no bins, no value at all, systems with another number of bins.
Figure per_bin(const PerBin& data, const std::string& title = "", FigureSize size = FigureSize::kColumn);

struct ScoreDistribution {
  std::string label;
  std::vector<double> values;  // one a user; NaN is left out
};
struct ScoreDistributions {
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<ScoreDistribution> systems;
  std::string of = "users";  // what the values are of
  std::string unit{};        // of the metric
};

// A strip a system, best mean first: a line from the 5th to the 95th percentile, a box of the quartiles, the median,
// the mean, and the share of exact zeros in words. Where all values are 0 or 1 quantiles would say nothing: a bar shows
// the share of ones instead, and the note says so. Systems without values are named below. UsageError: no values.
Figure score_distributions(const ScoreDistributions& data, const std::string& title = "",
                           FigureSize size = FigureSize::kColumn);

}  // namespace segue::plot
