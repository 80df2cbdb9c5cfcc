#include "framework/linalg/gram.hpp"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/gathered.hpp"
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

TEST(Lanes, SumsPartsAndSpreads) {
  float m[16][16], out[16];
  Rng(4).fill_normal({&m[0][0], 256}, 0, 1);
  Lanes x[16];
  for (int l = 0; l < 16; ++l) x[l] = Lanes::load(m[l]);
  Lanes::sums(x).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], x[l].sum()) << l;
  for (int l = 0; l < 16; ++l) {
    x[0].spread(l).store(out);
    for (float v : out) EXPECT_EQ(v, m[0][l]);
  }
  for (std::size_t n = 0; n < 16; ++n) {
    std::vector<float> exact(m[1], m[1] + n), to(n, 7.0f);  // so that a sanitizer sees a step beyond them
    Lanes::load_part(exact.data(), n).store(out);
    for (std::size_t l = 0; l < 16; ++l) EXPECT_EQ(out[l], l < n ? m[1][l] : 0.0f);
    Lanes::load(m[1]).store_part(to.data(), n);
    EXPECT_EQ(to, exact);
  }
  (Lanes::load(m[0]) / Lanes::load(m[1])).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], m[0][l] / m[1][l]);
  sqrt(Lanes::load(m[0]) * Lanes::load(m[0])).store(out);
  for (int l = 0; l < 16; ++l) EXPECT_EQ(out[l], std::sqrt(m[0][l] * m[0][l]));
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
  for (std::size_t d : {1u, 7u, 16u, 40u, 64u, 130u, 192u, 256u}) {
    const std::size_t n = 2 * d + 133;  // several buffers, and a part of one
    const std::size_t first = d % 3;    // the system's columns may lie within wider rows
    const Matrix<float> rows = random_matrix(n + 5, d + 4, d);
    const Matrix<float> base = gram(random_matrix(d + 9, d + 4, d + 1), Executor(1));
    const Matrix<float> weights = random_matrix(2, n, d + 2).cwiseAbs();
    std::vector<std::uint32_t> which(n);
    for (std::size_t e = 0; e < n; ++e) which[e] = static_cast<std::uint32_t>((e * 7 + 3) % (n + 5));
    const std::vector<float> extra(d, 0.25f);
    RidgeSystem system(d);
    std::vector<float> x(d);
    for (int repeat = 0; repeat < 2; ++repeat) {  // the second time from the state that the first one left
      const auto at = static_cast<Eigen::Index>(first), dims = static_cast<Eigen::Index>(d);
      Eigen::MatrixXd a = base.block(at, at, dims, dims).cast<double>() + 0.5 * Eigen::MatrixXd::Identity(dims, dims);
      Eigen::VectorXd b = Eigen::VectorXd::Constant(dims, 0.25);
      for (std::size_t e = 0; e < n; ++e) {
        const Eigen::VectorXd y = rows.row(which[e]).segment(at, dims).transpose().cast<double>();
        a += static_cast<double>(row_span(weights, 0)[e]) * y * y.transpose();
        b += static_cast<double>(row_span(weights, 1)[e]) * y;
      }
      system.begin(base, 0.5f, first);
      system.add(rows, which, row_span(weights, 0), row_span(weights, 1), first);
      system.add_target(extra);
      const Matrix<float> upper = system.upper();
      for (Eigen::Index i = 0; i < a.rows(); ++i)
        for (Eigen::Index j = 0; j < a.rows(); ++j) EXPECT_NEAR(upper(i, j), j < i ? 0.0 : a(i, j), 2e-3);
      const std::optional<double> explained = system.solve(x);
      ASSERT_TRUE(explained);
      const Eigen::VectorXd expected = a.ldlt().solve(b);
      for (std::size_t i = 0; i < d; ++i) EXPECT_NEAR(x[i], expected[static_cast<Eigen::Index>(i)], 1e-5) << d;
      EXPECT_NEAR(*explained, b.dot(expected), 1e-5 * b.dot(expected)) << d;
    }
  }
}

TEST(RidgeSystem, ChunksDoNotChangeTheBits) {
  const Matrix<float> rows = random_matrix(300, 48, 1), base = Matrix<float>::Zero(48, 48);
  std::vector<std::uint32_t> which(300);
  std::iota(which.begin(), which.end(), 0u);
  const std::vector<float> ones(300, 1.0f);
  RidgeSystem whole(48), parts(48);
  whole.begin(base, 0), parts.begin(base, 0);
  whole.add(rows, which, ones, ones);
  for (std::size_t from : {0u, 1u, 130u})
    parts.add(rows,
              std::span(which).subspan(from, from == 0   ? 1
                                             : from == 1 ? 129
                                                         : 170),
              std::span(ones).first(from == 0   ? 1
                                    : from == 1 ? 129
                                                : 170),
              std::span(ones).first(from == 0   ? 1
                                    : from == 1 ? 129
                                                : 170));
  EXPECT_EQ(whole.upper(), parts.upper());
}

TEST(RidgeSystem, RefusesWhatIsNotPositiveDefinite) {
  RidgeSystem system(3);
  std::vector<float> x(3);
  Matrix<float> y(1, 3);
  y << 1, 2, 3;
  const std::vector<std::uint32_t> which{0};
  const std::vector<float> one{1};
  const Matrix<float> zero = Matrix<float>::Zero(3, 3);
  system.begin(zero, 0);
  system.add(y, which, one, one);
  EXPECT_FALSE(system.solve(x));  // rank one
  system.begin(zero, -0.1f);
  system.add(y, which, one, one);
  EXPECT_FALSE(system.solve(x));
  system.begin(zero, 0.1f);
  system.add(y, which, one, one);
  EXPECT_TRUE(system.solve(x));
  EXPECT_THROW(system.add(Matrix<float>(1, 2), which, one, one), LogicError);
  EXPECT_THROW(system.add(y, which, one, x), LogicError);
  EXPECT_THROW(SpdSolver(17), LogicError);
}

TEST(SpdSolver, ReportsWhereTheMatrixStopsBeingPositive) {
  for (std::size_t bad : {0u, 5u, 15u, 16u, 40u, 47u}) {  // in the first, a middle and the last strip
    Matrix<float> a = Matrix<float>::Identity(48, 48);
    std::vector<float> b(48, 1.0f);
    EXPECT_EQ(SpdSolver(48).solve(a.data(), 48, b), 48.0);
    a = Matrix<float>::Identity(48, 48);
    a(static_cast<Eigen::Index>(bad), static_cast<Eigen::Index>(bad)) = -1;
    EXPECT_FALSE(SpdSolver(48).solve(a.data(), 48, b)) << bad;
    a = Matrix<float>::Identity(48, 48);
    a(static_cast<Eigen::Index>(bad), static_cast<Eigen::Index>(bad)) = std::nanf("");
    EXPECT_FALSE(SpdSolver(48).solve(a.data(), 48, b)) << bad;
  }
}

TEST(Gathered, ProductsEqualTheDoubleOnes) {
  for (std::size_t d : {1u, 15u, 16u, 33u, 64u, 130u}) {
    for (std::size_t n : {0u, 1u, 16u, 31u, 50u}) {
      const auto dims = static_cast<Eigen::Index>(d);
      const Matrix<float> rows = random_matrix(60, d, d + n), x = random_matrix(1, d, n + 1);
      const Matrix<float> f = random_matrix(2, std::max<std::size_t>(n, 1), n + 2);
      std::vector<std::uint32_t> which(n);
      for (std::size_t e = 0; e < n; ++e) which[e] = static_cast<std::uint32_t>((e * 11) % 60);
      std::vector<float> s(n), out(d, 0.5f);
      const std::size_t first = d / 3;
      gathered_dots(rows, which, row_span(x, 0).subspan(first), s, first);
      const std::span<const float> weights = row_span(f, 0).first(n), targets = row_span(f, 1).first(n);
      const double explained = add_gathered_residual(rows, which, weights, targets, row_span(x, 0), out);
      Eigen::VectorXd expected = Eigen::VectorXd::Constant(dims, 0.5);
      double sum = 0;
      for (std::size_t e = 0; e < n; ++e) {
        const Eigen::VectorXd y = rows.row(which[e]).transpose().cast<double>();
        const Eigen::VectorXd at = x.row(0).transpose().cast<double>();
        EXPECT_NEAR(
            s[e], y.tail(dims - static_cast<Eigen::Index>(first)).dot(at.tail(dims - static_cast<Eigen::Index>(first))),
            1e-4);
        expected += (static_cast<double>(targets[e]) - static_cast<double>(weights[e]) * y.dot(at)) * y;
        sum += static_cast<double>(targets[e]) * y.dot(at);
      }
      for (std::size_t j = 0; j < d; ++j)
        EXPECT_NEAR(out[j], expected[static_cast<Eigen::Index>(j)], 2e-3) << d << ' ' << n;
      EXPECT_NEAR(explained, sum, 1e-3);
    }
    const Matrix<float> m = gram(random_matrix(20, d, d), Executor(1)), x = random_matrix(1, d, 5);
    std::vector<float> out(d - d / 2);
    symmetric_product(m, row_span(x, 0), out, d / 2);
    const Eigen::VectorXd expected = m.cast<double>() * x.row(0).transpose().cast<double>();
    for (std::size_t j = 0; j < out.size(); ++j)
      EXPECT_NEAR(out[j], expected[static_cast<Eigen::Index>(d / 2 + j)], 1e-3) << d;
  }
}

}  // namespace
}  // namespace segue
