// Mixtures of Gaussians: densities by hand, groups that are found again, and divergences against the closed form and
// against many draws.
#include "framework/linalg/gmm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

// Draws of a mixture, a row each.
Matrix<double> draws(const GaussianMixture& m, Eigen::Index n, std::uint64_t seed) {
  Matrix<double> out(n, m.means.cols());
  Rng rng(seed);
  for (Eigen::Index r = 0; r < n; ++r) {
    double left = rng.uniform();
    Eigen::Index c = 0;
    while (c + 1 < m.weights.size() && (left -= m.weights[c]) >= 0) ++c;
    for (Eigen::Index i = 0; i < out.cols(); ++i)
      out(r, i) = m.means(c, i) + std::sqrt(m.variances(c, i)) * rng.normal();
  }
  return out;
}

GaussianMixture three() {
  GaussianMixture m{Vector<double>(3), Matrix<double>(3, 2), Matrix<double>(3, 2)};
  m.weights << 0.5, 0.3, 0.2;
  m.means << 0, 0, 8, 1, -2, 9;
  m.variances << 1, 2, 0.5, 1, 3, 0.25;
  return m;
}

// The density as its definition has it, not in logarithms.
double density(const GaussianMixture& m, std::span<const double> x) {
  double out = 0;
  for (Eigen::Index c = 0; c < m.weights.size(); ++c) {
    double product = m.weights[c];
    for (Eigen::Index i = 0; i < m.means.cols(); ++i)
      product *= std::exp(-std::pow(x[static_cast<std::size_t>(i)] - m.means(c, i), 2) / (2 * m.variances(c, i))) /
                 std::sqrt(2 * std::numbers::pi * m.variances(c, i));
    out += product;
  }
  return out;
}

TEST(GaussianMixture, DensityIsItsDefinition) {
  const GaussianMixture m = three();
  for (const auto& x : {std::vector<double>{0, 0}, {7.5, 0.5}, {3, 4}, {-2, 9}})
    EXPECT_NEAR(log_density(m, x), std::log(density(m, x)), 1e-12);
  EXPECT_TRUE(std::isfinite(log_density(m, std::vector<double>{1e6, 0})));  // where the density itself is 0
}

TEST(GaussianMixture, FindsTheGroupsThatThereAre) {
  const GaussianMixture truth = three(), found = fit_mixture(draws(truth, 5000, 1));
  ASSERT_EQ(found.weights.size(), 3);
  EXPECT_NEAR(found.weights.sum(), 1, 1e-12);
  for (Eigen::Index t = 0; t < 3; ++t) {
    Eigen::Index best = 0;
    for (Eigen::Index c = 0; c < 3; ++c)
      if ((found.means.row(c) - truth.means.row(t)).norm() < (found.means.row(best) - truth.means.row(t)).norm())
        best = c;
    EXPECT_NEAR(found.weights[best], truth.weights[t], 0.03);
    EXPECT_LT((found.means.row(best) - truth.means.row(t)).norm(), 0.15);
    EXPECT_LT((found.variances.row(best) - truth.variances.row(t)).cwiseAbs().maxCoeff(), 0.4);
  }
}

// Of one component, maximum likelihood is the mean and the variance (over n), besides the floor.
TEST(GaussianMixture, OfOneComponentIsMeanAndVariance) {
  const Matrix<double> rows = draws(three(), 400, 2);
  const GaussianMixture m = fit_mixture(rows, {.components = 1});
  for (Eigen::Index i = 0; i < 2; ++i) {
    const double mean = rows.col(i).mean();
    EXPECT_NEAR(m.means(0, i), mean, 1e-9);
    EXPECT_NEAR(m.variances(0, i), (rows.col(i).array() - mean).square().mean(), 1e-9);
  }
}

TEST(GaussianMixture, IsTheSameWheneverAndWherever) {
  const Matrix<double> rows = draws(three(), 700, 3);
  const GaussianMixture first = fit_mixture(rows, {.components = 5});
  fit_mixture(draws(three(), 90, 4), {.components = 7, .seed = 9});
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<GaussianMixture> all(6);
    Executor(threads).for_blocks(all.size(), 1,
                                 [&](std::size_t i, std::size_t) { all[i] = fit_mixture(rows, {.components = 5}); });
    for (const GaussianMixture& m : all) {
      EXPECT_TRUE(m.weights == first.weights);
      EXPECT_TRUE(m.means == first.means);
      EXPECT_TRUE(m.variances == first.variances);
    }
  }
}

TEST(GaussianMixture, OfFewRowsOrEqualOnesIsAMixtureToo) {
  Matrix<double> one(1, 3), equal(40, 3);
  one.setConstant(2);
  equal.setConstant(-1);
  for (const auto& rows : {one, equal}) {
    const GaussianMixture m = fit_mixture(rows, {.components = 4});
    EXPECT_EQ(m.weights.size(), 1);
    EXPECT_NEAR(m.means(0, 0), rows(0, 0), 1e-12);
    EXPECT_GE(m.variances.minCoeff(), 1e-2 * (1 - 1e-9));
    EXPECT_TRUE(std::isfinite(unscented_kl(m, m)));
  }
  EXPECT_THROW(fit_mixture(one, {.components = 0}), UsageError);
  EXPECT_THROW(fit_mixture(one, {.variance_floor = 0}), UsageError);
}

TEST(UnscentedKl, IsExactForSingleGaussians) {
  const auto gaussian = [](std::vector<double> mean, std::vector<double> variance) {
    GaussianMixture m{Vector<double>::Ones(1), Matrix<double>(1, 3), Matrix<double>(1, 3)};
    std::ranges::copy(mean, m.means.data());
    std::ranges::copy(variance, m.variances.data());
    return m;
  };
  const GaussianMixture a = gaussian({1, 2, 3}, {1, 0.5, 4}), b = gaussian({0, 5, 3}, {2, 3, 0.1});
  double expected = 0;  // 1/2 (ln s_b/s_a + (s_a + d^2) / s_b - 1) a dimension
  for (Eigen::Index i = 0; i < 3; ++i)
    expected += 0.5 * (std::log(b.variances(0, i) / a.variances(0, i)) +
                       (a.variances(0, i) + std::pow(a.means(0, i) - b.means(0, i), 2)) / b.variances(0, i) - 1);
  EXPECT_NEAR(unscented_kl(a, b), expected, 1e-12 * expected);
  EXPECT_EQ(unscented_kl(a, a), 0);
}

TEST(UnscentedKl, IsNearWhatManyDrawsGive) {
  const GaussianMixture a = three();
  GaussianMixture b = three();
  b.means.array() += 1.5;
  b.weights << 0.2, 0.2, 0.6;
  const Matrix<double> x = draws(a, 200000, 5);
  double sampled = 0;
  for (Eigen::Index r = 0; r < x.rows(); ++r) {
    const auto row = row_span(x, static_cast<std::size_t>(r));
    sampled += (std::log(density(a, row)) - std::log(density(b, row))) / static_cast<double>(x.rows());
  }
  EXPECT_NEAR(unscented_kl(a, b), sampled, 0.1 * sampled);
  EXPECT_EQ(unscented_kl(a, a), 0);
}

}  // namespace
}  // namespace segue
