#include "framework/stats/variance.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue::stats {
namespace {

// 2 seeds x 3 units; means of units 2 2 5, of seeds 3 3.
TEST(VarianceComponents, ByHand) {
  // Grand mean 3. SS_units = 2 (1 + 1 + 4) = 12, MS 6; SS_seeds = 0, MS 0; SS_total = 4+1+9+0+1+1 = 16, SS_residual =
  // 4, MS 2.
  const VarianceComponents v = variance_components(std::vector<double>{1, 2, 6, 3, 2, 4}, 2, 3);
  EXPECT_NEAR(v.mean, 3, 1e-14);
  EXPECT_NEAR(v.residual, 2, 1e-14);
  EXPECT_NEAR(v.units, (6 - 2) / 2.0, 1e-14);
  EXPECT_FALSE(v.units_clamped);
  EXPECT_EQ(v.seeds, 0);  // (0 - 2) / 3
  EXPECT_TRUE(v.seeds_clamped);
  EXPECT_NEAR(v.error_of_units, std::sqrt(2 / 3.0), 1e-14);
  EXPECT_EQ(v.error_of_seeds, 0);
  EXPECT_NEAR(v.error, std::sqrt(2 / 3.0 + 2 / 6.0), 1e-14);
}

TEST(VarianceComponents, OneSourceAlone) {
  const VarianceComponents seeds = variance_components(std::vector<double>{1, 1, 1, 2, 2, 2, 4, 4, 4}, 3, 3);
  EXPECT_NEAR(seeds.seeds, 7 / 3.0, 1e-14);  // the variance of 1, 2, 4
  EXPECT_NEAR(seeds.units, 0, 1e-14);
  EXPECT_NEAR(seeds.error_of_seeds, std::sqrt(7 / 9.0), 1e-14);
  const VarianceComponents units = variance_components(std::vector<double>{1, 2, 4, 1, 2, 4}, 2, 3);
  EXPECT_NEAR(units.units, 7 / 3.0, 1e-14);
  EXPECT_NEAR(units.seeds, 0, 1e-14);
}

// Without clamping the estimates have no bias: over many matrices of known components they come back. The seeds'
// component has 4 degrees of freedom, so the mean of 3000 estimates is off by sqrt(2/4/3000) = 1.3 %; four of these are
// allowed.
TEST(VarianceComponents, RecoverWhatWasSimulated) {
  const double of_units = 4, of_seeds = 1, of_residual = 0.5;
  double units = 0, seeds = 0, residual = 0, means = 0, errors = 0;
  constexpr int kRepeats = 3000;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Rng rng = Rng(3).stream("matrix", static_cast<std::uint64_t>(repeat));
    std::vector<double> user(20), values;
    for (double& u : user) u = std::sqrt(of_units) * rng.normal();
    for (int s = 0; s < 5; ++s) {
      const double seed = std::sqrt(of_seeds) * rng.normal();
      for (const double u : user) values.push_back(0.3 + u + seed + std::sqrt(of_residual) * rng.normal());
    }
    const VarianceComponents v = variance_components(values, 5, 20);
    units += v.units / kRepeats, seeds += v.seeds / kRepeats, residual += v.residual / kRepeats;
    means += (v.mean - 0.3) * (v.mean - 0.3) / kRepeats;
    errors += v.error * v.error / kRepeats;
  }
  EXPECT_NEAR(units, of_units, 0.06 * of_units);
  EXPECT_NEAR(seeds, of_seeds, 0.06 * of_seeds);
  EXPECT_NEAR(residual, of_residual, 0.02 * of_residual);
  EXPECT_NEAR(errors, of_units / 20 + of_seeds / 5 + of_residual / 100, 0.03 * errors);
  EXPECT_NEAR(means, errors, 0.11 * errors);  // what the mean really did: sqrt(2/3000) = 2.6 %
}

TEST(VarianceComponents, Refusals) {
  EXPECT_THROW(variance_components(std::vector<double>{1, 2}, 1, 2), LogicError);
  EXPECT_THROW(variance_components(std::vector<double>{1, 2}, 2, 1), LogicError);
  EXPECT_THROW(variance_components(std::vector<double>{1, 2, 3}, 2, 2), LogicError);
  EXPECT_THROW(variance_components(std::vector<double>{1, 2, 3, std::nan("")}, 2, 2), LogicError);
}

}  // namespace
}  // namespace segue::stats
