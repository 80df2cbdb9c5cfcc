// What the tests of layers share: random blocks, and gradients against differences.
#pragma once

#include <functional>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "framework/nn/gradcheck.hpp"

namespace segue::test {

inline std::vector<double> normal(std::size_t n, std::uint64_t seed, double stddev = 1) {
  Rng rng(seed);
  std::vector<double> out(n);
  for (double& x : out) x = stddev * rng.normal();
  return out;
}

// weights . values: a loss whose gradient with respect to the values is the weights.
inline double weighted(std::span<const double> weights, std::span<const double> values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
  return sum;
}

// The relative error that the project asks of every gradient. Prints what was found, so that errors can be listed.
inline void expect_gradient(const std::string& what, const std::function<double()>& loss, std::span<double> x,
                            std::span<const double> analytic, double h = 1e-3) {
  const nn::GradientCheck check = nn::check_gradient(loss, x, analytic, Rng(99), 400, h);
  std::cout << "gradient of " << what << ": worst relative error " << check.worst << " over " << check.checked << "\n";
  EXPECT_LT(check.worst, 1e-6) << what << " at " << check.index << ": " << check.analytic << " against "
                               << check.numeric;
  EXPECT_GT(check.checked, 0u);
}

}  // namespace segue::test
