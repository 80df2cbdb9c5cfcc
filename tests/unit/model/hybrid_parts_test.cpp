// What hybrids are put together with: the inner split, fused scores, the ranker of lists, sparse ridge regression.
#include <cmath>
#include <numeric>

#include <Eigen/Cholesky>
#include <gmock/gmock.h>

#include "framework/linalg/sparse_ridge.hpp"
#include "framework/model/inner_split.hpp"
#include "framework/model/list_ranker.hpp"
#include "framework/model/score_fusion.hpp"
#include "framework/nn/gradcheck.hpp"

namespace segue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<std::size_t> raws(std::span<const ItemIdx> items) {
  std::vector<std::size_t> out;
  for (const ItemIdx item : items) out.push_back(raw(item));
  return out;
}

// Two users: 0 hears items 0 1 2 3 0 at times 10 to 50 (the third event a skip), 1 hears item 4 at 15 only.
struct Log {
  Interactions train{Csr<ItemIdx>(5, std::vector<std::uint64_t>{0, 4, 5},
                                  std::vector<ItemIdx>{item_at(0), item_at(1), item_at(2), item_at(3), item_at(4)},
                                  std::vector<float>{2, 1, -1, 1, 1})};
  Histories histories{std::vector<std::uint64_t>{0, 5, 6},
                      std::vector<ItemIdx>{item_at(0), item_at(1), item_at(2), item_at(3), item_at(0), item_at(4)},
                      std::vector<std::int64_t>{10, 20, 30, 40, 50, 15},
                      std::vector<float>{1, 1, -1, 1, 1, 1},
                      std::vector<EventKind>(6, EventKind::kPlay),
                      std::vector<std::uint32_t>{0, 0, 0, 1, 1, 0}};
  Facets facets;
  TrainData data() const { return {train, histories, facets}; }
};

TEST(InnerSplit, HoldsOutTheLastEventsOfEachUser) {
  const Log log;
  const InnerSplit split = inner_split(log.data(), 0.4, HoldoutBy::kUser, false);
  EXPECT_THAT(split.users, ElementsAre(user_at(0)));             // the other has one event, which stays
  EXPECT_THAT(raws(split.held_out.indices(0)), ElementsAre(3));  // item 0 was heard before
  EXPECT_THAT(split.moments, ElementsAre(40));
  EXPECT_THAT(raws(split.train.items(user_at(0))), ElementsAre(0, 1, 2));
  EXPECT_THAT(split.train.weights(user_at(0)), ElementsAre(1, 1, -1));  // one of item 0's two events is left
  EXPECT_THAT(raws(split.train.items(user_at(1))), ElementsAre(4));
  EXPECT_THAT(raws(split.histories.of(user_at(0)).items), ElementsAre(0, 1, 2));
  EXPECT_THAT(raws(inner_split(log.data(), 0.4, HoldoutBy::kUser, true).held_out.indices(0)), ElementsAre(0, 3));
}

// A play and a later skip that is held out add up to 0, of which 1 is left; under binary feedback nothing adds up.
TEST(InnerSplit, WeighsWhatIsLeft) {
  const Facets facets;
  const auto weight_left = [&](std::vector<float> events, float pair) {
    const std::size_t n = events.size();
    const Interactions train(Csr<ItemIdx>(1, std::vector<std::uint64_t>{0, 1}, std::vector<ItemIdx>{item_at(0)},
                                          std::vector<float>{pair}));
    std::vector<std::int64_t> times(n);
    std::iota(times.begin(), times.end(), 10);
    const Histories histories(std::vector<std::uint64_t>{0, n}, std::vector<ItemIdx>(n, item_at(0)), std::move(times),
                              std::move(events), std::vector<EventKind>(n, EventKind::kPlay),
                              std::vector<std::uint32_t>(n, 0));
    return inner_split({train, histories, facets}, 0.4, HoldoutBy::kUser, true).train.weights(user_at(0))[0];
  };
  EXPECT_EQ(weight_left({1, -1}, 0), 1);    // signals: one skip is held out
  EXPECT_EQ(weight_left({1, 1, 1}, 3), 2);  // counts
  EXPECT_EQ(weight_left({1, 1, 1}, 1), 1);  // binary
  EXPECT_EQ(weight_left({4, 5}, 5), 5);     // the last rating
}

TEST(InnerSplit, CutsAllEventsAtOneMoment) {
  const Log log;
  const InnerSplit split =
      inner_split(log.data(), 0.5, HoldoutBy::kTime, false);  // from the fourth of six times on: 30
  EXPECT_THAT(split.users, ElementsAre(user_at(0)));
  EXPECT_THAT(raws(split.held_out.indices(0)), ElementsAre(3));  // a skip is no truth
  EXPECT_THAT(split.moments, ElementsAre(30));
  EXPECT_THAT(raws(split.histories.of(user_at(0)).items), ElementsAre(0, 1));
  EXPECT_THAT(raws(split.histories.of(user_at(1)).items), ElementsAre(4));
  const Histories none;
  EXPECT_THAT(inner_split({log.train, none, log.facets}, 0.5, HoldoutBy::kTime, false).users, IsEmpty());
}

TEST(ScoreFusion, StandardisesWhatIsFinite) {
  std::vector<float> x{1, -kInf, 3, 5};
  standardise_scores(x);
  EXPECT_FLOAT_EQ(x[0], -std::sqrt(1.5f));
  EXPECT_EQ(x[1], -kInf);
  EXPECT_FLOAT_EQ(x[2], 0);
  EXPECT_FLOAT_EQ(x[3], std::sqrt(1.5f));
  std::vector<float> same{2, 2};
  standardise_scores(same);
  EXPECT_THAT(same, ElementsAre(0, 0));
}

TEST(ScoreFusion, TakesTheBestUnbarredItems) {
  const std::vector<float> x{2, 5, 2, -kInf, 9};
  const std::vector<std::uint8_t> barred{0, 0, 0, 0, 1};
  EXPECT_THAT(raws(best_items(x, barred, 2)), ElementsAre(1, 0));  // of equal scores the first
  EXPECT_THAT(raws(best_items(x, {}, 9)), ElementsAre(4, 1, 0, 2));
}

TEST(ScoreFusion, RanksAmongTheUnbarred) {
  std::vector<float> x{2, 5, 2, -kInf, 9};
  reciprocal_ranks(x, std::vector<std::uint8_t>{0, 1, 0, 0, 0}, 60);
  EXPECT_THAT(x, ElementsAre(1 / 62.0f, 1 / 62.0f, 1 / 62.0f, -kInf, 1 / 61.0f));
}

RankedLists some_lists() {
  RankedLists out;
  out.features = 3;
  Rng rng(5);
  for (const std::size_t n : {4u, 7u, 5u}) {
    for (std::size_t e = 0; e < n * 3; ++e) out.rows.push_back(static_cast<float>(rng.normal()));
    out.offsets.push_back(out.offsets.back() + n);
    out.targets.push_back(static_cast<std::uint32_t>(n - 1));
    if (n == 7) out.targets.push_back(2);
    out.target_offsets.push_back(out.targets.size());
  }
  return out;
}

TEST(ListRanker, LossAndGradientAreThoseOfTheFormula) {
  const RankedLists lists = some_lists();
  for (const std::size_t hidden : {0u, 6u}) {
    ListRanker<double> ranker({3, hidden}, Rng(2));
    Rng rng(3);
    for (double& p : ranker.params().all()) p += 0.3 * rng.normal();
    std::vector<double> rows(lists.rows.begin(), lists.rows.end());
    const auto list = [&](std::size_t l) {
      return ConstView<double>(rows.data() + lists.offsets[l] * 3, lists.offsets[l + 1] - lists.offsets[l], 3);
    };
    const auto loss = [&] {
      double sum = 0;
      for (std::size_t l = 0; l < lists.size(); ++l) {
        std::vector<double> s(list(l).rows);
        ranker.score(list(l), s);
        double all = 0;
        for (const double x : s) all += std::exp(x);
        for (const std::uint32_t t : lists.targets_of(l))
          sum += (std::log(all) - s[t]) / static_cast<double>(lists.targets_of(l).size());
      }
      return sum;
    };
    nn::ParamStore<double> gradient = ranker.params().zeros_like();
    double learned = 0;
    for (std::size_t l = 0; l < lists.size(); ++l) learned += ranker.learn(list(l), lists.targets_of(l), 1.0, gradient);
    EXPECT_NEAR(learned, loss(), 1e-12);
    const nn::GradientCheck check = nn::check_gradient(loss, ranker.params().all(), gradient.all(), Rng(4), 400, 1e-4);
    EXPECT_LT(check.worst, 1e-6) << "hidden " << hidden << ", parameter " << check.index;
  }
}

TEST(ListRanker, LearnsWhichFeatureTellsAndTheSameForAnyThreads) {
  RankedLists lists;
  lists.features = 2;
  Rng rng(9);
  for (int l = 0; l < 60; ++l) {
    std::uint32_t best = 0;
    std::vector<float> second;
    for (std::uint32_t e = 0; e < 5; ++e) {
      lists.rows.push_back(static_cast<float>(rng.normal()));
      second.push_back(static_cast<float>(rng.normal()));
      lists.rows.push_back(second.back());
      if (second[e] > second[best]) best = e;
    }
    lists.offsets.push_back(lists.offsets.back() + 5);
    lists.targets.push_back(best);
    lists.target_offsets.push_back(lists.targets.size());
  }
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 3}) {
    const Executor exec(threads);
    ListRanker<float> ranker({2, 4}, Rng(1));
    nn::OptimizerSettings adam;
    adam.learning_rate = 0.05;
    nn::Optimizer<float> optimizer(adam, ranker.params());
    double first = 0, last = 0;
    for (int epoch = 1; epoch <= 20; ++epoch) {
      last = train_epoch(ranker, optimizer, lists, epoch, 7, Rng(6), exec);
      if (epoch == 1) first = last;
    }
    EXPECT_GT(first, 1.0);
    EXPECT_LT(last, 0.4);
    found.emplace_back(ranker.params().all().begin(), ranker.params().all().end());
  }
  EXPECT_EQ(found[0], found[1]);
}

// Against the normal equations, solved by Eigen, with more rows than features and the other way round.
TEST(SparseRidge, SolvesTheNormalEquations) {
  for (const auto& [n, f] : {std::pair{30, 8}, {9, 25}}) {
    Rng rng(static_cast<std::uint64_t>(n));
    Matrix<double> x = Matrix<double>::Zero(n, f);
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> indices;
    std::vector<float> values;
    Matrix<float> targets(n, 3);
    std::vector<double> weights;
    for (int r = 0; r < n; ++r) {
      for (int c = 0; c < f - 1; ++c) {  // the last feature is nobody's
        if (rng.uniform() < 0.5) continue;
        indices.push_back(item_at(static_cast<std::size_t>(c)));
        values.push_back(static_cast<float>(rng.normal()));
        x(r, c) = static_cast<double>(values.back());
      }
      offsets.push_back(indices.size());
      weights.push_back(r == 3 ? 0 : rng.uniform());
      for (int t = 0; t < 3; ++t) targets(r, t) = static_cast<float>(rng.normal());
    }
    const Csr<ItemIdx> rows(static_cast<std::size_t>(f), std::move(offsets), std::move(indices), std::move(values));
    const Executor one(1), three(3);
    const Matrix<double> found = sparse_ridge(rows, weights, targets, 0.7, one);
    Eigen::MatrixXd a = 0.7 * Eigen::MatrixXd::Identity(f, f), b = Eigen::MatrixXd::Zero(f, 3);
    for (int r = 0; r < n; ++r) {
      a += weights[static_cast<std::size_t>(r)] * x.row(r).transpose() * x.row(r);
      b += weights[static_cast<std::size_t>(r)] * x.row(r).transpose() * targets.row(r).cast<double>();
    }
    const Eigen::MatrixXd expected = a.ldlt().solve(b);
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-6);  // square roots of weights are rounded to float
    EXPECT_EQ(found.row(f - 1).cwiseAbs().maxCoeff(), 0);
    EXPECT_EQ(found, sparse_ridge(rows, weights, targets, 0.7, three));
  }
}

}  // namespace
}  // namespace segue
