#include <Eigen/Dense>
#include <gmock/gmock.h>

#include "tests/unit/algorithms/linear_fixture.hpp"

extern "C" void segue_register_algorithm_ease(segue::Registry& registry);

namespace segue {
namespace {

using test::kLinearItems;
using test::kLinearUsers;

Registry registry() {
  Registry out;
  segue_register_algorithm_ease(out);
  return out;
}

Value params(const char* weights, double reg) {
  return test::params_of({{"weights", Value::string(weights)}, {"reg", Value::real(reg)}});
}

// The definition, one item after another: a ridge regression of its column on all the others.
Matrix<double> oracle(const Matrix<double>& x, double reg) {
  const Eigen::Index n = x.cols();
  Matrix<double> b = Matrix<double>::Zero(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    Matrix<double> others = x;
    others.col(j).setZero();
    const Matrix<double> a = others.transpose() * others + reg * Matrix<double>::Identity(n, n);
    b.col(j) = a.ldlt().solve(others.transpose() * x.col(j));
  }
  return b;
}

TEST(Ease, EqualsOneRidgeRegressionAnItem) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  for (const double reg : {0.5, 20.0}) {
    for (const bool binary : {true, false}) {
      const Matrix<double> x = test::dense_x(events, binary, true);
      const auto fitted = test::fit(registry(), "ease", params(binary ? "binary" : "given", reg), train, 2);
      const Matrix<double> expected = x * oracle(x, reg);
      EXPECT_LE((test::scores_of_all(*fitted.model) - expected).cwiseAbs().maxCoeff(), 2e-6) << reg << binary;
      EXPECT_GT(expected.cwiseAbs().maxCoeff(), 0.3);
    }
  }
}

TEST(Ease, KeepsWhatEveryModelPromises) {
  test::expect_promises(registry(), "ease", params("binary", 5));
  test::expect_promises(registry(), "ease", params("given", 5));
}

TEST(Ease, SaysWhatACatalogueWouldTake) {
  const Csr<ItemIdx> large(100000, std::vector<std::uint64_t>{0, 1}, std::vector<ItemIdx>{item_at(7)}, Array<float>());
  EXPECT_EQ(
      test::refusal_of(registry(), "ease", Value::map(), large),
      "ease holds a number for every pair of items: 100000 items take 111.8 GiB, and memory_limit is 16; keep fewer "
      "items (filters: in the suite; up to 37837 fit), or raise memory_limit");
}

TEST(Ease, ASingularSystemIsExplained) {
  // Two items that everybody has together, in weights whose squares leave no digit for the penalty.
  std::vector<test::Triplet> twins;
  for (std::uint32_t u = 0; u < 20; ++u) twins.push_back({u, 0, 1e6f}), twins.push_back({u, 1, 1e6f});
  const std::string text = test::refusal_of(registry(), "ease", params("given", 1e-6), test::by_user(twins, 20, 2));
  EXPECT_THAT(text, testing::HasSubstr("raise reg"));
}

}  // namespace
}  // namespace segue
