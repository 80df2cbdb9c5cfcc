// Losses against their formulas written out, and their gradients against differences.
#include "framework/nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/unit/nn/check.hpp"

namespace segue::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
double sigma(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Loss, BinaryCrossEntropy) {
  std::vector<double> x = normal(53, 1, 3), y(53), d(53);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>(i % 3) / 2;
  const auto loss = [&] { return nn::binary_cross_entropy<double>(x, y, 1.0, d); };
  double expected = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    expected -= y[i] * std::log(sigma(x[i])) + (1 - y[i]) * std::log(1 - sigma(x[i]));
  EXPECT_NEAR(loss(), expected, 1e-11 * expected);
  expect_gradient("binary cross-entropy", loss, x, std::vector<double>(d));
  loss();
  std::vector<float> xf(x.begin(), x.end()), yf(y.begin(), y.end()), df(x.size());
  EXPECT_NEAR(nn::binary_cross_entropy<float>(xf, yf, 1.0f, df), expected, 2e-6 * expected);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(double{df[i]}, d[i], 1e-6);
  // Far out, where a naive formula overflows; and so many that logarithms are taken in several parts.
  std::vector<float> far(5000, 80.0f), labels(5000, 0.0f), slope(5000);
  EXPECT_NEAR(nn::binary_cross_entropy<float>(far, labels, 1.0f, slope), 80.0 * 5000, 1);
  std::fill(far.begin(), far.end(), 0.0f);
  EXPECT_NEAR(nn::binary_cross_entropy<float>(far, labels, 1.0f, slope), 5000 * std::log(2.0), 1e-2);
}

TEST(Loss, SoftmaxCrossEntropy) {
  std::vector<double> x = normal(41, 2, 2);
  const std::size_t target = 17;
  const auto loss = [&] {
    std::vector<double> logits = x;
    return nn::softmax_cross_entropy<double>(logits, target, 1.0);
  };
  double sum = 0;
  for (const double v : x) sum += std::exp(v);
  EXPECT_NEAR(loss(), -std::log(std::exp(x[target]) / sum), 1e-12);
  std::vector<double> d = x;
  nn::softmax_cross_entropy<double>(d, target, 1.0);
  expect_gradient("softmax cross-entropy", loss, x, d);
  std::vector<float> f(x.begin(), x.end());
  EXPECT_NEAR(nn::softmax_cross_entropy<float>(f, target, 1.0f), loss(), 1e-5);
  double rest = 0;
  for (std::size_t i = 0; i < f.size(); ++i) {
    EXPECT_NEAR(double{f[i]}, d[i], 1e-6);
    rest += double{f[i]};
  }
  EXPECT_NEAR(rest, 0, 1e-6);
}

// A sampled loss by its name, with what the formula gives.
struct SampledCase {
  std::string name;
  std::function<double(nn::Sampled<double>, double&, std::span<double>)> loss;
  std::function<double(double, const std::vector<double>&)> formula;
};

std::vector<SampledCase> sampled_cases() {
  return {{"sampled softmax", [](auto x, auto& p, auto n) { return nn::sampled_softmax<double>(x, 1.0, p, n); },
           [](double p, const std::vector<double>& n) {
             double sum = std::exp(p);
             for (const double v : n) sum += std::exp(v);
             return -std::log(std::exp(p) / sum);
           }},
          {"bpr", [](auto x, auto& p, auto n) { return nn::bpr<double>(x, 1.0, p, n); },
           [](double p, const std::vector<double>& n) {
             double sum = 0, count = 0;
             for (const double v : n)
               if (v > -kInf) sum -= std::log(sigma(p - v)), ++count;
             return sum / count;
           }},
          {"bpr-max", [](auto x, auto& p, auto n) { return nn::bpr_max<double>(x, 0.3, 1.0, p, n); },
           [](double p, const std::vector<double>& n) {
             double total = 0, gain = 0, penalty = 0;
             for (const double v : n) total += std::exp(v);
             for (const double v : n) {
               if (v == -kInf) continue;
               gain += std::exp(v) / total * sigma(p - v);
               penalty += std::exp(v) / total * v * v;
             }
             return -std::log(gain) + 0.3 * penalty;
           }},
          {"gBCE", [](auto x, auto& p, auto n) { return nn::generalised_bce<double>(x, 0.4, 1.0, p, n); },
           [](double p, const std::vector<double>& n) {
             double sum = -std::log(std::pow(sigma(p), 0.4));
             for (const double v : n) sum -= std::log(1 - sigma(v));
             return sum;
           }}};
}

TEST(Loss, SampledLossesAndTheirGradients) {
  for (const SampledCase& c : sampled_cases()) {
    std::vector<double> x = normal(30, 3), d(29);  // the positive, then negatives
    double d_positive = 0;
    const auto loss = [&] { return c.loss({x[0], std::span(x).subspan(1)}, d_positive, d); };
    const std::vector<double> negatives(x.begin() + 1, x.end());
    EXPECT_NEAR(loss(), c.formula(x[0], negatives), 1e-11) << c.name;
    std::vector<double> all{d_positive};
    all.insert(all.end(), d.begin(), d.end());
    expect_gradient(c.name, loss, x, all);

    std::vector<double> some = negatives;  // a negative that is left out changes nothing and gets nothing
    some[4] = -kInf;
    std::vector<double> without = some, d_some(29);
    std::erase(without, -kInf);
    const double left = c.loss({x[0], some}, d_positive, d_some);
    EXPECT_NEAR(left, c.formula(x[0], without), 1e-11) << c.name;
    EXPECT_EQ(d_some[4], 0) << c.name;
  }
}

TEST(Loss, BetaOfGbceGoesFromPlainToCalibrated) {
  EXPECT_DOUBLE_EQ(nn::gbce_beta(0.1, 0), 1);    // t = 0: binary cross-entropy
  EXPECT_DOUBLE_EQ(nn::gbce_beta(0.1, 1), 0.1);  // t = 1: alpha, fully calibrated
}

TEST(Loss, SoftmaxOverTheCatalogueIsTheSumOverExamples) {
  constexpr std::size_t n = 150, d = 6, items = 70;  // more examples than a block
  std::vector<double> h = normal(n * d, 4), e = normal(items * d, 5), bias = normal(items, 6), et(items * d);
  std::vector<std::uint32_t> targets(n);
  Rng rng(7);
  for (auto& t : targets) t = rng.below32(items);
  std::vector<double> dh(n * d), de(items * d), db(items);
  const auto loss = [&] {
    transpose<double>({e.data(), items, d}, {et.data(), d, items});
    std::fill(de.begin(), de.end(), 0);
    std::fill(db.begin(), db.end(), 0);
    return nn::softmax_over_catalogue<double>({h.data(), n, d}, {e.data(), items, d}, {et.data(), d, items}, bias,
                                              targets, 1.0, {dh.data(), n, d}, {de.data(), items, d}, db);
  };
  double expected = 0;
  for (std::size_t r = 0; r < n; ++r) {
    double sum = 0, own = 0;
    for (std::size_t i = 0; i < items; ++i) {
      double x = bias[i];
      for (std::size_t k = 0; k < d; ++k) x += h[r * d + k] * e[i * d + k];
      sum += std::exp(x);
      if (i == targets[r]) own = x;
    }
    expected += std::log(sum) - own;
  }
  EXPECT_NEAR(loss(), expected, 1e-10 * expected);
  const std::vector<double> g_h = dh, g_e = de, g_b = db;
  expect_gradient("softmax over the catalogue, queries", loss, h, g_h);
  expect_gradient("softmax over the catalogue, items", loss, e, g_e);
  expect_gradient("softmax over the catalogue, biases", loss, bias, g_b);
}

}  // namespace
}  // namespace segue::test
