#include <cmath>
#include <iostream>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "framework/nn/gradcheck.hpp"
#include "framework/nn/loss.hpp"

namespace segue::nn {
namespace {

// As it is defined.
double slow(const std::vector<double>& x, const std::vector<std::uint32_t>& targets) {
  double sum = 0, loss = 0;
  for (const double v : x) sum += std::exp(v);
  for (const std::uint32_t t : targets) loss -= std::log(std::exp(x[t]) / sum);
  return loss;
}

TEST(SoftmaxMultinomial, IsTheSumOverItsTargets) {
  Rng rng(2);
  std::vector<double> x(37);
  for (double& v : x) v = 2 * rng.normal();
  for (const std::vector<std::uint32_t>& targets :
       {std::vector<std::uint32_t>{}, {5}, {0, 36}, {3, 3, 7, 20}}) {  // one twice counts twice
    std::vector<double> d = x;
    EXPECT_NEAR(softmax_multinomial<double>(d, targets, 0.25), slow(x, targets), 1e-12);
    for (double& v : d) v *= 4;  // only gradients are scaled
    const GradientCheck check = check_gradient([&] { return slow(x, targets); }, x, d, Rng(1));
    EXPECT_LT(check.worst, 1e-6);
    std::cout << "gradient check: softmax_multinomial, " << targets.size() << " targets: " << check.worst << " of "
              << check.checked << '\n';
    std::vector<float> f(x.begin(), x.end());
    EXPECT_NEAR(softmax_multinomial<float>(f, targets, 1), slow(x, targets), 1e-4);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(double{f[i]}, d[i], 1e-5);
  }
}

TEST(SoftmaxMultinomial, LogitsMayBeFarApart) {
  std::vector<float> x{1000, -1000, -std::numeric_limits<float>::infinity(), 999};
  const std::vector<std::uint32_t> targets{0, 1};
  EXPECT_NEAR(softmax_multinomial<float>(x, targets, 1), 2000 + 2 * std::log1p(std::exp(-1.0)), 1e-3);
  EXPECT_EQ(x[2], 0) << "left out";
  EXPECT_EQ(x[1], -1);
}

}  // namespace
}  // namespace segue::nn
