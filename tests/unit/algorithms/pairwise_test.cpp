// bpr and warp: their steps against derivatives and against slow programs that do the same. Over 400 lines, since
// models, blocks and steps are tested on the same small world.
#include <gtest/gtest.h>

#include "algorithms/bpr/bpr_math.hpp"
#include "algorithms/warp/warp_math.hpp"
#include "tests/support/camps.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_bpr(segue::Registry& registry);
extern "C" void segue_register_algorithm_warp(segue::Registry& registry);

namespace segue {
namespace {

using test::every_user;
using test::Fitted;
using test::params_of;
using test::same_bits;
using test::scores_of;
using test::separation;

constexpr std::size_t kUsers = 90, kItems = 140;  // enough items for several groups

Registry registry() {
  Registry out;
  segue_register_algorithm_bpr(out);
  segue_register_algorithm_warp(out);
  return out;
}

// Two camps: users like items of their own parity, nine times in ten. The last user and the last item have nothing.
Csr<ItemIdx> camps(bool with_dislikes = false) {
  Rng rng(4);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (std::size_t u = 0; u < kUsers; ++u) {
    for (std::size_t i = 0; u + 1 < kUsers && i + 1 < kItems; ++i) {
      const bool own = u % 2 == i % 2;
      if (rng.uniform() < (own ? 0.27 : 0.03)) {
        columns.push_back(item_at(i));
        weights.push_back(1);
      } else if (with_dislikes && rng.uniform() < 0.1) {
        columns.push_back(item_at(i));
        weights.push_back(-1);
      }
    }
    offsets.push_back(columns.size());
  }
  return {kItems, std::move(offsets), std::move(columns), std::move(weights)};
}

Value params(int epochs = 4) {
  return params_of({{"factors", Value::integer(20)},
                    {"epochs", Value::integer(epochs)},
                    {"reg", Value::real(0.02)},
                    {"learning_rate", Value::real(0.05)}});
}

FactorModel random_model(std::size_t users, std::size_t items, std::size_t d) {
  FactorModel out;
  out.users.resize(static_cast<Eigen::Index>(users), static_cast<Eigen::Index>(d));
  out.items.resize(static_cast<Eigen::Index>(items), static_cast<Eigen::Index>(d));
  out.item_bias.resize(items);
  Rng rng(9);
  rng.fill_normal({out.users.data(), users * d}, 0, 0.5f);
  rng.fill_normal({out.items.data(), items * d}, 0, 0.5f);
  rng.fill_normal(out.item_bias, 0, 0.5f);
  return out;
}

// A model in double, and BPR's update written down once more, without a thought of speed.
struct Slow {
  Matrix<double> users, items;
  Vector<double> bias;
  explicit Slow(const FactorModel& m)
      : users(m.users.cast<double>()),
        items(m.items.cast<double>()),
        bias(Eigen::Map<const Vector<float>>(m.item_bias.data(), static_cast<Eigen::Index>(m.item_bias.size()))
                 .cast<double>()) {}

  double margin(Eigen::Index u, Eigen::Index i, Eigen::Index j) const {
    return bias(i) - bias(j) + users.row(u).dot(items.row(i) - items.row(j));
  }
  void move(Eigen::Index u, Eigen::Index i, Eigen::Index j, double e, double rate, double reg, double bias_reg) {
    const Eigen::RowVectorXd p = users.row(u), a = items.row(i), b = items.row(j);
    users.row(u) += rate * (e * (a - b) - reg * p);
    items.row(i) += rate * (e * p - reg * a);
    items.row(j) += rate * (-e * p - reg * b);
    bias(i) += rate * (e - bias_reg * bias(i));
    bias(j) += rate * (-e - bias_reg * bias(j));
  }
  double distance(const FactorModel& m) const {
    const Slow other(m);
    return std::max({(users - other.users).cwiseAbs().maxCoeff(), (items - other.items).cwiseAbs().maxCoeff(),
                     (bias - other.bias).cwiseAbs().maxCoeff()});
  }
};

// loss(model) by central differences in double, for every parameter that a step on (u, i, j) moves, against what moves
// them.
template <class Loss>
void expect_descent(const FactorModel& before, const FactorModel& after, double rate, Loss loss) {
  Slow at(before);
  const Slow moved(after);
  const double h = 1e-5;
  const auto check = [&](double& x, double old_value, double new_value, const char* what) {
    x = old_value + h;
    const double up = loss(at);
    x = old_value - h;
    const double down = loss(at);
    x = old_value;
    EXPECT_NEAR((new_value - old_value) / rate, -(up - down) / (2 * h), 2e-4) << what;
  };
  for (Eigen::Index n = 0; n < at.users.size(); ++n)
    check(at.users.data()[n], at.users.data()[n], moved.users.data()[n], "user");
  for (Eigen::Index n = 0; n < at.items.size(); ++n)
    check(at.items.data()[n], at.items.data()[n], moved.items.data()[n], "item");
  for (Eigen::Index n = 0; n < at.bias.size(); ++n)
    check(at.bias.data()[n], at.bias.data()[n], moved.bias.data()[n], "bias");
}

TEST(BprStep, DescendsTheGradient) {
  for (const std::size_t d : {1u, 3u, 16u, 19u, 32u, 48u, 64u}) {
    FactorModel model = random_model(2, 3, d);
    const FactorModel before = model;
    const BprTriple triple{1, 2, 0};
    const double rate = 1.0 / 64, reg = 0.5, bias_reg = 0.25;
    const double reported = bpr_steps(model, {&triple, 1}, {1.0f / 64, 0.5f, 0.25f});
    const auto log_loss = [](const Slow& m) { return std::log1p(std::exp(-m.margin(1, 2, 0))); };
    EXPECT_NEAR(reported, log_loss(Slow(before)), 1e-5);
    expect_descent(before, model, rate, [&](const Slow& m) {
      return log_loss(m) +
             reg / 2 * (m.users.row(1).squaredNorm() + m.items.row(2).squaredNorm() + m.items.row(0).squaredNorm()) +
             bias_reg / 2 * (m.bias(2) * m.bias(2) + m.bias(0) * m.bias(0));
    });
  }
}

TEST(BprStep, ManyStepsEqualTheSlowProgram) {
  for (const std::size_t d : {5u, 64u, 100u}) {
    FactorModel model = random_model(7, 11, d);
    Slow slow(model);
    std::vector<BprTriple> triples;
    Rng rng(2);
    while (triples.size() < 500) {
      const BprTriple t{rng.below32(7), rng.below32(11), rng.below32(11)};
      if (t.item != t.negative) triples.push_back(t);
    }
    const double reported = bpr_steps(model, triples, {0.05f, 0.01f, 0.02f});
    double loss = 0;
    for (const auto& [u, i, j] : triples) {
      const double x = slow.margin(u, i, j);
      loss += std::log1p(std::exp(-x));
      slow.move(u, i, j, 1 / (1 + std::exp(x)), 0.05, 0.01, 0.02);
    }
    EXPECT_LT(slow.distance(model), 1e-5) << d;
    EXPECT_NEAR(reported, loss, 1e-3 * loss);
  }
}

TEST(LogisticLoss, SurvivesExtremesAndManyTerms) {
  LogisticLoss loss;
  EXPECT_EQ(loss.add(500), 0);
  EXPECT_EQ(loss.add(-500), 1);
  EXPECT_EQ(loss.add(0), 0.5f);
  EXPECT_NEAR(loss.sum(), 500 + std::log(2.0), 1e-9);
  for (int n = 0; n < 5000; ++n) loss.add(0.1f);
  EXPECT_NEAR(loss.sum(), 500 + std::log(2.0) + 5000 * std::log1p(std::exp(-0.1)), 1e-4);
}

TEST(WarpWeights, AreHarmonicNumbersOfTheEstimatedRank) {
  const std::vector<float> w = warp_weights(8, 9);  // ranks 7, 3, 2, 1, 1, 1, 1, 0, 0
  const std::vector<double> expected{
      1 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 1.0 / 5 + 1.0 / 6 + 1.0 / 7, 1 + 1.0 / 2 + 1.0 / 3, 1.5, 1, 1, 1, 1, 0, 0};
  ASSERT_EQ(w.size(), expected.size());
  for (std::size_t n = 0; n < w.size(); ++n) EXPECT_NEAR(w[n], expected[n], 1e-6);
  EXPECT_EQ(warp_weights(1, 2), (std::vector<float>{0, 0}));
  EXPECT_EQ(warp_weights(0, 1), (std::vector<float>{0}));
}

TEST(WarpStep, SearchesAndDescendsTheGradient) {
  for (const std::size_t d : {3u, 16u, 40u}) {
    FactorModel model = random_model(1, 6, d);
    const std::vector<float> weights = warp_weights(6, 4);
    for (const std::uint32_t first : {1u, 2u, 3u, 4u, 5u}) {
      const FactorModel before = model;
      const Slow at(before);
      // The draws go round from `first` on; the user also has item 3. What should be found, by the definition:
      std::size_t draws = 0;
      std::uint32_t found = kNone;
      for (std::size_t n = 0; n < 4 && found == kNone; ++n) {
        const auto j = static_cast<std::uint32_t>(1 + (first - 1 + n) % 5);
        draws = n + 1;
        if (j != 3 && at.margin(0, 0, j) < 1) found = j;
      }
      std::uint32_t next = first - 1;
      const float loss = warp_step(
          model.users.data(), model.items.data(), model.item_bias[0], d, weights, {1.0f / 64, 0.5f, 0.25f},
          [&] { return 1 + next++ % 5; }, [](std::uint32_t j) { return j == 3; },
          [&](std::uint32_t j) { return std::pair(model.items.data() + j * d, &model.item_bias[j]); });
      EXPECT_EQ(next - (first - 1), draws);
      if (found == kNone) {
        EXPECT_EQ(loss, 0);
        EXPECT_EQ(Slow(before).distance(model), 0);
        continue;
      }
      const double weight = static_cast<double>(weights[draws - 1]);
      const auto hinge = [&](const Slow& m) { return weight * (1 - m.margin(0, 0, found)); };
      EXPECT_NEAR(loss, hinge(at), 1e-4 * (1 + hinge(at)));
      expect_descent(before, model, 1.0 / 64, [&](const Slow& m) {
        return hinge(m) +
               0.25 * (m.users.row(0).squaredNorm() + m.items.row(0).squaredNorm() + m.items.row(found).squaredNorm()) +
               0.125 * (m.bias(0) * m.bias(0) + m.bias(found) * m.bias(found));
      });
    }
  }
}

TEST(HasItem, FindsWhatIsThere) {
  std::vector<ItemIdx> row;
  for (std::uint32_t n = 0; n < 70; ++n) {
    for (std::uint32_t item = 0; item < 220; ++item)
      EXPECT_EQ(has_item(row, item), std::find(row.begin(), row.end(), ItemIdx{item}) != row.end()) << n << " " << item;
    row.push_back(ItemIdx{3 * n + n % 2});
  }
}

TEST(PairwiseBlocks, EveryPositiveOnceInABlockOfItsOwnRows) {
  const Csr<ItemIdx> events = camps(true);
  PairwiseBlocks blocks(events, 20, Rng(3));
  EXPECT_EQ(blocks.groups(), 4u);
  const Executor exec(1);
  std::vector<std::uint32_t> first_items;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    blocks.deal(epoch, exec);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
    std::vector<std::pair<std::uint32_t, std::size_t>> user_block;
    const double visits = blocks.run(epoch, exec, [&](std::span<Positive> pairs, std::size_t h, Rng) {
      std::vector<std::uint32_t> users;
      for (const auto& [user, item] : pairs) {
        seen.emplace_back(user, item);
        EXPECT_TRUE(std::find(blocks.items(h).begin(), blocks.items(h).end(), item) != blocks.items(h).end());
        if (users.empty() || users.back() != user) {
          EXPECT_TRUE(std::find(users.begin(), users.end(), user) == users.end()) << "user by user";
          users.push_back(user);
        }
      }
      return 1.0;
    });
    EXPECT_EQ(visits, 16);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> expected;
    for (std::uint32_t u = 0; u < kUsers; ++u)
      for (std::size_t n = 0; n < events.row_size(u); ++n)
        if (events.values(u)[n] > 0) expected.emplace_back(u, raw(events.indices(u)[n]));
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, expected);
    first_items.push_back(blocks.items(0)[0]);
    std::vector<std::uint32_t> dealt;
    for (std::size_t h = 0; h < blocks.groups(); ++h) {
      EXPECT_EQ(blocks.items(h).size(), kItems / 4);
      dealt.insert(dealt.end(), blocks.items(h).begin(), blocks.items(h).end());
    }
    std::sort(dealt.begin(), dealt.end());
    for (std::uint32_t i = 0; i < kItems; ++i) EXPECT_EQ(dealt[i], i);
  }
  EXPECT_FALSE(first_items[0] == first_items[1] && first_items[1] == first_items[2]) << "groups are dealt anew";
}

// Over many epochs, who is drawn against item 0? Everybody else alike, since groups are dealt anew; popular items in
// proportion where that is asked.
TEST(NegativeSampler, FollowsItsDistributionOverTheEpochs) {
  const Csr<ItemIdx> events = camps();
  const FactorModel model = random_model(kUsers, kItems, 4);
  std::vector<double> users_of(kItems, 1);
  for (ItemIdx i : events.all_indices()) ++users_of[raw(i)];
  for (const auto kind : {NegativeSampling::kUniform, NegativeSampling::kPopularity}) {
    PairwiseBlocks blocks(events, 4, Rng(3));
    NegativeSampler sampler(kind, events, 0.1f);
    const Executor exec(2);
    std::vector<double> drawn(kItems, 0), expected(kItems, 0);
    for (int epoch = 1; epoch <= 3000; ++epoch) {
      blocks.deal(epoch, exec);
      sampler.prepare(blocks, model, exec);
      for (std::size_t h = 0; h < blocks.groups(); ++h) {
        const auto items = blocks.items(h);
        if (std::find(items.begin(), items.end(), 0u) == items.end()) continue;
        Rng rng = Rng(8).stream("draws", static_cast<std::uint64_t>(epoch));
        double sum = 0;
        for (std::uint32_t i : items) sum += kind == NegativeSampling::kUniform ? 1 : users_of[i];
        for (std::uint32_t i : items) expected[i] += 20 * (kind == NegativeSampling::kUniform ? 1 : users_of[i]) / sum;
        for (int n = 0; n < 20; ++n) ++drawn[sampler.draw(h, {}, rng)];
      }
    }
    double chi_squared = 0;
    for (std::size_t i = 0; i < kItems; ++i)
      chi_squared += (drawn[i] - expected[i]) * (drawn[i] - expected[i]) / expected[i];
    EXPECT_LT(chi_squared, 220);  // 139 degrees of freedom: 220 is passed with probability 1e-5
    // Every other item meets item 0 about equally often: 34 of 139 partners an epoch.
    if (kind == NegativeSampling::kUniform) {
      for (std::size_t i = 1; i < kItems; ++i) EXPECT_NEAR(drawn[i], 3000.0 * 34 / 139 * 20 / 35, 120) << i;
    }
  }
}

TEST(NegativeSampler, AdaptiveDrawsWhatTheUsersVectorRanksHigh) {
  const Csr<ItemIdx> events = camps();
  FactorModel model = random_model(kUsers, kItems, 2);
  model.items.col(1) *= 0.25f;  // the second dimension spreads a quarter as wide
  PairwiseBlocks blocks(events, 2, Rng(3));
  const Executor exec(1);
  blocks.deal(1, exec);
  NegativeSampler sampler(NegativeSampling::kAdaptive, events, 0.1f);
  sampler.prepare(blocks, model, exec);
  const auto items = blocks.items(2);
  const auto n = static_cast<double>(items.size());
  // Ranks by the first dimension, the oracle's way: how many of the group have more.
  const auto rank = [&](std::uint32_t item) {
    return static_cast<double>(std::count_if(
        items.begin(), items.end(), [&](std::uint32_t other) { return model.items(other, 0) > model.items(item, 0); }));
  };
  for (const float sign : {1.0f, -1.0f}) {
    Rng rng(6);
    const float user[2] = {sign, 0};
    double first = 0;
    std::vector<double> count(items.size(), 0);
    constexpr int kDraws = 20000;
    for (int k = 0; k < kDraws; ++k) {
      const double r = rank(sampler.draw(2, user, rng));
      ++count[static_cast<std::size_t>(sign > 0 ? r : n - 1 - r)];
    }
    for (std::size_t r = 0; r < items.size(); ++r) {
      const double mean = 0.1 * n, mass = -std::expm1(-n / mean);
      const double p = (std::exp(-static_cast<double>(r) / mean) - std::exp(-static_cast<double>(r + 1) / mean)) / mass;
      first += std::abs(count[r] / kDraws - p);
    }
    EXPECT_LT(first, 0.05) << "total variation";
  }
  // Equal weights in p: the dimension of four times the spread is chosen four times as often, whence the mean rank.
  double deviation[2];
  for (Eigen::Index f = 0; f < 2; ++f) {
    const auto column = model.items.col(f).cast<double>();
    deviation[f] = std::sqrt((column.array() - column.mean()).square().mean());
  }
  const auto mean_rank = [&](float a, float b) {
    Rng rng(7);
    const float user[2] = {a, b};
    double sum = 0;
    for (int k = 0; k < 20000; ++k) sum += rank(sampler.draw(2, user, rng)) / 20000;
    return sum;
  };
  const double share = deviation[0] / (deviation[0] + deviation[1]);
  EXPECT_NEAR(mean_rank(1, 1), share * mean_rank(1, 0) + (1 - share) * mean_rank(0, 1), 0.3);
}

class Pairwise : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  static std::string name() { return GetParam().first; }
  static Value settings(int epochs = 4) {
    Value out = params(epochs);
    if (*GetParam().second != '\0') out.set("negative_sampling", Value::string(GetParam().second));
    return out;
  }
};

TEST_P(Pairwise, SameBitsForAnyThreadCount) {
  const std::vector<Query> queries = every_user(kUsers);
  const Fitted one = test::fit(registry(), name(), settings(), camps(true), 1);
  for (int threads : {2, 3, 8}) {
    const Fitted many = test::fit(registry(), name(), settings(), camps(true), threads);
    EXPECT_TRUE(same_bits(scores_of(*many.model, queries), scores_of(*one.model, queries))) << threads << " threads";
    EXPECT_EQ(many.curve.series, one.curve.series) << threads << " threads";
  }
}

TEST_P(Pairwise, SavedAndLoadedModelsHaveTheSameBits) {
  const Fitted fitted = test::fit(registry(), name(), settings(), camps());
  test::MemoryArchive archive;
  fitted.model->save(archive.writer());
  const auto loaded = registry().make(name(), settings());
  loaded->load(archive.reader());
  std::vector<Query> queries = every_user(kUsers);
  const std::vector<ItemIdx> history{item_at(3), item_at(9), item_at(21)};
  queries.push_back({.history = history});
  EXPECT_TRUE(same_bits(scores_of(*fitted.model, queries), scores_of(*loaded, queries)));
  test::expect_batches_agree(*fitted.model, queries);
}

TEST_P(Pairwise, LearnsTheCampsAndFoldsNewUsersIn) {
  const Csr<ItemIdx> events = camps();
  Value few = settings(40);  // what is noise here is learnt with more
  few.set("factors", Value::integer(3));
  // With a short tail all negatives come from the own camp here, and nothing holds the other camp down.
  if (*GetParam().second == 'a') few.set("adaptive_tail", Value::real(0.5));
  const Fitted fitted = test::fit(registry(), name(), few, events);
  EXPECT_LT(fitted.curve.series.at("loss").back(), 0.8 * fitted.curve.series.at("loss").front());
  EXPECT_GT(separation(scores_of(*fitted.model, every_user(kUsers)), events), 0.9);
  std::vector<Query> strangers(kUsers);
  for (std::size_t u = 0; u < kUsers; ++u) strangers[u].history = events.indices(u);
  EXPECT_GT(separation(scores_of(*fitted.model, strangers), events), 0.9);
}

TEST_P(Pairwise, WithoutEventsTheRankingIsThatOfTheBiases) {
  const Fitted fitted = test::fit(registry(), name(), settings(), camps());
  const std::vector<Query> queries{{}, {.user = user_at(kUsers - 1)}, {.user = user_at(kUsers + 5)}};
  const Matrix<float> scores = scores_of(*fitted.model, queries);
  for (Eigen::Index q = 0; q < 3; ++q)
    for (std::size_t i = 0; i < kItems; ++i)
      EXPECT_EQ(scores(q, static_cast<Eigen::Index>(i)), fitted.model->embeddings()->item_biases()[i]);
}

TEST_P(Pairwise, NobodyWithAnythingOrOneItemOnlyIsNoError) {
  const Csr<ItemIdx> none(3, std::vector<std::uint64_t>{0, 0, 0}, std::vector<ItemIdx>(), std::vector<float>());
  EXPECT_EQ(test::fit(registry(), name(), settings(), none).curve.series.at("loss").back(), 0);
  const Csr<ItemIdx> all(1, std::vector<std::uint64_t>{0, 1, 2}, std::vector<ItemIdx>{item_at(0), item_at(0)},
                         std::vector<float>());
  const Fitted fitted = test::fit(registry(), name(), settings(), all);
  EXPECT_TRUE(scores_of(*fitted.model, every_user(2)).allFinite());
  EXPECT_EQ(fitted.curve.series.at("loss").back(), 0) << "nothing can be drawn that the user has not";
}

TEST_P(Pairwise, DivergenceIsExplained) {
  Value wild = settings(30);
  wild.set("learning_rate", Value::real(200));
  try {
    test::fit(registry(), name(), wild, camps());
    FAIL() << "a rate of 200 cannot converge";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("lower the learning rate"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithm, Pairwise,
                         testing::Values(std::pair("bpr", "uniform"), std::pair("bpr", "popularity"),
                                         std::pair("bpr", "adaptive"), std::pair("warp", "")),
                         [](const auto& of) {
                           const std::string sampling = of.param.second;
                           return std::string(of.param.first) + (sampling.empty() ? "" : "_" + sampling);
                         });

}  // namespace
}  // namespace segue
