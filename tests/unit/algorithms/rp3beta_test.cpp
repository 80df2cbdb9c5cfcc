#include <algorithm>
#include <cmath>

#include "tests/unit/algorithms/linear_fixture.hpp"

extern "C" void segue_register_algorithm_rp3beta(segue::Registry& registry);

namespace segue {
namespace {

using test::kLinearItems;
using test::kLinearUsers;

Registry registry() {
  Registry out;
  segue_register_algorithm_rp3beta(out);
  return out;
}

Value params(const char* weights, int neighbours, double alpha, double beta) {
  return test::params_of({{"weights", Value::string(weights)},
                          {"neighbours", Value::integer(neighbours)},
                          {"alpha", Value::real(alpha)},
                          {"beta", Value::real(beta)}});
}

// All paths, dense: the two steps as matrices of probabilities.
Matrix<double> oracle(const Matrix<double>& x, double alpha, double beta, Eigen::Index neighbours) {
  Matrix<double> to_item = x, to_user = x.transpose();
  for (Eigen::Index u = 0; u < x.rows(); ++u)
    if (x.row(u).sum() > 0) to_item.row(u) /= x.row(u).sum();
  for (Eigen::Index i = 0; i < x.cols(); ++i)
    if (x.col(i).sum() > 0) to_user.row(i) /= x.col(i).sum();
  const auto power = [alpha](double p) { return p > 0 ? std::pow(p, alpha) : 0.0; };
  Matrix<double> w = to_user.unaryExpr(power).eval() * to_item.unaryExpr(power).eval();
  for (Eigen::Index j = 0; j < w.cols(); ++j)
    if (const double users = double((x.col(j).array() > 0).count()); users > 0) w.col(j) /= std::pow(users, beta);
  w.diagonal().setZero();
  for (Eigen::Index i = 0; i < w.rows(); ++i) {
    Eigen::VectorXd sorted = w.row(i);
    std::sort(sorted.data(), sorted.data() + sorted.size(), std::greater<>());
    if (neighbours < sorted.size())
      for (Eigen::Index j = 0; j < w.cols(); ++j)
        if (w(i, j) < sorted(neighbours - 1)) w(i, j) = 0;
  }
  return x * w;
}

TEST(Rp3beta, EqualsTheSumOverAllPaths) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  for (const bool binary : {true, false}) {
    const Matrix<double> x = test::dense_x(events, binary, false);
    for (const auto& [alpha, beta] : {std::pair{1.0, 0.0}, std::pair{1.0, 0.6}, std::pair{1.7, 0.4}}) {
      const auto model =
          test::fit(registry(), "rp3beta", params(binary ? "binary" : "given", 1000, alpha, beta), train, 2).model;
      const Matrix<double> expected = oracle(x, alpha, beta, 1000);
      EXPECT_LE((test::scores_of_all(*model) - expected).cwiseAbs().maxCoeff(), 2e-6 * expected.maxCoeff())
          << alpha << " " << beta << binary;
      EXPECT_GT(expected.maxCoeff(), 0);
    }
  }
}

TEST(Rp3beta, KeepsTheLargestOfEachRow) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  // Real weights, so that no two sums tie.
  const Matrix<double> x = test::dense_x(events, false, false);
  for (const int neighbours : {1, 7}) {
    const auto model = test::fit(registry(), "rp3beta", params("given", neighbours, 1.3, 0.3), train).model;
    const Matrix<double> expected = oracle(x, static_cast<double>(1.3f), static_cast<double>(0.3f), neighbours);
    EXPECT_LE((test::scores_of_all(*model) - expected).cwiseAbs().maxCoeff(), 2e-6 * expected.maxCoeff()) << neighbours;
  }
}

TEST(Rp3beta, KeepsWhatEveryModelPromises) {
  test::expect_promises(registry(), "rp3beta", params("binary", 5, 1, 0.5));
  test::expect_promises(registry(), "rp3beta", params("given", 20, 0.7, 0.5));
}

}  // namespace
}  // namespace segue
