// The three networks of ncf: gradients against differences, scores against the formulas written out, and training.
#include <cmath>
#include <iostream>
#include <set>
#include <tuple>

#include "algorithms/ncf/ncf_math.hpp"
#include "framework/model/pointwise.hpp"
#include "framework/nn/gradcheck.hpp"
#include "tests/support/memory_checkpoints.hpp"
#include "tests/unit/algorithms/algorithm_fixture.hpp"

extern "C" void segue_register_algorithm_ncf(segue::Registry&);

namespace segue::test {
namespace {

constexpr std::size_t kUsers = 20, kItems = 30, kSamples = 100;

struct Batch {
  std::vector<std::uint32_t> users, items;
  std::vector<double> labels;
  explicit Batch(std::uint64_t seed) {
    Rng rng(seed);
    for (std::size_t s = 0; s < kSamples; ++s) {
      users.push_back(rng.below32(kUsers));
      items.push_back(rng.below32(kItems));
      labels.push_back(rng.below32(2));
    }
  }
  NcfBatch<double> view() const { return {users, items, labels}; }
};

// With 16 factors the first layer's weights are moved in several parts.
NcfShape shape_of(const std::string& kind, std::size_t factors = 4) {
  return {kUsers, kItems, factors, kind != "mlp", kind != "gmf", 3};
}

// The logit of a pair, from the equations.
double logit(const NcfNet<double>& net, std::size_t user, std::size_t item) {
  const NcfShape& shape = net.shape();
  double sum = net.head_bias();
  std::size_t h = 0;
  if (shape.gmf)
    for (std::size_t d = 0; d < shape.factors; ++d)
      sum += net.head()[h++] * net.gmf_users()(user, d) * net.gmf_items()(item, d);
  if (!shape.mlp) return sum;
  std::vector<double> a;
  for (const double x : net.mlp_users().span(user)) a.push_back(x);
  for (const double x : net.mlp_items().span(item)) a.push_back(x);
  for (std::size_t l = 0; l < shape.layers; ++l) {
    std::vector<double> next(shape.width(l + 1));
    for (std::size_t o = 0; o < next.size(); ++o) {
      next[o] = net.biases(l)(0, o);
      for (std::size_t i = 0; i < a.size(); ++i) next[o] += a[i] * net.weights(l)(i, o);
      next[o] = std::max(next[o], 0.0);
    }
    a = next;
  }
  for (const double x : a) sum += net.head()[h++] * x;
  return sum;
}

TEST(Ncf, GradientsOfTheWholeNetworks) {
  const Executor exec(1);
  for (const auto& [kind, factors, dropout] : {std::tuple<std::string, std::size_t, double>{"gmf", 4, 0},
                                               {"mlp", 4, 0},
                                               {"neumf", 4, 0},
                                               {"neumf", 16, 0},
                                               {"neumf", 16, 0.3}}) {
    NcfNet<double> net(shape_of(kind, factors));
    net.init(0.5, Rng(1));
    Rng rng(2);
    for (double& x : net.params().all())
      x += 0.1 * rng.normal();  // biases of zero would leave dead units on relu's corner
    NcfTrainer<double> trainer(net, {}, nn::RowMode::kDense, kSamples, dropout, Rng(5));
    const Batch batch(3);
    nn::ParamStore<double> gradient = net.params().zeros_like(), unused = gradient;
    const double loss = trainer.gradient(batch.view(), gradient, exec);
    double expected = 0;
    for (std::size_t s = 0; s < kSamples; ++s) {
      const double x = logit(net, batch.users[s], batch.items[s]);
      expected += std::log1p(std::exp(-x)) + (1 - batch.labels[s]) * x;
    }
    if (dropout == 0)
      EXPECT_NEAR(loss, expected, 1e-10 * expected);
    else
      EXPECT_GT(std::abs(loss - expected), 1e-3 * expected);
    const nn::GradientCheck check = nn::check_gradient(
        [&] {
          trainer.resume(0);
          return trainer.gradient(batch.view(), unused, exec) / kSamples;
        },
        net.params().all(), gradient.all(), Rng(4), 500, 3e-5);
    std::cout << "gradient of " << kind << (dropout > 0 ? " with dropout" : "") << ": worst relative error "
              << check.worst << " over " << check.checked << "\n";
    EXPECT_LT(check.worst, 1e-6) << kind << " at " << check.index;
  }
}

// A step of the trainer is Adam on that gradient.
TEST(Ncf, AStepIsAdamOnTheGradient) {
  const Executor exec(2);
  NcfNet<double> net(shape_of("neumf", 16)), other(shape_of("neumf", 16));
  net.init(0.3, Rng(1));
  other.init(0.3, Rng(1));
  NcfTrainer<double> trainer(net, {}, nn::RowMode::kDense, kSamples),
      gradients(other, {}, nn::RowMode::kDense, kSamples);
  nn::Optimizer<double> adam({}, other.params());
  for (std::uint64_t t = 1; t <= 5; ++t) {
    const Batch batch(t), next(t + 1);
    trainer.step(batch.view(), t < 5 ? next.view() : NcfBatch<double>{}, exec);
    gradients.resume(0);
    nn::ParamStore<double> gradient = other.params().zeros_like();
    gradients.gradient(batch.view(), gradient, exec);
    adam.begin_step();
    adam.update(0, other.params().all(), gradient.all());
  }
  trainer.finish();
  for (std::size_t i = 0; i < net.params().size(); ++i)
    ASSERT_NEAR(net.params().all()[i], other.params().all()[i], 1e-7) << i;
}

TEST(Ncf, NeumfBeginsAsTheMeanOfItsPretrainedHalves) {
  NcfNet<double> gmf(shape_of("gmf")), mlp(shape_of("mlp")), both(shape_of("neumf"));
  gmf.init(0.5, Rng(1));
  mlp.init(0.5, Rng(2));
  both.take(gmf, mlp, 0.3);
  for (std::size_t u = 0; u < 5; ++u)
    EXPECT_NEAR(logit(both, u, u + 3), 0.3 * logit(gmf, u, u + 3) + 0.7 * logit(mlp, u, u + 3), 1e-12);
}

const Registry& ncf_registry() {
  static const Registry all = [] {
    Registry r;
    segue_register_algorithm_ncf(r);
    return r;
  }();
  return all;
}

// Users and items of even number belong together, and odd ones; each user has three fifths of the items of the own
// kind.
bool has(std::size_t user, std::size_t item) { return (user / 2 * 7 + item / 2 * 3) % 5 < 3; }
Csr<ItemIdx> camps() {
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  for (std::size_t u = 0; u < 40; ++u) {
    for (std::size_t i = u % 2; i < 30; i += 2)
      if (has(u, i)) items.push_back(item_at(i));
    offsets.push_back(items.size());
  }
  return Csr<ItemIdx>(30, std::move(offsets), std::move(items), {});
}

TEST(Ncf, LearnsWhoLikesWhatWithEveryNetwork) {
  for (const std::string kind : {"gmf", "mlp", "neumf"}) {
    for (const int pretrain : {0, 30}) {
      if (pretrain > 0 && kind != "neumf") continue;
      const Value params = params_of({{"model", Value::string(kind)},
                                      {"factors", Value::integer(8)},
                                      {"epochs", Value::integer(60)},
                                      {"learning_rate", Value::real(0.01)},
                                      {"batch_size", Value::integer(64)},
                                      {"pretrain_epochs", Value::integer(pretrain)}});
      const Fitted one = fit(ncf_registry(), "ncf", params, camps());
      const std::vector<Query> users = every_user(40);
      const Matrix<float> scores = scores_of(*one.model, users);
      std::size_t right = 0, pairs = 0;
      for (Eigen::Index u = 0; u < 40; ++u)
        for (Eigen::Index i = u % 2; i < 30; i += 2) {  // unseen items of the own kind, above the other kind's
          if (has(static_cast<std::size_t>(u), static_cast<std::size_t>(i))) continue;
          right += scores(u, i) > scores(u, (i + 1) % 30);
          ++pairs;
        }
      EXPECT_GT(static_cast<double>(right), 0.8 * static_cast<double>(pairs)) << kind;
      const auto& losses = one.curve.series.at("loss");
      EXPECT_LT(losses.back(), losses.front());
      EXPECT_EQ(one.curve.series.contains("pre-training loss, gmf"), pretrain > 0);
      expect_batches_agree(*one.model, std::span(users).first(3));
    }
  }
}

TEST(Ncf, PretrainingIsResumedLikeAnyEpoch) {
  const Csr<ItemIdx> events = camps();
  const Interactions train(events);
  const Histories histories;
  const Facets facets;
  const std::vector<Query> users = every_user(40);
  const auto scores = [&](Checkpoints* checkpoints) {
    const auto model = ncf_registry().make("ncf", params_of({{"factors", Value::integer(4)},
                                                                  {"epochs", Value::integer(3)},
                                                                  {"batch_size", Value::integer(64)},
                                                                  {"pretrain_epochs", Value::integer(1)},
                                                                  {"pretrain_mlp_epochs", Value::integer(3)},
                                                                  {"optimizer", Value::string("sgd")}}));
    const Executor exec(1);
    Curve curve;
    FitContext ctx{exec, Rng(1), curve};
    ctx.checkpoints = checkpoints;
    model->fit({train, histories, facets}, ctx);
    return scores_of(*model, users);
  };
  MemoryCheckpoints checkpoints({1, 2, 3, 4, 5, 6, 7});
  const Matrix<float> whole = scores(&checkpoints);
  ASSERT_EQ(checkpoints.kept().size(), 7u);  // one of GMF, three of the tower, three of NeuMF
  for (int epoch = 1; epoch <= 7; ++epoch) {
    MemoryCheckpoints again = checkpoints;
    again.resume_behind(epoch);
    again.asked = 0;
    EXPECT_TRUE(same_bits(scores(&again), whole)) << epoch;
    EXPECT_EQ(again.asked, 7 - epoch);
  }
}

TEST(PointwiseSamples, AreEveryPositiveWithFreshNegativesInRandomOrder) {
  const Csr<ItemIdx> events = camps();
  PointwiseSamples samples(events, 4);
  const Executor one(1), three(3);
  samples.draw(1, Rng(7), one);
  ASSERT_EQ(samples.size(), events.nnz() * 5);
  std::multiset<std::pair<std::uint32_t, std::uint32_t>> positives;
  std::vector<std::size_t> negatives_of(40, 0);
  const std::vector<std::uint32_t> users(samples.users().begin(), samples.users().end());
  const std::vector<std::uint32_t> items(samples.items().begin(), samples.items().end());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const auto row = events.indices(users[s]);
    const bool has = std::find(row.begin(), row.end(), item_at(items[s])) != row.end();
    ASSERT_EQ(has, samples.labels()[s] == 1.0f);
    if (has)
      positives.emplace(users[s], items[s]);
    else
      ++negatives_of[users[s]];
  }
  EXPECT_EQ(positives.size(), events.nnz());
  EXPECT_EQ(std::set(positives.begin(), positives.end()).size(), events.nnz());
  for (std::size_t u = 0; u < 40; ++u) EXPECT_EQ(negatives_of[u], 4 * events.row_size(u));
  samples.draw(1, Rng(7), three);  // the same for any number of threads
  EXPECT_TRUE(std::equal(users.begin(), users.end(), samples.users().begin()));
  EXPECT_TRUE(std::equal(items.begin(), items.end(), samples.items().begin()));
  samples.draw(2, Rng(7), one);
  EXPECT_FALSE(std::equal(items.begin(), items.end(), samples.items().begin()));
  // The order is random: in 2,000 epochs, the first place holds each user about equally often (each has 5 * 7 or 8
  // samples).
  std::vector<double> first(40, 0);
  for (int epoch = 3; epoch < 2003; ++epoch) {
    samples.draw(epoch, Rng(7), one);
    ++first[samples.users()[0]];
  }
  double chi = 0;
  for (std::size_t u = 0; u < 40; ++u) {
    const double expected = 2000.0 * static_cast<double>(events.row_size(u)) / static_cast<double>(events.nnz());
    chi += (first[u] - expected) * (first[u] - expected) / expected;
  }
  EXPECT_LT(chi, 73);  // 39 degrees of freedom, 0.999
}

// Users who have more than half the catalogue, whose negatives are drawn by rank, and one who has exactly half.
TEST(PointwiseSamples, NegativesOfWhoHasAlmostEverythingAreUniformOnTheRest) {
  const std::vector<std::vector<std::uint32_t>> lacks{{2, 5, 9}, {0, 1, 7, 8}, {6}, {0}, {9}, {0, 2, 4, 6, 8}};
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  for (const auto& row : lacks) {
    for (std::uint32_t i = 0; i < 10; ++i)
      if (std::find(row.begin(), row.end(), i) == row.end()) columns.push_back(item_at(i));
    offsets.push_back(columns.size());
  }
  const Csr<ItemIdx> events(10, std::move(offsets), std::move(columns), {});
  PointwiseSamples samples(events, 3);
  std::vector<std::vector<double>> drawn(lacks.size(), std::vector<double>(10, 0));
  for (int epoch = 1; epoch <= 300; ++epoch) {
    samples.draw(epoch, Rng(3), Executor(1));
    for (std::size_t s = 0; s < samples.size(); ++s)
      if (samples.labels()[s] == 0) ++drawn[samples.users()[s]][samples.items()[s]];
  }
  for (std::size_t u = 0; u < lacks.size(); ++u) {
    const double total = 300.0 * 3 * static_cast<double>(events.row_size(u));
    const double expected = total / static_cast<double>(lacks[u].size());
    double chi = 0, all = 0;
    for (const std::uint32_t i : lacks[u]) {
      chi += (drawn[u][i] - expected) * (drawn[u][i] - expected) / expected;
      all += drawn[u][i];
    }
    EXPECT_EQ(all, total) << "user " << u << " was given a positive as a negative";
    EXPECT_LT(chi, 18.5) << "user " << u;  // 4 degrees of freedom, 0.999
  }
}

// By rejection this would take the square of the catalogue: 10^10 draws.
TEST(PointwiseSamples, OneMissingItemOfManyIsFoundAtOnce) {
  constexpr std::uint32_t kAll = 100'000, kLacking = 54'321;
  std::vector<ItemIdx> columns;
  for (std::uint32_t i = 0; i < kAll; ++i)
    if (i != kLacking) columns.push_back(item_at(i));
  const Csr<ItemIdx> events(kAll, std::vector<std::uint64_t>{0, kAll - 1}, std::move(columns), {});
  PointwiseSamples samples(events, 1);
  samples.draw(1, Rng(1), Executor(1));
  for (std::size_t s = 0; s < samples.size(); ++s) ASSERT_EQ(samples.labels()[s] == 0, samples.items()[s] == kLacking);
}

TEST(PointwiseSamples, UsersWhoHaveEverythingGetNoNegatives) {
  const Csr<ItemIdx> events(2, std::vector<std::uint64_t>{0, 2, 3},
                            std::vector<ItemIdx>{item_at(0), item_at(1), item_at(0)}, {});
  PointwiseSamples samples(events, 3);
  samples.draw(1, Rng(1), Executor(1));
  EXPECT_EQ(samples.size(), 2u + 4u);
}

}  // namespace
}  // namespace segue::test
