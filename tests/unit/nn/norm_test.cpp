#include "framework/nn/norm.hpp"

#include <cmath>

#include "tests/unit/nn/layer_check.hpp"

namespace segue::nn {
namespace {

using test::LayerCheck;

constexpr double kEpsilon = 1e-5;

TEST(LayerNorm, IsWhatItsFormulaSays) {
  for (const std::size_t d : {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{50}}) {
    Matrix<double> x(3, static_cast<Eigen::Index>(d)), gain(1, x.cols()), shift(1, x.cols()), y = x, stats(3, 2);
    init_normal(View<double>(x), 2, Rng(1));
    init_normal(View<double>(gain), 1, Rng(2));
    init_normal(View<double>(shift), 1, Rng(3));
    x.array() += 5;
    layer_norm_forward<double>(x, gain, shift, kEpsilon, y, stats);
    const Matrix<float> xf = x.cast<float>(), gf = gain.cast<float>(), sf = shift.cast<float>();
    Matrix<float> yf = xf, stats_f(3, 2);
    layer_norm_forward<float>(xf, gf, sf, kEpsilon, yf, stats_f);
    for (Eigen::Index r = 0; r < 3; ++r) {
      const double mean = x.row(r).mean(), variance = (x.row(r).array() - mean).square().mean();
      for (Eigen::Index c = 0; c < x.cols(); ++c) {
        const double expected = gain(0, c) * (x(r, c) - mean) / std::sqrt(variance + kEpsilon) + shift(0, c);
        EXPECT_NEAR(y(r, c), expected, 1e-12) << d;
        EXPECT_NEAR(double{yf(r, c)}, expected, 1e-5) << d;
      }
    }
  }
}

TEST(LayerNorm, HasTheGradientOfItsFormula) {
  LayerCheck check(4);
  const BlockId x = check.add("x", 5, 19), gain = check.add("gain", 1, 19), shift = check.add("shift", 1, 19);
  check.draw();
  Matrix<double> stats(5, 2);
  auto &p = check.store, &g = check.gradients;
  check.run(
      "layer norm", 5, 19,
      [&](View<double> y) { layer_norm_forward<double>(p[x], p[gain], p[shift], kEpsilon, y, stats); },
      [&](View<double> dy) {
        layer_norm_backward<double>(p[x], p[gain], stats, dy, g[x], g[gain], g[shift]);
        // In place, and in float.
        const ParamStore<float> pf = p.as<float>();
        ParamStore<float> gf = g.zeros_like().as<float>();
        const Matrix<float> stats_f = stats.cast<float>();
        Matrix<float> d = Eigen::Map<Matrix<double>>(dy.data, 5, 19).cast<float>();
        layer_norm_backward<float>(pf[x], pf[gain], stats_f, d, d, gf[gain], gf[shift]);
        for (std::size_t i = 0; i < 5 * 19; ++i) EXPECT_NEAR(double{d.data()[i]}, g[x].data[i], 1e-4);
        for (std::size_t i = 0; i < 19; ++i) EXPECT_NEAR(double{gf[gain].data[i]}, g[gain].data[i], 1e-4);
      });
}

TEST(RmsNorm, IsWhatItsFormulaSays) {
  Matrix<float> x(2, 21), gain(1, 21), y = x, stats(2, 1);
  init_normal(View<float>(x), 2, Rng(1));
  init_normal(View<float>(gain), 1, Rng(2));
  rms_norm_forward<float>(x, gain, kEpsilon, y, stats);
  for (Eigen::Index r = 0; r < 2; ++r) {
    double squares = 0;
    for (Eigen::Index c = 0; c < 21; ++c) squares += double{x(r, c)} * double{x(r, c)};
    for (Eigen::Index c = 0; c < 21; ++c)
      EXPECT_NEAR(double{y(r, c)}, double{gain(0, c)} * double{x(r, c)} / std::sqrt(squares / 21 + kEpsilon), 1e-5);
  }
}

TEST(RmsNorm, HasTheGradientOfItsFormula) {
  LayerCheck check(5);
  const BlockId x = check.add("x", 4, 17), gain = check.add("gain", 1, 17);
  check.draw();
  Matrix<double> stats(4, 1);
  auto &p = check.store, &g = check.gradients;
  check.run(
      "RMS norm", 4, 17, [&](View<double> y) { rms_norm_forward<double>(p[x], p[gain], kEpsilon, y, stats); },
      [&](View<double> dy) { rms_norm_backward<double>(p[x], p[gain], stats, dy, g[x], g[gain]); });
}

}  // namespace
}  // namespace segue::nn
