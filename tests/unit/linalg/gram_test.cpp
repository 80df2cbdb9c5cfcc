#include "framework/linalg/gram.hpp"

#include <cmath>
#include <vector>

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {
namespace {

Matrix<float> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  Rng(seed).fill_normal({out.data(), static_cast<std::size_t>(out.size())}, 0, 1);
  return out;
}

TEST(Lanes, DoWhatScalarsDo) {
  float a[16], b[16], c[16], out[16];
  Rng rng(3);
  rng.fill_normal(a, 0, 1), rng.fill_normal(b, 0, 1), rng.fill_normal(c, 0, 1);
  fma(Lanes::load(a), Lanes::load(b), Lanes::load(c)).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], std::fma(a[l], b[l], c[l]));
  fnma(Lanes::load(a), Lanes::load(b), Lanes::load(c)).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], std::fma(-a[l], b[l], c[l]));
  (Lanes::load(a) * Lanes::load(b) + Lanes::all(2) - Lanes::load(c)).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], a[l] * b[l] + 2 - c[l]);
  float pairs[8], quads[4];
  for (int l = 0; l < 8; ++l) pairs[l] = a[l] + a[l + 8];
  for (int l = 0; l < 4; ++l) quads[l] = pairs[l] + pairs[l + 4];
  EXPECT_EQ(Lanes::load(a).sum(), (quads[0] + quads[2]) + (quads[1] + quads[3]));
}

TEST(Lanes, DotOfAnyLength) {
  for (std::size_t n : {0u, 1u, 15u, 16u, 17u, 100u}) {
    const Matrix<float> m = random_matrix(2, n, n);
    EXPECT_NEAR(lane_dot(row_span(m, 0), row_span(m, 1)), m.row(0).cast<double>().dot(m.row(1).cast<double>()), 1e-5)
        << n;
  }
}

TEST(Gram, EqualsTheDoubleProduct) {
  const Executor exec(2);
  for (std::size_t n : {0u, 1u, 31u, 33u, 5000u}) {
    for (std::size_t d : {1u, 5u, 16u, 17u, 64u}) {
      const Matrix<float> rows = random_matrix(n, d, n + d);
      const Eigen::MatrixXd expected = rows.cast<double>().transpose() * rows.cast<double>();
      const Matrix<float> got = gram(rows, exec);
      EXPECT_LE((got.cast<double>() - expected).cwiseAbs().maxCoeff(), 3e-6 * static_cast<double>(n + 1))
          << n << " x " << d;
      EXPECT_EQ(got, got.transpose());
    }
  }
}

TEST(Gram, SameBitsForAnyThreadCount) {
  const Matrix<float> rows = random_matrix(9001, 24, 7);
  const Matrix<float> one = gram(rows, Executor(1));
  for (int threads : {2, 3, 8}) EXPECT_EQ(gram(rows, Executor(threads)), one) << threads << " threads";
}

TEST(RidgeSystem, SolvesLikeADenseDoubleSolver) {
  for (std::size_t d : {1u, 7u, 16u, 40u, 130u}) {
    const std::size_t n = 2 * d + 33;  // more than one buffer, and a part of one
    const Matrix<float> rows = random_matrix(n, d, d);
    const Matrix<float> base = gram(random_matrix(d + 3, d, d + 1), Executor(1));
    const Matrix<float> weights = random_matrix(2, n, d + 2);
    RidgeSystem system(d);
    std::vector<float> x(d);
    for (int repeat = 0; repeat < 2; ++repeat) {  // the second time from the state that the first one left
      Eigen::MatrixXd a = base.cast<double>() + 0.5 * Eigen::MatrixXd::Identity(base.rows(), base.rows());
      Eigen::VectorXd b = Eigen::VectorXd::Zero(base.rows());
      system.begin(base, 0.5f);
      for (std::size_t r = 0; r < n; ++r) {
        const Eigen::Index i = static_cast<Eigen::Index>(r);
        system.add(row_span(rows, r), std::abs(weights(0, i)), weights(1, i));
        const Eigen::VectorXd y = rows.row(i).transpose().cast<double>();
        a += static_cast<double>(std::abs(weights(0, i))) * y * y.transpose();
        b += static_cast<double>(weights(1, i)) * y;
      }
      const Matrix<float> upper = system.upper();
      for (Eigen::Index i = 0; i < a.rows(); ++i)
        for (Eigen::Index j = 0; j < a.rows(); ++j) EXPECT_NEAR(upper(i, j), j < i ? 0.0 : a(i, j), 1e-3);
      ASSERT_TRUE(system.solve(x));
      const Eigen::VectorXd expected = a.ldlt().solve(b);
      for (std::size_t i = 0; i < d; ++i) EXPECT_NEAR(x[i], expected[static_cast<Eigen::Index>(i)], 1e-5) << d;
    }
  }
}

TEST(RidgeSystem, RefusesWhatIsNotPositiveDefinite) {
  RidgeSystem system(3);
  std::vector<float> x(3);
  const std::vector<float> y{1, 2, 3};
  const Matrix<float> zero = Matrix<float>::Zero(3, 3);
  system.begin(zero, 0);
  system.add(y, 1, 1);
  EXPECT_FALSE(system.solve(x));  // rank one
  system.begin(zero, 0.1f);
  system.add(y, -1, 1);
  EXPECT_FALSE(system.solve(x));
  system.begin(zero, 0.1f);
  system.add(y, 1, 1);
  EXPECT_TRUE(system.solve(x));
  EXPECT_THROW(system.add(std::vector<float>(2), 1, 1), LogicError);
}

}  // namespace
}  // namespace segue
