#include "framework/linalg/sparse_gram.hpp"

#include <gtest/gtest.h>

#include "tests/support/triplets.hpp"

namespace segue {
namespace {

Matrix<double> gram_of(const Csr<ItemIdx>& x, int threads) {
  const auto n = static_cast<Eigen::Index>(x.cols());
  Matrix<double> out = Matrix<double>::Constant(n, n, -7);
  const Executor exec(threads);
  sparse_gram(x, exec, [&](std::size_t i, std::span<const double> row) {
    for (std::size_t j = i; j < row.size(); ++j) out(Eigen::Index(i), Eigen::Index(j)) = row[j];
  });
  mirror_upper(out, exec);
  return out;
}

// By definition, every pair of every user.
Matrix<double> oracle(const std::vector<test::Triplet>& triplets, std::size_t items, bool weighted) {
  Matrix<double> out = Matrix<double>::Zero(Eigen::Index(items), Eigen::Index(items));
  for (const test::Triplet& a : triplets)
    for (const test::Triplet& b : triplets)
      if (a.user == b.user) out(a.item, b.item) += weighted ? double{a.weight} * double{b.weight} : 1.0;
  return out;
}

TEST(SparseGram, EqualsTheSumOverUsers) {
  const auto triplets = test::random_ratings(60, 70, 0.2, 4);  // half stars: sums are exact
  EXPECT_EQ(gram_of(test::by_user(triplets, 60, 70), 2), oracle(triplets, 70, true));
  EXPECT_EQ(gram_of(test::by_user(triplets, 60, 70, false), 2), oracle(triplets, 70, false));
  auto ones = triplets;
  for (test::Triplet& t : ones) t.weight = 1;
  EXPECT_EQ(gram_of(test::by_user(ones, 60, 70), 2), oracle(triplets, 70, false));
}

TEST(SparseGram, SameBitsForAnyThreadCount) {
  auto triplets = test::random_ratings(80, 90, 0.3, 5);
  for (test::Triplet& t : triplets) t.weight *= 0.1f;  // not exact, so that another order would show
  const Csr<ItemIdx> x = test::by_user(triplets, 80, 90);
  const Matrix<double> one = gram_of(x, 1);
  for (int threads : {2, 3, 8}) EXPECT_EQ(gram_of(x, threads), one) << threads << " threads";
}

TEST(SparseGram, OfNothingIsZero) {
  EXPECT_EQ(gram_of(test::by_user({}, 3, 5), 1), (Matrix<double>::Zero(5, 5)));
  EXPECT_EQ(gram_of(test::by_user({}, 0, 0), 1).size(), 0);
}

}  // namespace
}  // namespace segue
