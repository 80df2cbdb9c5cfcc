// mult_vae against its definition written down once more, its gradients against differences, and what it learns.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <gtest/gtest.h>

#include "algorithms/mult_vae/mult_vae_math.hpp"
#include "framework/model/score_scale.hpp"
#include "framework/nn/gradcheck.hpp"
#include "tests/support/camps.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_mult_vae(segue::Registry& registry);

namespace segue {
namespace {

using test::every_user;
using test::Fitted;
using test::params_of;
using test::scores_of;
using test::separation;

constexpr std::size_t kItems = 13, kManyItems = 260;

Registry registry() {
  Registry out;
  segue_register_algorithm_mult_vae(out);
  return out;
}

// Users with one item, several and, of few, all; of every fifth everything is dropped.
template <class T>
MultVaeBatch<T> some_batch(const MultVaeShape& shape) {
  MultVaeBatch<T> out;
  Rng rng(7);
  const std::size_t counts[] = {1, 5, 3, 13, 4}, users = shape.items == kManyItems ? 30 : 5;
  for (std::size_t u = 0; u < users; ++u) {
    const std::size_t count = counts[u % 5];
    std::vector<std::uint64_t> row = rng.sample_without_replacement(shape.items, count);
    std::sort(row.begin(), row.end());
    std::vector<std::uint32_t> kept;
    for (const std::uint64_t item : row) {
      out.items.push_back(static_cast<std::uint32_t>(item));
      if (count != 3 && rng.uniform() < 0.7) kept.push_back(static_cast<std::uint32_t>(item));
    }
    out.kept_count.push_back(static_cast<std::uint32_t>(kept.size()));
    kept.resize(count);
    out.kept.insert(out.kept.end(), kept.begin(), kept.end());
    out.begin.push_back(out.items.size());
    out.scale.push_back(static_cast<T>(1 / (0.7 * std::sqrt(static_cast<double>(count)))));
  }
  out.noise.resize(static_cast<Eigen::Index>(out.size()), static_cast<Eigen::Index>(shape.dims));
  for (Eigen::Index i = 0; i < out.noise.size(); ++i) out.noise.data()[i] = static_cast<T>(rng.normal());
  return out;
}

using Row = Eigen::RowVectorXd;

// The network in dense matrices, one user at a time.
struct Slow {
  MultVaeShape shape;
  std::vector<Matrix<double>> blocks;  // weights and biases, in the order of the network

  template <class T>
  explicit Slow(const MultVae<T>& net) : shape(net.shape()) {
    for (const auto& b : net.params().blocks()) {
      Matrix<double> m(static_cast<Eigen::Index>(b.rows), static_cast<Eigen::Index>(b.cols));
      for (Eigen::Index i = 0; i < m.size(); ++i)
        m.data()[i] = static_cast<double>(net.params().all()[b.offset + static_cast<std::size_t>(i)]);
      blocks.push_back(m);
    }
  }
  static Row squash(Row x) {
    return x.unaryExpr([](double v) { return std::tanh(v); });
  }

  Row code(const Row& x) const {
    const Row first = x * blocks[0] + blocks[1];
    return shape.hidden > 0 ? Row(squash(first) * blocks[2] + blocks[3]) : first;
  }
  Row decoded(const Row& z) const { return shape.hidden > 0 ? squash(z * blocks[4] + blocks[5]) : z; }
  Row logits(const Row& g) const { return g * blocks[blocks.size() - 2].transpose() + blocks.back(); }
  Row vector_of(std::span<const std::uint32_t> items) const {
    Row x = Row::Zero(static_cast<Eigen::Index>(shape.items));
    for (const std::uint32_t i : items) x(i) = 1 / std::sqrt(static_cast<double>(items.size()));
    const Row c = code(x), mean = c.head(static_cast<Eigen::Index>(shape.dims));
    return decoded(shape.variational ? mean : squash(mean));
  }
  template <class T>
  std::pair<double, double> loss(const MultVaeBatch<T>& batch) const {
    double likelihood = 0, divergence = 0;
    const auto dims = static_cast<Eigen::Index>(shape.dims);
    for (std::size_t u = 0; u < batch.size(); ++u) {
      Row x = Row::Zero(static_cast<Eigen::Index>(shape.items));
      for (const std::uint32_t i : batch.inputs(u)) x(i) = static_cast<double>(batch.scale[u]);
      const Row c = code(x);
      Row z = squash(c.head(dims));
      if (shape.variational)
        for (Eigen::Index d = 0; d < dims; ++d) {
          const double mu = c(d), variance = std::exp(c(dims + d));
          z(d) = mu + std::sqrt(variance) * static_cast<double>(batch.noise(static_cast<Eigen::Index>(u), d));
          divergence += (variance + mu * mu - 1 - std::log(variance)) / 2;
        }
      const Row y = logits(decoded(z));
      double sum = 0;
      for (const double v : y) sum += std::exp(v);
      for (const std::uint32_t i : batch.targets(u)) likelihood -= y(i) - std::log(sum);
    }
    const auto n = static_cast<double>(batch.size());
    return {likelihood / n, divergence / n};
  }
};

template <class T>
void fill(MultVae<T>& net) {
  net.init(Rng(3));
  Rng rng(4);
  for (const auto& b : net.params().blocks())  // biases too, so that they are tested
    for (std::size_t i = 0; i < b.rows * b.cols; ++i)
      net.params().all()[b.offset + i] += static_cast<T>(0.1 * rng.normal());
  net.refresh();
}

// In the last one there is a second block of everything that is cut: users, rows and columns of weights, panels.
const MultVaeShape kShapes[] = {{kItems, 9, 4, true},
                                {kItems, 9, 4, false},
                                {kItems, 0, 4, true},
                                {kItems, 0, 4, false},
                                {kManyItems, 70, 4, true}};

std::string words(const MultVaeShape& shape) {
  return std::string(shape.variational ? "variational" : "denoising") +
         (shape.hidden > 0 ? ", hidden" : ", no hidden") + (shape.items == kManyItems ? ", many items" : "");
}

TEST(MultVae, GradientsOfTheWholeModelAreThoseOfTheLoss) {
  for (const MultVaeShape& shape : kShapes) {
    MultVae<double> net(shape);
    fill(net);
    const MultVaeBatch<double> batch = some_batch<double>(shape);
    constexpr double kBeta = 0.6;
    const std::span<const std::uint32_t> touched = net.prepare(batch);
    EXPECT_TRUE(std::is_sorted(touched.begin(), touched.end()));
    EXPECT_LT(touched.size(), shape.items) << "an item is to be dropped by everybody";
    std::vector<double> analytic(net.params().size(), 0);
    std::vector<int> visits(net.params().size(), 0);
    const bool many = shape.items == kManyItems;
    const auto loss =
        net.step(batch, kBeta, Executor(many ? 2 : 1), [&](std::size_t offset, std::span<const double> gradient) {
          for (std::size_t i = 0; i < gradient.size(); ++i) analytic[offset + i] = gradient[i], ++visits[offset + i];
        });
    EXPECT_LE(*std::max_element(visits.begin(), visits.end()), 1);
    const auto slow = Slow(net).loss(batch);
    EXPECT_NEAR(loss.likelihood, slow.first, 1e-12);
    EXPECT_NEAR(loss.divergence, slow.second, 1e-12);
    const nn::GradientCheck check = nn::check_gradient(
        [&] {
          const auto [likelihood, divergence] = Slow(net).loss(batch);
          return likelihood + kBeta * divergence;
        },
        net.params().all(), analytic, Rng(1), many ? 150 : 400);
    EXPECT_LT(check.worst, 1e-6) << words(shape) << ", element " << check.index << ": " << check.analytic << ", "
                                 << check.numeric;
    std::cout << "gradient check: mult_vae, " << words(shape) << ": " << check.worst << " of " << check.checked << '\n';
  }
}

// In float, through the blocks of several tasks, with the parameters moving: each step's loss is that of where they
// are.
TEST(MultVae, AStepSeesWhereTheLastOneMoved) {
  for (const MultVaeShape& shape : kShapes) {
    MultVae<float> net(shape);
    fill(net);
    const MultVaeBatch<float> batch = some_batch<float>(shape);
    const Executor exec(2);
    double before = 0;
    for (int step = 0; step < 4; ++step) {
      const auto [likelihood, divergence] = Slow(net).loss(batch);
      net.prepare(batch);
      const auto loss = net.step(batch, 0.0f, exec, [&](std::size_t offset, std::span<const float> gradient) {
        for (std::size_t i = 0; i < gradient.size(); ++i) net.params().all()[offset + i] -= 0.1f * gradient[i];
      });
      EXPECT_NEAR(loss.likelihood, likelihood, 1e-4 * likelihood) << words(shape) << ", step " << step;
      EXPECT_NEAR(loss.divergence, divergence, 1e-4 * (1 + divergence)) << words(shape) << ", step " << step;
      if (step > 0) {
        EXPECT_LT(loss.likelihood, before) << words(shape) << ", step " << step;
      }
      before = loss.likelihood;
    }
  }
}

TEST(MultVae, ScoresAreTheDecodersLogitsOfTheMean) {
  for (const MultVaeShape& shape : kShapes) {
    MultVae<float> net(shape);
    fill(net);
    const Slow slow(net);
    for (const std::vector<std::uint32_t>& items : {std::vector<std::uint32_t>{}, {2}, {0, 5, 12}}) {
      std::vector<float> g(shape.output());
      net.encode(items, g);
      const Row expected = slow.vector_of(items);
      for (std::size_t d = 0; d < g.size(); ++d)
        EXPECT_NEAR(double{g[d]}, expected(static_cast<Eigen::Index>(d)), 1e-5) << words(shape);
    }
  }
}

// Two camps: users like items of their own parity. The last user and the last item have nothing.
Csr<ItemIdx> camps(std::size_t users, std::size_t items) {
  Rng rng(4);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; u + 1 < users && i + 1 < items; ++i) {
      if (rng.uniform() >= (u % 2 == i % 2 ? 0.3 : 0.1)) continue;
      columns.push_back(item_at(i));
      weights.push_back(u % 2 == i % 2 ? 1.0f : -1.0f);  // of the other camp, what they dislike
    }
    offsets.push_back(columns.size());
  }
  return {items, std::move(offsets), std::move(columns), std::move(weights)};
}

Value settings(bool variational, int hidden, int epochs) {
  return params_of({{"factors", Value::integer(8)},
                    {"hidden", Value::integer(hidden)},
                    {"variational", Value::boolean(variational)},
                    {"epochs", Value::integer(epochs)},
                    {"batch_size", Value::integer(16)},
                    {"learning_rate", Value::real(0.02)},
                    {"anneal_steps", Value::integer(200)}});
}

TEST(MultVae, LearnsTheCampsAndScoresNewUsers) {
  const Csr<ItemIdx> of = camps(50, 40);
  for (const bool variational : {true, false}) {
    for (const int hidden : {0, 24}) {
      const Fitted fitted = test::fit(registry(), "mult_vae", settings(variational, hidden, 40), of, 2);
      const std::vector<double>& loss = fitted.curve.series.at("loss");
      EXPECT_LT(loss.back(), 0.9 * loss.front());
      EXPECT_EQ(fitted.curve.series.contains("divergence"), variational);
      EXPECT_GT(separation(scores_of(*fitted.model, every_user(50)), of), 0.95) << variational << hidden;
      std::vector<Query> strangers(50);
      for (std::size_t u = 0; u < 50; ++u) strangers[u] = {.history = of.indices(u), .weights = of.values(u)};
      EXPECT_TRUE(test::same_bits(scores_of(*fitted.model, strangers), scores_of(*fitted.model, every_user(50))));
      test::expect_batches_agree(*fitted.model, strangers);
    }
  }
}

// An input row that a batch does not touch moves on as dense Adam moves it: only its gradient is zero.
TEST(MultVae, RowsAtRestEndWhereDenseAdamTakesThem) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  for (std::size_t u = 0; u < 8; ++u) {
    items.push_back(item_at(u == 0 ? 0 : 1));
    items.push_back(item_at(2));
    offsets.push_back(items.size());
  }
  const Csr<ItemIdx> of(4, std::move(offsets), std::move(items), {});
  const auto params = [](double reg) {
    return params_of({{"factors", Value::integer(3)},
                      {"hidden", Value::integer(0)},
                      {"epochs", Value::integer(6)},
                      {"batch_size", Value::integer(1)},
                      {"dropout", Value::real(0)},
                      {"reg", Value::real(reg)}});
  };
  // With a penalty, too small to matter, each step that a row has rested is replayed; without, there is a closed form.
  const Matrix<float> closed = scores_of(*test::fit(registry(), "mult_vae", params(0), of).model, every_user(8));
  const Matrix<float> replayed = scores_of(*test::fit(registry(), "mult_vae", params(1e-12), of).model, every_user(8));
  EXPECT_LT((closed - replayed).cwiseAbs().maxCoeff(), 1e-5);
}

// Training adds up the events of an item, and so do queries: three plays and a skip are still a play.
TEST(MultVae, AnItemIsKnownWhereItsEventsSumToMoreThanNothing) {
  const Fitted fitted = test::fit(registry(), "mult_vae", settings(true, 5, 3), camps(30, 20));
  const std::vector<ItemIdx> events{item_at(4), item_at(7), item_at(4), item_at(4), item_at(4)};
  const std::vector<ItemIdx> both{item_at(4), item_at(7)};
  const std::vector<float> liked{1, 1, 1, 1, -1}, disliked{1, 1, -1, -1, 0.5f};
  const auto ask = [&](std::span<const ItemIdx> history, std::span<const float> weights) {
    const Query query{.history = history, .weights = weights};
    return scores_of(*fitted.model, {&query, 1});
  };
  EXPECT_TRUE(test::same_bits(ask(events, liked), ask(both, {})));
  EXPECT_TRUE(test::same_bits(ask(events, disliked), ask(std::span(both).last(1), {})));
  EXPECT_FALSE(test::same_bits(ask(events, liked), ask(events, disliked)));
}

// With nothing dropped or drawn and all users in one step, the loss before it is that of what scores say.
TEST(MultVae, ScoresAreLogitsOfTheTrainedSoftmax) {
  const Csr<ItemIdx> of = camps(30, 20);
  const auto params = [](int epochs) {
    return params_of({{"factors", Value::integer(6)},
                      {"hidden", Value::integer(0)},
                      {"variational", Value::boolean(false)},
                      {"dropout", Value::real(0)},
                      {"learning_rate", Value::real(0.03)},
                      {"epochs", Value::integer(epochs)}});
  };
  const Fitted fitted = test::fit(registry(), "mult_vae", params(8), of);
  const double expected = test::fit(registry(), "mult_vae", params(9), of).curve.series.at("loss").back();
  ASSERT_NE(fitted.model->score_meaning(), nullptr);
  EXPECT_EQ(fitted.model->score_meaning()->kind(), ScoreMeaning::Kind::kSoftmax);
  double loss = 0, users = 0;
  const Matrix<float> scores = scores_of(*fitted.model, every_user(of.rows()));
  for (std::size_t u = 0; u < of.rows(); ++u) {
    const Query query{.user = user_at(u)};
    const ScoreScale scale(*fitted.model, query, {});
    bool any = false;
    for (std::size_t n = 0; n < of.row_size(u); ++n)
      if (of.values(u)[n] > 0) {
        loss -= std::log(scale(scores(static_cast<Eigen::Index>(u), static_cast<Eigen::Index>(raw(of.indices(u)[n])))));
        any = true;
      }
    users += any;
  }
  EXPECT_NEAR(loss / users, expected, 1e-4 * expected);
}

TEST(MultVae, NobodyWithAnythingIsNoError) {
  const Csr<ItemIdx> none(3, std::vector<std::uint64_t>{0, 0, 0}, std::vector<ItemIdx>(), std::vector<float>());
  const Fitted fitted = test::fit(registry(), "mult_vae", settings(true, 5, 2), none);
  EXPECT_TRUE(scores_of(*fitted.model, every_user(3)).allFinite());
  EXPECT_EQ(fitted.curve.series.at("loss").back(), 0);
}

}  // namespace
}  // namespace segue
