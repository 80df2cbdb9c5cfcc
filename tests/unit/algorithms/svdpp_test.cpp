#include <cmath>

#include <gtest/gtest.h>

#include "algorithms/svdpp/svdpp_math.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_svdpp(segue::Registry& registry);

namespace segue {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::every_user;
using test::Fitted;
using test::params_of;
using test::same_bits;
using test::scores_of;

constexpr std::size_t kUsers = 33, kItems = 26;

// Ratings that user and item explain in part; the last user and the last item have none.
Csr<ItemIdx> ratings() {
  Rng rng(4);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (std::size_t u = 0; u < kUsers; ++u) {
    for (std::size_t i = 0; u + 1 < kUsers && i + 1 < kItems; ++i) {
      if (rng.uniform() > 0.4) continue;
      columns.push_back(item_at(i));
      weights.push_back(static_cast<float>(1 + (u % 3 + i % 2 + 2 * ((u + i) % 2)) % 5));
    }
    offsets.push_back(columns.size());
  }
  return {kItems, std::move(offsets), std::move(columns), std::move(weights)};
}

Matrix<float> normal_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  Matrix<float> out(static_cast<Index>(n), static_cast<Index>(d));
  Rng(seed).fill_normal({out.data(), n * d}, 0, 0.5f);
  return out;
}

struct State {
  explicit State(std::size_t d)
      : by_user(rated_rows(ratings(), 2.5, 1)),
        by_item(rated_rows(ratings().transposed<UserIdx>(), 2.5, 1)),
        users(normal_rows(kUsers, d, 1)),
        items(normal_rows(kItems, d, 2)),
        y(normal_rows(kItems, d, 3)) {
    y.col(y.cols() - 1).setZero();
    y.row(kItems - 1).setZero();
    users.row(kUsers - 1).setZero();
    items.row(kItems - 1).setZero();
    centre = sums(y.cast<double>()).cast<float>();
  }
  MatrixXd sums(const MatrixXd& of) const {
    MatrixXd out = MatrixXd::Zero(kUsers, of.cols());
    for (std::size_t u = 0; u < kUsers; ++u)
      for (std::uint32_t j : by_user.columns_of(u))
        out.row(static_cast<Index>(u)) += of.row(j) / std::sqrt(static_cast<double>(by_user.count(u)));
    return out;
  }
  // The objective of the header, term by term in double.
  double objective(const SvdppPenalties& s, const MatrixXd& x, const MatrixXd& q, const MatrixXd& implicit) const {
    const Index d = x.cols() - 1;
    const MatrixXd z = sums(implicit);
    const auto mass = [&](std::size_t n) { return std::pow(static_cast<double>(n), static_cast<double>(s.exponent)); };
    double total = 0;
    for (std::size_t r = 0; r < kUsers; ++r) {
      const auto u = static_cast<Index>(r);
      for (std::size_t e = 0; e < by_user.count(r); ++e) {
        const Index i = by_user.columns_of(r)[e];
        const double t = static_cast<double>(by_user.values_of(r)[e]);
        total += std::pow(t - x(u, d) - q(i, d) - x.row(u).head(d).dot(q.row(i).head(d)), 2);
      }
      if (by_user.count(r) > 0)
        total += mass(by_user.count(r)) * (double{s.reg} * (x.row(u).head(d) - z.row(u).head(d)).squaredNorm() +
                                           double{s.bias_reg} * x(u, d) * x(u, d));
    }
    for (std::size_t r = 0; r + 1 < kItems; ++r) {
      const auto i = static_cast<Index>(r);
      total += mass(by_item.count(r)) *
               (double{s.reg} * q.row(i).head(d).squaredNorm() + double{s.bias_reg} * q(i, d) * q(i, d) +
                double{s.implicit_reg} * implicit.row(i).squaredNorm());
    }
    return total;
  }
  double objective(const SvdppPenalties& s) const {
    return objective(s, users.cast<double>(), items.cast<double>(), y.cast<double>());
  }
  RatedRows by_user, by_item;
  Matrix<float> users, items, y, centre;
};

// Central differences of the objective vanish where a step says that it is the minimum.
template <class Objective>
double largest_slope(MatrixXd at, Objective objective) {
  double largest = 0;
  for (Index k = 0; k < at.size(); ++k) {
    const double keep = at.data()[k], h = 1e-4;
    at.data()[k] = keep + h;
    const double up = objective(at);
    at.data()[k] = keep - h;
    largest = std::max(largest, std::abs(up - objective(at)) / (2 * h));
    at.data()[k] = keep;
  }
  return largest;
}

TEST(SvdppSteps, EndWhereTheGradientOfTheObjectiveVanishes) {
  const Executor exec(2);
  for (const float nu : {0.0f, 0.5f, 1.0f}) {
    const SvdppPenalties penalties{0.7f, 0.2f, 0.9f, nu};
    for (const std::size_t d : {2u, 6u, 17u}) {
      State s(d);
      const MatrixXd users = s.users.cast<double>(), y = s.y.cast<double>();
      const auto of_items = [&](const MatrixXd& q) { return s.objective(penalties, users, q, y); };
      const double slope_before = largest_slope(s.items.cast<double>(), of_items);
      svdpp_solve_rows(s.by_item, s.users, penalties, nullptr, s.items, exec);
      EXPECT_LE(largest_slope(s.items.cast<double>(), of_items), 1e-4 * slope_before) << d;

      const double before = s.objective(penalties);
      const double squares = svdpp_solve_rows(s.by_user, s.items, penalties, &s.centre, s.users, exec);
      const MatrixXd items = s.items.cast<double>();
      EXPECT_LE(
          largest_slope(s.users.cast<double>(), [&](const MatrixXd& x) { return s.objective(penalties, x, items, y); }),
          1e-4 * slope_before)
          << d;
      EXPECT_LT(s.objective(penalties), before);
      // The parts that the learning curve adds up are the objective.
      const double parts = squares + svdpp_penalty(s.by_user, s.users, &s.centre, penalties, 0.7f, 0.2f) +
                           svdpp_penalty(s.by_item, s.items, nullptr, penalties, 0.7f, 0.2f) +
                           svdpp_penalty(s.by_item, s.y, nullptr, penalties, 0.9f, 0);
      EXPECT_NEAR(parts, s.objective(penalties), 1e-5 * parts);

      // Many rounds over y: the gradient in y, x fixed, vanishes, and no round raises the objective.
      const MatrixXd x = s.users.cast<double>();
      const auto of_y = [&](const MatrixXd& implicit) { return s.objective(penalties, x, items, implicit); };
      const MatrixXd start = s.y.cast<double>();
      const double y_slope = largest_slope(start.leftCols(static_cast<Index>(d) - 1), [&](const MatrixXd& part) {
        MatrixXd all = start;
        all.leftCols(part.cols()) = part;
        return of_y(all);
      });
      double value = s.objective(penalties);
      for (int round = 0; round < 300; ++round) {
        svdpp_implicit_round(s.by_user, s.by_item, s.users, penalties, s.y, s.centre, exec);
        const double now = s.objective(penalties);
        EXPECT_LE(now, value * (1 + 1e-6));
        value = now;
      }
      const MatrixXd end = s.y.cast<double>();
      EXPECT_LE(largest_slope(end.leftCols(static_cast<Index>(d) - 1),
                              [&](const MatrixXd& part) {
                                MatrixXd all = end;
                                all.leftCols(part.cols()) = part;
                                return of_y(all);
                              }),
                1e-3 * y_slope)
          << d;
      EXPECT_EQ(s.y.col(s.y.cols() - 1).cwiseAbs().maxCoeff(), 0) << "y has no bias";
    }
  }
}

Registry registry() {
  Registry out;
  segue_register_algorithm_svdpp(out);
  return out;
}

Fitted fit_small(int threads = 1, int factors = 6) {
  return test::fit(registry(), "svdpp",
                   params_of({{"factors", Value::integer(factors)},
                              {"epochs", Value::integer(6)},
                              {"reg", Value::real(0.5)},
                              {"implicit_reg", Value::real(0.5)}}),
                   ratings(), threads);
}

TEST(Svdpp, SameBitsForAnyThreadCountAndALossThatFalls) {
  const Fitted one = fit_small(1, 19);
  for (int threads : {2, 3, 8}) {
    const Fitted many = fit_small(threads, 19);
    EXPECT_TRUE(same_bits(scores_of(*one.model, every_user(kUsers)), scores_of(*many.model, every_user(kUsers))))
        << threads;
    EXPECT_EQ(one.curve.series, many.curve.series) << threads;
  }
  const std::vector<double>& loss = one.curve.series.at("loss");
  for (std::size_t e = 1; e < loss.size(); ++e) EXPECT_LT(loss[e], loss[e - 1]);
}

TEST(Svdpp, BatchesCandidatesAndArchivesAgree) {
  const Fitted one = fit_small();
  const std::vector<ItemIdx> history{item_at(3), item_at(1), item_at(3), item_at(7)};
  std::vector<Query> queries = every_user(kUsers);
  queries.push_back({.history = history});
  queries.push_back({});
  test::expect_batches_agree(*one.model, queries);
  test::MemoryArchive archive;
  one.model->save(archive.writer());
  const auto again = registry().make("svdpp", Value::map());
  again->load(archive.reader());
  EXPECT_TRUE(same_bits(scores_of(*one.model, queries), scores_of(*again, queries)));
}

// Who is unknown is what their history makes of them, whichever its order and repeats.
TEST(Svdpp, AnUnknownUserIsTheirHistory) {
  const Fitted one = fit_small();
  const std::vector<ItemIdx> history{item_at(3), item_at(1), item_at(7)},
      other{item_at(7), item_at(3), item_at(1), item_at(3)};
  std::vector<Query> queries(4);
  queries[0].history = history;
  queries[1].history = other;
  queries[2].user = user_at(kUsers - 1);  // known by name, without ratings
  queries[2].history = history;
  const Matrix<float> scores = scores_of(*one.model, queries);
  EXPECT_EQ(scores.row(0), scores.row(1));
  EXPECT_EQ(scores.row(0), scores.row(2));
  EXPECT_NE(scores.row(0), scores.row(3));
  const std::span<const float> bias = one.model->embeddings()->item_biases();
  for (Index i = 0; i < scores.cols(); ++i) EXPECT_EQ(scores(3, i), bias[static_cast<std::size_t>(i)]) << "no history";
}

TEST(Svdpp, PredictsWhatItScores) {
  const Fitted one = fit_small();
  const Matrix<float> scores = scores_of(*one.model, every_user(kUsers));
  for (std::size_t u = 0; u < kUsers; ++u) {
    const std::vector<UserIdx> who{user_at(u), user_at(u), user_at(u), kNoUser, kNoUser};
    const std::vector<ItemIdx> what{item_at(2), item_at(5), kNoItem, item_at(2), kNoItem};
    std::vector<float> p(5);
    one.model->ratings()->predict(who, what, p);
    for (float x : p) EXPECT_TRUE(x >= 1 && x <= 5);
    const auto row = static_cast<Index>(u);
    if (p[0] > 1 && p[0] < 5 && p[1] > 1 && p[1] < 5) {
      EXPECT_NEAR(p[0] - p[1], scores(row, 2) - scores(row, 5), 1e-5);
    }
    double sum = 0;
    const Csr<ItemIdx> events = ratings();
    for (float w : events.all_values()) sum += static_cast<double>(w);
    EXPECT_NEAR(p[4], sum / static_cast<double>(events.nnz()), 1e-5);
  }
}

}  // namespace
}  // namespace segue
