#include "framework/linalg/spectral.hpp"

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

// Columns of falling spread, mixed by a rotation of the first two, far from the origin.
Matrix<float> cloud(Eigen::Index n, Eigen::Index d) {
  Matrix<float> out(n, d);
  Rng rng(4);
  for (Eigen::Index r = 0; r < n; ++r)
    for (Eigen::Index c = 0; c < d; ++c) out(r, c) = static_cast<float>(rng.normal() / static_cast<double>(1 + c));
  const Matrix<float> first = out.leftCols(2);
  out.col(0) = 0.6f * first.col(0) - 0.8f * first.col(1);
  out.col(1) = 0.8f * first.col(0) + 0.6f * first.col(1);
  out.array() += 10;
  return out;
}

TEST(PrincipalAxes, DiagonaliseTheCovariance) {
  const Eigen::Index n = 300, d = 6;
  const Matrix<float> rows = cloud(n, d);
  const PrincipalAxes p = principal_axes(rows);
  const Matrix<double> x = rows.cast<double>();
  const Vector<double> mean = x.colwise().mean();
  EXPECT_LT((p.mean - mean).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((p.axes * p.axes.transpose() - Matrix<double>::Identity(d, d)).cwiseAbs().maxCoeff(), 1e-12);
  const Matrix<double> centred = x.rowwise() - mean.transpose();
  const Matrix<double> turned = centred * p.axes.transpose();
  const Matrix<double> covariance = turned.transpose() * turned / static_cast<double>(n - 1);
  EXPECT_LT((covariance - Matrix<double>(p.variances.asDiagonal())).cwiseAbs().maxCoeff(), 1e-12);
  for (Eigen::Index a = 0; a < d; ++a) {
    if (a > 0) {
      EXPECT_LE(p.variances(a), p.variances(a - 1));
    }
    Eigen::Index largest = 0;
    p.axes.row(a).cwiseAbs().maxCoeff(&largest);
    EXPECT_GT(p.axes(a, largest), 0);
  }
  EXPECT_NEAR(std::abs(p.axes(0, 0)), 0.6, 0.05);  // the rotation is found again
  EXPECT_NEAR(std::abs(p.axes(0, 1)), 0.8, 0.05);
}

TEST(PrincipalAxes, FewerRowsThanDimensionsLeaveAxesWithoutVariance) {
  const PrincipalAxes p = principal_axes(cloud(3, 6));
  EXPECT_GT(p.variances(1), 1e-3);
  for (Eigen::Index a = 2; a < 6; ++a) EXPECT_NEAR(p.variances(a), 0, 1e-12);
  EXPECT_THROW(principal_axes(cloud(1, 6)), LogicError);
}

}  // namespace
}  // namespace segue
