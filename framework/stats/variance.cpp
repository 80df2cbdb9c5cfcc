#include "framework/stats/variance.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue::stats {

VarianceComponents variance_components(std::span<const double> values, std::size_t seeds, std::size_t units) {
  SEGUE_CHECK(seeds >= 2 && units >= 2 && values.size() == seeds * units, "{} values for {} seeds of {} units",
              values.size(), seeds, units);
  const double s = static_cast<double>(seeds), u = static_cast<double>(units);
  std::vector<double> of_seed(seeds, 0.0), of_unit(units, 0.0);  // means
  for (std::size_t i = 0; i < seeds; ++i) {
    for (std::size_t j = 0; j < units; ++j) {
      const double x = values[i * units + j];
      SEGUE_CHECK(std::isfinite(x), "seed {}, unit {} holds {}", i, j, x);
      of_seed[i] += x / u;
      of_unit[j] += x / s;
    }
  }
  VarianceComponents out;
  for (const double m : of_seed) out.mean += m / s;
  double seed_square = 0, unit_square = 0, residual = 0;
  for (const double m : of_seed) seed_square += (m - out.mean) * (m - out.mean);
  for (const double m : of_unit) unit_square += (m - out.mean) * (m - out.mean);
  for (std::size_t i = 0; i < seeds; ++i) {
    for (std::size_t j = 0; j < units; ++j) {
      const double r = values[i * units + j] - of_seed[i] - of_unit[j] + out.mean;
      residual += r * r;
    }
  }
  out.residual = residual / ((s - 1) * (u - 1));
  const double unit_variance = unit_square / (u - 1) - out.residual / s;  // (mean square of units - residual) / S
  const double seed_variance = seed_square / (s - 1) - out.residual / u;
  out.units_clamped = unit_variance < 0;
  out.seeds_clamped = seed_variance < 0;
  out.units = std::max(0.0, unit_variance);
  out.seeds = std::max(0.0, seed_variance);
  out.error_of_units = std::sqrt(out.units / u);
  out.error_of_seeds = std::sqrt(out.seeds / s);
  out.error = std::sqrt(out.units / u + out.seeds / s + out.residual / (u * s));
  return out;
}

}  // namespace segue::stats
