// Where the uncertainty of a mean comes from: the users that were asked, or the seeds that the model was trained with.
#pragma once

#include <cstddef>
#include <span>

namespace segue::stats {

// value(seed, unit) = mean + seed effect + unit effect + residual, all random and independent: two-way random effects
// without replication, by the mean squares of the analysis of variance (Searle, Casella & McCulloch 1992, ch. 4).
struct VarianceComponents {
  double mean = 0;
  double units = 0, seeds = 0, residual = 0;  // variances; a negative estimate is set to 0, as is usual
  bool units_clamped = false, seeds_clamped = false;
  // Standard errors of the mean: sqrt(units / U), sqrt(seeds / S), and all three sources together,
  // sqrt(units / U + seeds / S + residual / (U S)).
  double error_of_units = 0, error_of_seeds = 0, error = 0;
};

// values: seeds x units, row-major; both at least 2, all finite, else a LogicError. With one seed nothing can be told
// apart.
VarianceComponents variance_components(std::span<const double> values, std::size_t seeds, std::size_t units);

}  // namespace segue::stats
