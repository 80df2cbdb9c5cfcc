#include "framework/linalg/truncated_svd.hpp"

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include "tests/support/triplets.hpp"

namespace segue {
namespace {

Matrix<double> dense(const std::vector<test::Triplet>& triplets, Eigen::Index users, Eigen::Index items) {
  Matrix<double> x = Matrix<double>::Zero(users, items);
  for (const test::Triplet& t : triplets) x(t.user, t.item) = double{t.weight};
  return x;
}

TEST(TruncatedSvd, EqualsLapacksValuesAndVectors) {
  const auto triplets = test::random_ratings(90, 70, 0.3, 8);
  const Csr<ItemIdx> x = test::by_user(triplets, 90, 70);
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(dense(triplets, 90, 70), Eigen::ComputeThinU | Eigen::ComputeThinV);
  const TruncatedSvd got = truncated_svd(x, 5, 10, 80, Rng(1), Executor(2));
  EXPECT_LE((got.values - svd.singularValues().head(5)).cwiseAbs().maxCoeff(), 1e-9);
  for (Eigen::Index c = 0; c < 5; ++c) {
    EXPECT_NEAR(std::abs(got.right.col(c).dot(svd.matrixV().col(c))), 1, 1e-8) << c;
    Eigen::Index largest = 0;
    got.right.col(c).cwiseAbs().maxCoeff(&largest);
    EXPECT_GT(got.right(largest, c), 0);
  }
}

TEST(TruncatedSvd, FewIterationsAreNearly) {
  const auto triplets = test::random_ratings(90, 70, 0.3, 8);
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(dense(triplets, 90, 70));
  const TruncatedSvd got = truncated_svd(test::by_user(triplets, 90, 70), 5, 10, 3, Rng(1), Executor(2));
  EXPECT_LE((got.values - svd.singularValues().head(5)).cwiseAbs().maxCoeff(), 0.03 * svd.singularValues()(4));
}

TEST(TruncatedSvd, OfARankThatIsTooSmall) {
  // Three groups of like users: rank three.
  std::vector<test::Triplet> triplets;
  for (std::uint32_t u = 0; u < 30; ++u)
    for (std::uint32_t i = 0; i < 20; ++i)
      if (i % 3 == u % 3) triplets.push_back({u, i, 1.0f + static_cast<float>(u % 3)});
  const TruncatedSvd got = truncated_svd(test::by_user(triplets, 30, 20), 8, 10, 5, Rng(1), Executor(1));
  EXPECT_GT(got.values(2), 1);
  EXPECT_EQ(got.values.tail(5), Vector<double>::Zero(5));
  EXPECT_TRUE(got.right.rightCols(5).isZero(0));
  EXPECT_LE((got.right.leftCols(3).transpose() * got.right.leftCols(3) - Matrix<double>::Identity(3, 3))
                .cwiseAbs()
                .maxCoeff(),
            1e-12);
  const TruncatedSvd none = truncated_svd(test::by_user({}, 3, 4), 2, 10, 2, Rng(1), Executor(1));
  EXPECT_TRUE(none.right.isZero(0));
}

TEST(TruncatedSvd, SameBitsForAnyThreadCount) {
  const Csr<ItemIdx> x = test::by_user(test::random_ratings(2500, 150, 0.05, 2), 2500, 150);  // several blocks of sums
  const TruncatedSvd one = truncated_svd(x, 6, 10, 3, Rng(4), Executor(1));
  for (int threads : {2, 3, 8}) {
    const TruncatedSvd many = truncated_svd(x, 6, 10, 3, Rng(4), Executor(threads));
    EXPECT_EQ(many.right, one.right) << threads << " threads";
    EXPECT_EQ(many.values, one.values) << threads << " threads";
  }
}

}  // namespace
}  // namespace segue
