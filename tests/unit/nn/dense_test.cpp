#include "framework/nn/dense.hpp"

#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/dropout.hpp"
#include "tests/unit/nn/check.hpp"

namespace segue::test {
namespace {

using nn::Activation;

TEST(Dense, GradientsOfInputsWeightsAndBiases) {
  constexpr std::size_t n = 7, in = 5, out = 9;
  std::vector<double> x = normal(n * in, 1), w = normal(in * out, 2), b = normal(out, 3), weights = normal(n * out, 4);
  std::vector<double> y(n * out), dx(n * in), dw(in * out, 1.0), db(out, 1.0);
  const auto loss = [&] {
    nn::dense_forward<double>({x.data(), n, in}, {w.data(), in, out}, {b.data(), 1, out}, {y.data(), n, out});
    return weighted(weights, y);
  };
  loss();
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t c = 0; c < out; ++c) {
      double sum = b[c];
      for (std::size_t i = 0; i < in; ++i) sum += x[r * in + i] * w[i * out + c];
      ASSERT_NEAR(y[r * out + c], sum, 1e-12);
    }
  const ConstView<double> dy(weights.data(), n, out);
  nn::dense_backward_input<double>(dy, {w.data(), in, out}, {dx.data(), n, in});
  nn::dense_backward_params<double>({x.data(), n, in}, dy, {dw.data(), in, out}, {db.data(), 1, out});
  for (double& g : dw) g -= 1;  // they are added to what was there
  for (double& g : db) g -= 1;
  expect_gradient("dense, inputs", loss, x, dx);
  expect_gradient("dense, weights", loss, w, dw);
  expect_gradient("dense, biases", loss, b, db);
}

TEST(Dense, ActivationsAndTheirGradients) {
  constexpr std::size_t n = 6, d = 37;
  const std::vector<std::pair<Activation, std::string>> all{
      {Activation::kNone, "none"}, {Activation::kRelu, "relu"}, {Activation::kGelu, "gelu"},
      {Activation::kSilu, "silu"}, {Activation::kTanh, "tanh"}, {Activation::kSigmoid, "sigmoid"}};
  for (const auto& [f, name] : all) {
    std::vector<double> x = normal(n * d, 1), weights = normal(n * d, 2), y(n * d), dx(n * d);
    for (double& v : x)  // no difference across relu's corner
      if (std::abs(v) < 0.01) v = 0.5;
    const auto loss = [&, f = f] {
      nn::activate<double>(f, {x.data(), n, d}, {y.data(), n, d});
      return weighted(weights, y);
    };
    loss();
    nn::activate_backward<double>(f, {x.data(), n, d}, {weights.data(), n, d}, {dx.data(), n, d});
    expect_gradient(name, loss, x, dx);
    loss();
    // And float says what double says.
    std::vector<float> xf(x.begin(), x.end()), yf(n * d), wf(weights.begin(), weights.end()), dxf(n * d);
    nn::activate<float>(f, {xf.data(), n, d}, {yf.data(), n, d});
    nn::activate_backward<float>(f, {xf.data(), n, d}, {wf.data(), n, d}, {dxf.data(), n, d});
    for (std::size_t i = 0; i < n * d; ++i) {
      ASSERT_NEAR(double{yf[i]}, y[i], 2e-6) << name;
      ASSERT_NEAR(double{dxf[i]}, dx[i], 4e-6) << name;
    }
  }
  double x = 1, y = 0;
  nn::activate<double>(Activation::kGelu, {&x, 1, 1}, {&y, 1, 1});
  EXPECT_NEAR(y, 0.8411919906082768, 1e-12);  // 0.5 (1 + tanh(sqrt(2 / pi) 1.044715))
}

TEST(Dropout, KeepsTheRateTheMeanAndItsMask) {
  constexpr std::size_t n = 400, d = 50;
  nn::DropoutMask mask;
  mask.draw(n, d, 0.3, Rng(5));
  std::vector<float> x(n * d, 1.0f), y(n * d), again(n * d);
  mask.apply<float>({x.data(), n, d}, {y.data(), n, d});
  std::size_t kept = 0;
  for (const float v : y) {
    ASSERT_TRUE(v == 0.0f || std::abs(v - 1 / 0.7f) < 1e-4f);
    kept += v != 0;
  }
  EXPECT_NEAR(static_cast<double>(kept) / (n * d), 0.7, 4 * std::sqrt(0.21 / (n * d)));
  mask.apply<float>({x.data(), n, d}, {again.data(), n, d});
  EXPECT_EQ(y, again);
  std::vector<double> xd(n * d, 1.0), yd(n * d);
  mask.apply<double>({xd.data(), n, d}, {yd.data(), n, d});
  for (std::size_t i = 0; i < n * d; ++i) ASSERT_EQ(yd[i] == 0, y[i] == 0);
  mask.draw(n, d, 0.3, Rng(6));
  mask.apply<float>({x.data(), n, d}, {again.data(), n, d});
  EXPECT_NE(y, again);
  mask.draw(n, d, 0, Rng(6));
  mask.apply<float>({x.data(), n, d}, {again.data(), n, d});
  EXPECT_EQ(x, again);
  EXPECT_THROW(mask.draw(1, 1, 1.0, Rng(1)), LogicError);
}

}  // namespace
}  // namespace segue::test
