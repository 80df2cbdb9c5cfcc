// two_tower: gradients against differences, the step against Adam, and training.
#include <cmath>
#include <iostream>

#include "algorithms/two_tower/two_tower_math.hpp"
#include "framework/model/score_scale.hpp"
#include "framework/nn/gradcheck.hpp"
#include "tests/support/camps.hpp"
#include "tests/unit/algorithms/algorithm_fixture.hpp"

extern "C" void segue_register_algorithm_two_tower(segue::Registry&);

namespace segue::test {
namespace {

constexpr std::size_t kUsers = 30, kItems = 25, kPairs = 130, kFactors = 6;  // more pairs than a block of users

struct Pairs {
  std::vector<std::uint32_t> users, items;
  explicit Pairs(std::uint64_t seed) {
    Rng rng(seed);
    for (std::size_t s = 0; s < kPairs; ++s) {
      users.push_back(rng.below32(kUsers));
      items.push_back(rng.below32(kItems));
    }
  }
  PairBatch view() const { return {users, items}; }
};

std::vector<double> log_shares() {
  std::vector<double> out;
  for (std::size_t i = 0; i < kItems; ++i) out.push_back(-1.0 - 0.1 * static_cast<double>(i));
  return out;
}

// Towers that add up: every vector worked out from the tables, and the loss from the vectors.
TEST(TwoTower, GradientsReachFeaturesHistoriesAndDrawnItems) {
  const Executor exec(2);
  constexpr std::size_t kTerms = 7, kDrawn = 9;
  Rng rng(8);
  const auto sparse = [&](std::size_t rows, std::size_t cols) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> indices;
    std::vector<float> values;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        if (rng.uniform() < 0.6) continue;
        indices.push_back(item_at(c));
        values.push_back(static_cast<float>(rng.normal()));
      }
      offsets.push_back(indices.size());
    }
    return Csr<ItemIdx>(cols, std::move(offsets), std::move(indices), std::move(values));
  };
  const Csr<ItemIdx> content = sparse(kItems, kTerms), heard = sparse(kUsers, kItems);
  const TowerInputs inputs{&content, &heard};
  for (const unsigned kind : {0u, 1u, 2u, 3u, 4u, 6u}) {
    const bool normalise = (kind & 1) != 0, attention = (kind & 2) != 0, parts = (kind & 4) != 0;
    const TwoTowerShape shape{kUsers, kItems, kFactors, normalise, 0.4, 0.3, 0.5, 0.7, kDrawn, attention, parts};
    nn::ParamStore<double> params = TwoTowerTrainer<double>::make_params(shape, 0.7, Rng(1), inputs);
    const std::span<double> context = params[nn::BlockId{0}].span(params[nn::BlockId{0}].rows - 1);
    if (attention) {
      EXPECT_EQ(params[nn::BlockId{0}].rows, kUsers + kItems + 1);
      EXPECT_EQ(std::ranges::count(context, 0.0), static_cast<std::ptrdiff_t>(kFactors));  // all weigh the same at first
      for (double& c : context) c = 0.8 * rng.normal();
    }
    TwoTowerTrainer<double> trainer(shape, params, log_shares(), {}, nn::RowMode::kDense, kPairs, inputs, Rng(3));
    const Pairs pairs(2);
    nn::ParamStore<double> gradient = params.zeros_like(), unused = gradient;
    trainer.gradient(pairs.view(), gradient, exec);
    const nn::GradientCheck check =
        nn::check_gradient([&] { return trainer.gradient(pairs.view(), unused, exec) / kPairs; }, params.all(),
                           gradient.all(), Rng(4), 120);
    EXPECT_LT(check.worst, 1e-6) << "normalised " << normalise << ", attention " << attention << ", parts " << parts;
    for (std::size_t d = 0; d < kFactors && attention; ++d) {  // each number of c, whatever the check drew
      constexpr double kStep = 1e-5;
      const double at = context[d];
      context[d] = at + kStep;
      const double above = trainer.gradient(pairs.view(), unused, exec) / kPairs;
      context[d] = at - kStep;
      const double below = trainer.gradient(pairs.view(), unused, exec) / kPairs;
      context[d] = at;
      EXPECT_NEAR(gradient[nn::BlockId{0}](kUsers + kItems, d), (above - below) / (2 * kStep), 1e-7);
    }
    // Every table has a part in it.
    double histories = 0, terms = 0;
    for (std::size_t i = 0; i < kItems; ++i) histories += std::abs(gradient[nn::BlockId{0}](kUsers + i, 0));
    EXPECT_GT(histories, 0);
    for (std::size_t t = 0; t < kTerms; ++t) terms += std::abs(gradient[nn::BlockId{1}](kItems + t, 0));
    EXPECT_GT(terms, 0);
  }
}

// A sample's own item is no part of the history that is to predict it.
TEST(TwoTower, LeavesTheSoughtItemOutOfTheHistory) {
  const Executor exec(1);
  const Csr<ItemIdx> heard(3, std::vector<std::uint64_t>{0, 2, 4},
                           std::vector<ItemIdx>{item_at(0), item_at(1), item_at(1), item_at(2)},
                           std::vector<float>{1, 1, 1, 1});
  const TowerInputs inputs{nullptr, &heard};
  const TwoTowerShape shape{2, 3, 4};
  nn::ParamStore<double> params = TwoTowerTrainer<double>::make_params(shape, 0.5, Rng(1), inputs);
  TwoTowerTrainer<double> trainer(shape, params, {-1, -1, -1}, {}, nn::RowMode::kDense, 2, inputs);
  const std::vector<std::uint32_t> users{0, 1}, items{0, 2};
  nn::ParamStore<double> gradient = params.zeros_like();
  trainer.gradient({users, items}, gradient, exec);
  const auto touched = [&](std::size_t item) { return gradient[nn::BlockId{0}](2 + item, 0) != 0; };
  EXPECT_FALSE(touched(0));
  EXPECT_TRUE(touched(1));
  EXPECT_FALSE(touched(2));
}

TEST(TwoTower, LossAndGradientsAreThoseOfTheFormula) {
  const Executor exec(2);
  for (const bool normalise : {false, true}) {
    const TwoTowerShape shape{kUsers, kItems, kFactors, normalise, 0.4, 0.3};
    nn::ParamStore<double> params = TwoTowerTrainer<double>::make_params(shape, 0.7, Rng(1));
    TwoTowerTrainer<double> trainer(shape, params, log_shares(), {}, nn::RowMode::kDense, kPairs);
    const Pairs pairs(2);
    nn::ParamStore<double> gradient = params.zeros_like(), unused = gradient;
    const double loss = trainer.gradient(pairs.view(), gradient, exec);

    const auto vector = [&](nn::BlockId id, std::size_t row, bool unit) {
      std::vector<double> v(std::as_const(params)[id].row(row), std::as_const(params)[id].row(row) + kFactors);
      double square = 0;
      for (const double x : v) square += x * x;
      for (double& x : v) x /= unit ? std::sqrt(square) : 1;
      return v;
    };
    const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
      double sum = 0;
      for (std::size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
      return sum;
    };
    double expected = 0;
    for (std::size_t i = 0; i < kPairs; ++i) {
      const auto u = vector(nn::BlockId{0}, pairs.users[i], normalise);
      double sum = 0, own = 0;
      for (std::size_t j = 0; j < kPairs; ++j) {
        if (j != i && pairs.items[j] == pairs.items[i]) continue;
        const double s = dot(u, vector(nn::BlockId{1}, pairs.items[j], normalise)) / 0.4 - log_shares()[pairs.items[j]];
        sum += std::exp(s);
        if (j == i) own = s;
      }
      expected += std::log(sum) - own;
      const auto a = vector(nn::BlockId{0}, pairs.users[i], false), b = vector(nn::BlockId{1}, pairs.items[i], false);
      expected += 0.15 * (dot(a, a) + dot(b, b));
    }
    EXPECT_NEAR(loss, expected, 1e-10 * expected);
    const nn::GradientCheck check =
        nn::check_gradient([&] { return trainer.gradient(pairs.view(), unused, exec) / kPairs; }, params.all(),
                           gradient.all(), Rng(4), 400);
    std::cout << "gradient of two towers" << (normalise ? ", normalised" : "") << ": worst relative error "
              << check.worst << " over " << check.checked << "\n";
    EXPECT_LT(check.worst, 1e-6);
  }
}

TEST(TwoTower, AStepIsAdamOnTheGradient) {
  const Executor exec(2);
  const TwoTowerShape shape{kUsers, kItems, kFactors, false, 0.4, 0.1};
  nn::ParamStore<double> own = TwoTowerTrainer<double>::make_params(shape, 0.7, Rng(1)), other = own;
  TwoTowerTrainer<double> trainer(shape, own, log_shares(), {}, nn::RowMode::kDense, kPairs);
  TwoTowerTrainer<double> gradients(shape, other, log_shares(), {}, nn::RowMode::kDense, kPairs);
  nn::Optimizer<double> adam({}, other);
  for (std::uint64_t t = 1; t <= 5; ++t) {
    trainer.step(Pairs(t).view(), t < 5 ? Pairs(t + 1).view() : PairBatch{}, exec);
    nn::ParamStore<double> gradient = other.zeros_like();
    gradients.gradient(Pairs(t).view(), gradient, exec);
    adam.begin_step();
    adam.update(0, other.all(), gradient.all());
  }
  trainer.finish();
  for (std::size_t i = 0; i < own.size(); ++i) ASSERT_NEAR(own.all()[i], other.all()[i], 1e-7) << i;
}

const Registry& two_tower_registry() {
  static const Registry all = [] {
    Registry r;
    segue_register_algorithm_two_tower(r);
    return r;
  }();
  return all;
}

constexpr double kTemperature = 0.7;

Value settings(bool normalise, int epochs, int batch_size) {
  return params_of({{"factors", Value::integer(normalise ? 8 : 2)},  // what is noise here is learnt with more
                    {"epochs", Value::integer(epochs)},
                    {"batch_size", Value::integer(batch_size)},
                    {"learning_rate", Value::real(0.02)},
                    {"reg", Value::real(0.3)},
                    {"temperature", Value::real(kTemperature)},
                    {"normalise", Value::boolean(normalise)}});
}

TEST(TwoTower, LearnsTheCampsAndScoresNewUsers) {
  constexpr std::size_t kMany = 60, kAll = 81;
  const Csr<ItemIdx> of = camps(kMany, kAll, 0.25, 0.02);
  for (const bool normalise : {false, true}) {
    const Fitted one = fit(two_tower_registry(), "two_tower", settings(normalise, 20, 64), of, 2);
    const std::vector<double>& loss = one.curve.series.at("loss");
    EXPECT_LT(loss.back(), 0.9 * loss.front()) << normalise;
    const Matrix<float> known = scores_of(*one.model, every_user(kMany));
    EXPECT_GT(separation(known, of), 0.9) << normalise;
    std::vector<Query> strangers(kMany);
    for (std::size_t u = 0; u < kMany; ++u) strangers[u].history = of.indices(u);
    const Matrix<float> unknown = scores_of(*one.model, strangers);
    EXPECT_GT(separation(unknown, of), 0.9) << normalise;
    expect_batches_agree(*one.model, strangers);

    for (const Matrix<float>& scores : {known, unknown}) {
      EXPECT_TRUE(scores.col(kAll - 1).isZero(0)) << "nothing is known of an item without events";
      EXPECT_TRUE(scores.row(kMany - 1).isZero(0)) << "nor of a user without events or a history";
    }
    if (!normalise) continue;
    const Matrix<float>& items = one.model->embeddings()->item_vectors();
    EXPECT_TRUE(items.topRows(kAll - 1).rowwise().norm().isOnes(1e-5f));
    for (const std::vector<Query>& users : {every_user(kMany), strangers}) {
      Vector<float> vector(8);
      one.model->embeddings()->query_vector(users[3], {vector.data(), 8});
      EXPECT_NEAR(vector.norm(), 1 / kTemperature, 1e-4);
    }
  }
}

// Who is known by what they have heard alone is placed as well as who was there in training.
TEST(TwoTower, PlacesStrangersByWhatTheyHaveHeard) {
  const Csr<ItemIdx> of = camps(60, 40, 0.3, 0.05);
  for (const char* history : {"mean", "attention"}) {
    Value given = settings(false, 30, 64);
    given.set("history", Value::string(history));
    given.set("id_dropout", Value::real(0.5));
    const Fitted one = fit(two_tower_registry(), "two_tower", given, of, 2);
    std::vector<Query> strangers(of.rows());
    for (std::size_t u = 0; u < of.rows(); ++u) strangers[u].history = of.indices(u);
    EXPECT_GT(separation(scores_of(*one.model, strangers), of), 0.85) << history;
    expect_batches_agree(*one.model, strangers);
    // By the formula, from the stored tables.
    MemoryArchive archive;
    one.model->save(archive.writer());
    const std::vector<float> table = archive.reader().floats("users");
    constexpr std::size_t kWidth = 2;
    const auto row = [&](std::size_t r) { return std::span(table).subspan(r * kWidth, kWidth); };
    const bool attends = std::string_view(history) == "attention";
    const std::size_t n_rows = of.rows() + of.cols();
    ASSERT_EQ(table.size(), (n_rows + (attends ? 1 : 0)) * kWidth);
    const auto heard = of.indices(5);
    std::vector<double> share(heard.size(), 1), expected(kWidth, 0);
    if (attends) {
      double sum = 0;
      for (std::size_t k = 0; k < heard.size(); ++k) {
        double product = 0;
        for (std::size_t d = 0; d < kWidth; ++d)
          product += double{row(n_rows)[d]} * double{row(of.rows() + raw(heard[k]))[d]};
        sum += share[k] = std::exp(product / std::sqrt(double{kWidth}));
      }
      for (double& s : share) s *= static_cast<double>(heard.size()) / sum;
      EXPECT_GT(std::abs(share[0] - share[1]), 1e-3);
    }
    for (std::size_t k = 0; k < heard.size(); ++k)
      for (std::size_t d = 0; d < kWidth; ++d)
        expected[d] += share[k] * double{row(of.rows() + raw(heard[k]))[d]} /
                       std::sqrt(static_cast<double>(heard.size())) / kTemperature;
    std::vector<float> got(kWidth);
    one.model->embeddings()->query_vector(strangers[5], got);
    for (std::size_t d = 0; d < kWidth; ++d) EXPECT_NEAR(got[d], expected[d], 1e-5) << history;
  }
}

// With all n pairs in one batch the loss before a step says what the probabilities p of the scores are: item i stands
// in the batch n_i times, so of each item it is e^s_i / (n_i / n), and the other pairs of i are left out, which gives
// (p_i / n_i) / (p_i / n_i + 1 - p_i).
TEST(TwoTower, ScoresAreLogitsOfTheTrainedSoftmax) {
  const Csr<ItemIdx> of = camps(30, 21, 0.4, 0.1);
  std::vector<double> count(of.cols(), 0);
  for (const ItemIdx item : of.all_indices()) ++count[raw(item)];
  std::vector<ItemIdx> without;
  for (std::size_t i = 0; i < count.size(); ++i)
    if (count[i] == 0) without.push_back(item_at(i));
  for (const bool normalise : {false, true}) {
    const Fitted one = fit(two_tower_registry(), "two_tower", settings(normalise, 20, 1000), of);
    const double expected =
        fit(two_tower_registry(), "two_tower", settings(normalise, 21, 1000), of).curve.series.at("loss").back();
    ASSERT_NE(one.model->score_meaning(), nullptr);
    EXPECT_EQ(one.model->score_meaning()->kind(), ScoreMeaning::Kind::kSoftmax);
    const Matrix<float> scores = scores_of(*one.model, every_user(of.rows()));
    double loss = 0;
    for (std::size_t u = 0; u < of.rows(); ++u) {
      const Query query{.user = user_at(u)};
      const ScoreScale scale(*one.model, query, without);
      for (const ItemIdx item : of.indices(u)) {
        const double p = scale(scores(static_cast<Eigen::Index>(u), static_cast<Eigen::Index>(raw(item))));
        const double own = p / count[raw(item)];
        loss -= std::log(own / (own + 1 - p));
      }
    }
    EXPECT_NEAR(loss / static_cast<double>(of.nnz()), expected, 1e-4 * expected) << normalise;
  }
}

}  // namespace
}  // namespace segue::test
