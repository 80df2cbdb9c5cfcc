#include "framework/base/distributions.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

// Mean and variance are the shape; five standard errors, of the variance with the fourth central moment 3 k^2 + 6 k.
TEST(Gamma, HasItsMomentsOnBothSidesOfOne) {
  const int n = 200000;
  for (const double shape : {0.1, 0.7, 1.0, 2.5, 40.0, 5e5}) {
    Rng rng(11);
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
      const double x = draw_gamma(shape, rng) - shape;
      ASSERT_GE(x, -shape);
      sum += x;
      squares += x * x;
    }
    EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(shape / n)) << shape;
    EXPECT_NEAR(squares / n, shape, 5 * std::sqrt((2 * shape * shape + 6 * shape) / n)) << shape;
  }
}

// P(X <= x) in closed form: shape 1/2 is half a squared normal, 1 the exponential, 2 the sum of two of those.
TEST(Gamma, HasItsDistributionFunction) {
  const int n = 200000;
  const auto expect = [&](double shape, auto cdf) {
    for (const double x : {0.05, 0.3, 1.0, 2.5, 5.0}) {
      Rng rng(12);
      int below = 0;
      for (int i = 0; i < n; ++i) below += draw_gamma(shape, rng) <= x;
      const double p = cdf(x);
      EXPECT_NEAR(static_cast<double>(below) / n, p, 5 * std::sqrt(p * (1 - p) / n)) << shape << " at " << x;
    }
  };
  expect(0.5, [](double x) { return std::erf(std::sqrt(x)); });
  expect(1, [](double x) { return 1 - std::exp(-x); });
  expect(2, [](double x) { return 1 - std::exp(-x) * (1 + x); });
}

TEST(Gamma, RefusesShapesThatAreNone) {
  Rng rng(1);
  for (const double shape : {0.0, -1.0, std::nan(""), HUGE_VAL}) EXPECT_THROW(draw_gamma(shape, rng), LogicError);
}

}  // namespace
}  // namespace segue
