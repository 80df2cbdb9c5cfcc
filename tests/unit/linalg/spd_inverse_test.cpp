#include "framework/linalg/spd_inverse.hpp"

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

// Symmetric with eigenvalues from about `ridge` to n: random rows' Gram matrix and a ridge.
Matrix<double> positive_definite(Eigen::Index n, double ridge, std::uint64_t seed = 3) {
  Matrix<double> rows(std::max<Eigen::Index>(n / 2, 1), n);
  Rng rng(seed);
  for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = rng.normal();
  return rows.transpose() * rows + ridge * Matrix<double>::Identity(n, n);
}

TEST(InvertSpd, EqualsACholeskySolveOfEverySize) {
  // Around the tile (24 or 12), the block of 144 rows, and several of them.
  for (Eigen::Index n : {1, 2, 7, 8, 23, 24, 25, 47, 143, 144, 145, 150, 168, 287, 289, 450}) {
    const Matrix<double> a = positive_definite(n, 0.5);
    const Matrix<double> expected = a.llt().solve(Matrix<double>::Identity(n, n));
    Matrix<double> got = a;
    got.triangularView<Eigen::StrictlyLower>().setConstant(1e30);  // only the upper triangle is read
    ASSERT_TRUE(invert_spd(got, Executor(2))) << n;
    EXPECT_LE((got - expected).cwiseAbs().maxCoeff(), 1e-12 * expected.cwiseAbs().maxCoeff() * double(n + 10)) << n;
    EXPECT_EQ(got, got.transpose()) << n;
  }
}

// Half of the directions hold nothing but the ridge, so the Schur complements of the second half are small differences.
// An elimination that multiplies by inverse blocks loses the square of the condition number: 1e-2 in the last case.
TEST(InvertSpd, LosesNoMoreThanTheConditionNumber) {
  using Long = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Index n = 300;
  for (double ridge : {1.0, 1e-2, 1e-4}) {
    const Matrix<double> a = positive_definite(n, ridge);  // eigenvalues from ridge to about 1e3
    const Long expected = Long(a.cast<long double>()).llt().solve(Long::Identity(n, n));
    Matrix<double> got = a;
    ASSERT_TRUE(invert_spd(got, Executor(2)));
    EXPECT_LE(double((got.cast<long double>() - expected).norm() / expected.norm()), 1e3 / ridge * 2.2e-16) << ridge;
  }
}

TEST(InvertSpd, SameBitsForAnyThreadCount) {
  const Matrix<double> a = positive_definite(500, 1);
  Matrix<double> one = a;
  ASSERT_TRUE(invert_spd(one, Executor(1)));
  for (int threads : {2, 3, 8}) {
    Matrix<double> many = a;
    ASSERT_TRUE(invert_spd(many, Executor(threads)));
    EXPECT_EQ(many, one) << threads << " threads";
  }
}

TEST(InvertSpd, RefusesWhatIsNotPositiveDefinite) {
  const Executor exec(2);
  Matrix<double> nothing(0, 0);
  EXPECT_TRUE(invert_spd(nothing, exec));
  for (Eigen::Index n : {2, 30, 200}) {
    Matrix<double> singular = positive_definite(n, 0);
    EXPECT_FALSE(invert_spd(singular, exec)) << n;
    Matrix<double> indefinite = positive_definite(n, 1);
    indefinite(n - 1, n - 1) = -1;
    EXPECT_FALSE(invert_spd(indefinite, exec)) << n;
    Matrix<double> nan = positive_definite(n, 1);
    nan(n / 2, n / 2) = std::nan("");
    EXPECT_FALSE(invert_spd(nan, exec)) << n;
  }
  Matrix<double> oblong(2, 3);
  EXPECT_THROW((void)invert_spd(oblong, exec), LogicError);
}

}  // namespace
}  // namespace segue
