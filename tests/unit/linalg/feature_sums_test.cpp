#include "framework/linalg/feature_sums.hpp"

#include <cmath>

#include <Eigen/LU>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/ids.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

Matrix<float> normal_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  Matrix<float> out(static_cast<Index>(n), static_cast<Index>(d));
  Rng(seed).fill_normal({out.data(), n * d}, 0, 0.5f);
  return out;
}

// Rows of up to thirteen features; the last row has none and the last feature is nobody's.
struct Problem {
  Problem(std::size_t n, std::size_t count, std::size_t dims)
      : targets(normal_rows(n, dims, 2)), features(normal_rows(count, dims, 3)), noise(normal_rows(count, dims, 4)) {
    Rng rng(1);
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> columns;
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t j = 0; r + 1 < n && j + 1 < count; ++j)
        if (rng.uniform() < 7.0 / static_cast<double>(count)) columns.push_back(item_at(j));
      offsets.push_back(columns.size());
    }
    const Csr<ItemIdx> events{count, std::move(offsets), std::move(columns), {}};
    by_row = rated_rows(events, 0, 1);
    by_feature = rated_rows(events.transposed<UserIdx>(), 0, 1);
    for (std::size_t r = 0; r < n; ++r)
      scale.push_back(0.2f + rng.uniform_float()), weight.push_back(0.5f + rng.uniform_float());
    for (std::size_t j = 0; j < count; ++j) ridge.push_back(0.1f + rng.uniform_float());
    incidence = MatrixXd::Zero(static_cast<Index>(n), static_cast<Index>(count));
    for (std::size_t r = 0; r < n; ++r)
      for (std::uint32_t j : by_row.columns_of(r)) incidence(static_cast<Index>(r), j) = static_cast<double>(scale[r]);
    sums = (incidence * features.cast<double>()).cast<float>();
  }
  FeatureSums rounds() const { return {by_row, by_feature, scale, weight, ridge}; }
  double objective(const MatrixXd& f) const {
    double total = 0;
    const MatrixXd left = targets.cast<double>() - incidence * f;
    for (Index r = 0; r < left.rows(); ++r)
      total += static_cast<double>(weight[static_cast<std::size_t>(r)]) * left.row(r).squaredNorm();
    for (Index j = 0; j < f.rows(); ++j)
      total += static_cast<double>(ridge[static_cast<std::size_t>(j)]) * f.row(j).squaredNorm();
    return total;
  }
  RatedRows by_row, by_feature;
  std::vector<float> scale, weight, ridge;
  Matrix<float> targets, features, noise, sums;
  MatrixXd incidence;
};

TEST(FeatureSums, EqualsTheRoundAsItIsWritten) {
  for (const std::size_t dims : {1u, 5u, 16u, 33u}) {
    for (const bool noisy : {false, true}) {
      Problem p(37, 23, dims);
      MatrixXd f = p.features.cast<double>();
      for (Index j = 0; j + 1 < f.rows(); ++j) {
        const MatrixXd left = p.targets.cast<double>() - p.incidence * f;
        Eigen::RowVectorXd pull = Eigen::RowVectorXd::Zero(f.cols());
        double mass = 0;
        for (Index r = 0; r < left.rows(); ++r) {
          const double w = static_cast<double>(p.weight[static_cast<std::size_t>(r)]) * p.incidence(r, j);
          pull += w * left.row(r);
          mass += w * p.incidence(r, j);
        }
        const double all = mass + static_cast<double>(p.ridge[static_cast<std::size_t>(j)]);
        f.row(j) = (pull + mass * f.row(j)) / all;
        if (noisy) f.row(j) += p.noise.row(j).cast<double>() / std::sqrt(all);
      }
      p.rounds().round(p.targets, noisy ? &p.noise : nullptr, dims, p.features, p.sums, Executor(2));
      EXPECT_LE((p.features.cast<double>() - f).cwiseAbs().maxCoeff(), 1e-5) << dims;
      EXPECT_LE((p.sums.cast<double>() - p.incidence * f).cwiseAbs().maxCoeff(), 1e-5) << dims;
    }
  }
}

// Rounds without noise lower the objective, down to the ridge regression of all features at once.
TEST(FeatureSums, ConvergesToTheRidgeRegression) {
  Problem p(60, 19, 6);
  double before = p.objective(p.features.cast<double>());
  const Executor exec(1);
  for (int round = 0; round < 400; ++round) {
    p.rounds().round(p.targets, nullptr, 6, p.features, p.sums, exec);
    const double now = p.objective(p.features.cast<double>());
    EXPECT_LE(now, before * (1 + 1e-6)) << round;
    before = now;
  }
  MatrixXd a = MatrixXd::Zero(18, 18);
  const MatrixXd x = p.incidence.leftCols(18);
  Eigen::VectorXd w(60);
  for (Index r = 0; r < 60; ++r) w[r] = static_cast<double>(p.weight[static_cast<std::size_t>(r)]);
  a = x.transpose() * w.asDiagonal() * x;
  for (Index j = 0; j < 18; ++j) a(j, j) += static_cast<double>(p.ridge[static_cast<std::size_t>(j)]);
  const MatrixXd exact = a.inverse() * x.transpose() * w.asDiagonal() * p.targets.cast<double>();
  EXPECT_LE((p.features.topRows(18).cast<double>() - exact).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(FeatureSums, LeavesOtherColumnsAndRowsAloneWithAnyThreads) {
  Problem one(70, 31, 40);
  const Problem old = one;
  one.rounds().round(one.targets, &one.noise, 35, one.features, one.sums, Executor(1));
  EXPECT_EQ(one.features.rightCols(5), old.features.rightCols(5));
  EXPECT_EQ(one.sums.rightCols(5), old.sums.rightCols(5));
  EXPECT_EQ(one.features.row(30), old.features.row(30)) << "nobody has it";
  for (int threads : {2, 3, 8}) {
    Problem many(70, 31, 40);
    many.rounds().round(many.targets, &many.noise, 35, many.features, many.sums, Executor(threads));
    EXPECT_EQ(many.features, one.features) << threads;
    EXPECT_EQ(many.sums, one.sums) << threads;
  }
  one.weight.pop_back();
  EXPECT_THROW(one.rounds().round(one.targets, nullptr, 35, one.features, one.sums, Executor(1)), LogicError);
}

}  // namespace
}  // namespace segue
