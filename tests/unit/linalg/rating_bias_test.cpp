#include "framework/linalg/rating_bias.hpp"

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include "tests/support/triplets.hpp"

namespace segue {
namespace {

using test::by_user;
using test::random_ratings;
using test::Triplet;

// The regularised least-squares problem as dense normal equations.
TEST(RatingBias, ManySweepsReachTheLeastSquaresSolution) {
  const std::size_t users = 30, items = 20;
  const std::vector<Triplet> triplets = random_ratings(users, items, 0.3, 11);
  const double reg_user = 3, reg_item = 0.7;
  double mean = 0;
  for (const Triplet& t : triplets) mean += double{t.weight} / double(triplets.size());
  const auto n = Eigen::Index(users + items);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(n);
  for (Eigen::Index k = 0; k < n; ++k) a(k, k) = k < Eigen::Index(users) ? reg_user : reg_item;
  for (const Triplet& t : triplets) {
    const auto u = Eigen::Index(t.user), i = Eigen::Index(users + t.item);
    a(u, u) += 1, a(i, i) += 1, a(u, i) += 1, a(i, u) += 1;
    b(u) += double{t.weight} - mean, b(i) += double{t.weight} - mean;
  }
  const Eigen::VectorXd x = a.ldlt().solve(b);
  const RatingBias bias = fit_rating_bias(by_user(triplets, users, items), reg_user, reg_item, 200, Executor(2));
  EXPECT_NEAR(bias.mean, mean, 1e-12);
  for (std::size_t u = 0; u < users; ++u) EXPECT_NEAR(double{bias.user[u]}, x(Eigen::Index(u)), 1e-6) << u;
  for (std::size_t i = 0; i < items; ++i) EXPECT_NEAR(double{bias.item[i]}, x(Eigen::Index(users + i)), 1e-6) << i;
  EXPECT_NEAR(bias.predict(UserIdx{2}, ItemIdx{3}), mean + x(2) + x(Eigen::Index(users + 3)), 1e-6);
}

TEST(RatingBias, OneSweepGivesKorensDecoupledEstimates) {
  // mu = 3; b_0 = (5 - 3 + 3 - 3) / (10 + 2), b_1 = (1 - 3) / (10 + 1); user 0: ((5 - 3 - b_0) + 0) / (15 + 1).
  const RatingBias bias = fit_rating_bias(by_user({{0, 0, 5}, {1, 0, 3}, {1, 1, 1}}, 3, 3), 15, 10, 1, Executor(1));
  EXPECT_NEAR(bias.item[0], 2.0 / 12, 1e-7);
  EXPECT_NEAR(bias.item[1], -2.0 / 11, 1e-7);
  EXPECT_NEAR(bias.user[0], (2 - 2.0 / 12) / 16, 1e-7);
  EXPECT_NEAR(bias.user[1], (-2.0 / 12 - 2 + 2.0 / 11) / 17, 1e-7);
  EXPECT_EQ(bias.user[2], 0.0f);
  EXPECT_EQ(bias.item[2], 0.0f);
}

TEST(RatingBias, KnowsNothingAboutStrangersBeyondTheirRatings) {
  const Csr<ItemIdx> train = by_user(random_ratings(30, 20, 0.3, 12), 30, 20);
  const RatingBias bias = fit_rating_bias(train, 5, 2.5, 10, Executor(1));
  EXPECT_EQ(bias.predict(kNoUser, kNoItem), bias.mean);
  EXPECT_EQ(bias.predict(kNoUser, ItemIdx{4}), bias.mean + double{bias.item[4]});
  EXPECT_EQ(bias.bias_of({}, {}, 5), 0.0);
  // Somebody with a trained user's ratings gets that user's bias: the last half sweep solved for users.
  EXPECT_NEAR(bias.bias_of(train.indices(3), train.values(3), 5), double{bias.user[3]}, 1e-6);
}

TEST(RatingBias, HasTheSameBitsForAnyNumberOfThreadsAndTakesEmptyData) {
  const Csr<ItemIdx> train = by_user(random_ratings(700, 20, 0.3, 13), 700, 20);
  const RatingBias one = fit_rating_bias(train, 5, 2.5, 10, Executor(1));
  for (int threads : {2, 3, 8}) {
    const RatingBias many = fit_rating_bias(train, 5, 2.5, 10, Executor(threads));
    EXPECT_EQ(one.mean, many.mean);
    EXPECT_EQ(one.user, many.user);
    EXPECT_EQ(one.item, many.item);
  }
  const RatingBias none = fit_rating_bias(by_user({}, 2, 2), 0, 0, 3, Executor(1));
  EXPECT_EQ(none.predict(UserIdx{0}, ItemIdx{0}), 0.0);
}

}  // namespace
}  // namespace segue
