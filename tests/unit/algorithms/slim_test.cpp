#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "algorithms/slim/slim_math.hpp"
#include "tests/unit/algorithms/linear_fixture.hpp"

extern "C" void segue_register_algorithm_slim(segue::Registry& registry);

namespace segue {
namespace {

using test::kLinearItems;
using test::kLinearUsers;

Registry registry() {
  Registry out;
  segue_register_algorithm_slim(out);
  return out;
}

Value params(const char* weights, double l1, double reg, int neighbours = 0) {
  return test::params_of({{"weights", Value::string(weights)},
                          {"l1", Value::real(l1)},
                          {"reg", Value::real(reg)},
                          {"neighbours", Value::integer(neighbours)},
                          {"epochs", Value::integer(100000)},
                          {"tolerance", Value::real(1e-9)}});
}

// The definition: residuals of whole columns, all items in turn, until nothing moves. allowed(i, j): may i have a
// weight for j?
template <class Allowed>
Matrix<double> oracle(const Matrix<double>& x, double l1, double reg, Allowed allowed) {
  const Eigen::Index n = x.cols();
  Matrix<double> w = Matrix<double>::Zero(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    Eigen::VectorXd residual = x.col(j);
    for (int sweep = 0; sweep < 20000; ++sweep) {
      double largest = 0;
      for (Eigen::Index i = 0; i < n; ++i) {
        if (i == j || !allowed(i, j)) continue;
        residual += w(i, j) * x.col(i);
        const double wanted = std::max(0.0, (x.col(i).dot(residual) - l1) / (x.col(i).squaredNorm() + reg));
        largest = std::max(largest, std::abs(wanted - w(i, j)));
        w(i, j) = wanted;
        residual -= w(i, j) * x.col(i);
      }
      if (largest < 1e-13) break;
    }
  }
  return w;
}

TEST(Slim, EqualsCoordinateDescentOnTheColumns) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  for (const bool binary : {true, false}) {
    const Matrix<double> x = test::dense_x(events, binary, false);
    for (const auto& [l1, reg] : {std::pair{0.0, 0.5}, std::pair{0.5, 3.0}, std::pair{2.0, 0.1}}) {
      const auto model = test::fit(registry(), "slim", params(binary ? "binary" : "given", l1, reg), train, 2).model;
      const Matrix<double> w =
          oracle(x, l1, static_cast<double>(static_cast<float>(reg)), [](auto, auto) { return true; });
      EXPECT_LE((test::scores_of_all(*model) - x * w).cwiseAbs().maxCoeff(), 1e-5) << l1 << " " << reg << binary;
      EXPECT_GT((w.array() > 0).count(), 50);
      EXPECT_GT((w.array() == 0).count(), 50);
    }
  }
}

TEST(Slim, ManyActiveItemsMeetTheConditionsOfTheMinimum) {
  // More items than join at once, so that several rounds and a grown matrix are needed.
  const auto events = test::random_ratings(120, 300, 0.15, 3);
  const auto n = Eigen::Index{300};
  Matrix<double> x = Matrix<double>::Zero(120, n);
  for (const test::Triplet& t : events) x(t.user, t.item) = 1;
  const Matrix<double> gram = x.transpose() * x;
  const Matrix<float> single = gram.cast<float>();
  SlimSettings settings;
  settings.l1 = 0.05, settings.reg = 2, settings.tolerance = 1e-10, settings.sweeps = 100000;
  SlimSolver solver(single, settings);
  std::size_t most = 0;
  for (std::size_t j = 0; j < 300; j += 7) {
    solver.solve(j);
    most = std::max(most, solver.items().size());
    EXPECT_TRUE(std::is_sorted(solver.items().begin(), solver.items().end()));
    Eigen::VectorXd w = Eigen::VectorXd::Zero(n);
    for (std::size_t p = 0; p < solver.items().size(); ++p) w(solver.items()[p]) = double{solver.weights()[p]};
    EXPECT_EQ(w(Eigen::Index(j)), 0);
    const Eigen::VectorXd slope =
        gram.col(Eigen::Index(j)) - gram * w - settings.reg * w;  // of what is minimised, less l1
    for (Eigen::Index i = 0; i < n; ++i) {
      if (i == Eigen::Index(j)) continue;
      if (w(i) > 0) {
        EXPECT_NEAR(slope(i), settings.l1, 1e-4) << i << " for " << j;
      } else {
        EXPECT_LE(slope(i), settings.l1 + 1e-4) << i << " for " << j;
      }
    }
  }
  EXPECT_GT(most, 40u);  // 32 join at first
}

TEST(Slim, PreselectionLeavesTheMostSimilar) {
  const auto events = test::signed_events();
  const Csr<ItemIdx> train = test::by_user(events, kLinearUsers, kLinearItems);
  const Matrix<double> x = test::dense_x(events, false, false);
  const Matrix<double> gram = x.transpose() * x;
  const auto cosine = [&](Eigen::Index i, Eigen::Index j) {
    return gram(i, j) / std::sqrt(std::max(1e-30, gram(i, i)));
  };
  const auto similar = [&](Eigen::Index i, Eigen::Index j) {
    int better = 0;
    for (Eigen::Index k = 0; k < gram.rows(); ++k) better += k != j && cosine(k, j) > cosine(i, j);
    return better < 6 && gram(i, j) > 0;
  };
  const auto model = test::fit(registry(), "slim", params("given", 0.1, 0.5, 6), train).model;
  const Matrix<double> w = oracle(x, static_cast<double>(0.1f), 0.5, similar);
  EXPECT_LE((test::scores_of_all(*model) - x * w).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_LE((w.array() > 0).colwise().count().maxCoeff(), 6);
}

TEST(Slim, KeepsWhatEveryModelPromises) {
  test::expect_promises(registry(), "slim", params("binary", 0.2, 2));
  test::expect_promises(registry(), "slim", params("given", 0.5, 2, 9));
}

TEST(Slim, SaysWhatACatalogueWouldTake) {
  const Csr<ItemIdx> large(100000, std::vector<std::uint64_t>{0, 1}, std::vector<ItemIdx>{item_at(7)}, Array<float>());
  EXPECT_THAT(test::refusal_of(registry(), "slim", Value::map(), large),
              testing::StartsWith("slim holds a number for every pair of items: 100000 items take 37.3 GiB, and "
                                  "memory_limit is 16; keep fewer items"));
}

}  // namespace
}  // namespace segue
