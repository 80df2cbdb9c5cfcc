#include <Eigen/SVD>

#include "tests/unit/algorithms/linear_fixture.hpp"

extern "C" void segue_register_algorithm_pure_svd(segue::Registry& registry);

namespace segue {
namespace {

using test::kLinearItems;
using test::kLinearUsers;

Registry registry() {
  Registry out;
  segue_register_algorithm_pure_svd(out);
  return out;
}

Value params(const char* weights, int factors, int epochs = 60) {
  return test::params_of(
      {{"weights", Value::string(weights)}, {"factors", Value::integer(factors)}, {"epochs", Value::integer(epochs)}});
}

TEST(PureSvd, ScoresAreTheBestApproximationOfItsRank) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  for (const bool binary : {true, false}) {
    const Matrix<double> x = test::dense_x(events, binary, true);
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
    for (const int d : {1, 4, 10}) {
      const auto model = test::fit(registry(), "pure_svd", params(binary ? "binary" : "given", d), train, 2).model;
      const Matrix<double> expected =
          svd.matrixU().leftCols(d) * svd.singularValues().head(d).asDiagonal() * svd.matrixV().leftCols(d).transpose();
      EXPECT_LE((test::scores_of_all(*model) - expected).cwiseAbs().maxCoeff(), 1e-5) << d << binary;
      EXPECT_GT(expected.cwiseAbs().maxCoeff(), 0.3);
    }
  }
}

TEST(PureSvd, TakesNoMoreThanAQuarterOfTheItems) {
  const Csr<ItemIdx> train = test::by_user(test::signed_events(), kLinearUsers, kLinearItems);
  const auto asked = test::fit(registry(), "pure_svd", params("given", 100), train).model;
  const auto given = test::fit(registry(), "pure_svd", params("given", kLinearItems / 4), train).model;
  EXPECT_EQ(asked->embeddings()->item_vectors().cols(), 10);
  EXPECT_EQ(test::scores_of_all(*asked), test::scores_of_all(*given));
}

TEST(PureSvd, TheSeedHardlyMatters) {
  const Csr<ItemIdx> train = test::by_user(test::signed_events(), kLinearUsers, kLinearItems);
  const auto a = test::fit(registry(), "pure_svd", params("binary", 4), train, 1, 1).model;
  const auto b = test::fit(registry(), "pure_svd", params("binary", 4), train, 1, 2).model;
  EXPECT_LE((test::scores_of_all(*a) - test::scores_of_all(*b)).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(PureSvd, KeepsWhatEveryModelPromises) {
  test::expect_promises(registry(), "pure_svd", params("binary", 5, 3));
  test::expect_promises(registry(), "pure_svd", params("given", 17, 3));
}

}  // namespace
}  // namespace segue
