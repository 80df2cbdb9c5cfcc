// lightgcn against its definition in dense matrices, its gradients against differences, and what it learns.
#include <atomic>
#include <cmath>
#include <iostream>

#include <gtest/gtest.h>

#include "algorithms/lightgcn/lightgcn_math.hpp"
#include "framework/nn/gradcheck.hpp"
#include "tests/support/camps.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"

extern "C" void segue_register_algorithm_lightgcn(segue::Registry& registry);

namespace segue {
namespace {

using test::every_user;
using test::Fitted;
using test::params_of;
using test::scores_of;
using test::separation;

constexpr std::size_t kUsers = 9, kItems = 12;
constexpr std::size_t kManyUsers = 290, kManyItems = 340;  // nodes of several parts of a graph
constexpr std::uint32_t kNobody = LightGcnBatch::kNobody;

Registry registry() {
  Registry out;
  segue_register_algorithm_lightgcn(out);
  return out;
}

// The last user and the last item have nothing but an event of weight below zero.
Csr<ItemIdx> events(std::size_t users = kUsers, std::size_t all = kItems, double share = 0.6) {
  Rng rng(5);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<float> weights;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; u + 1 < users && i + 1 < all; ++i) {
      if (rng.uniform() > share) continue;
      items.push_back(item_at(i));
      weights.push_back(rng.uniform() < 0.1 ? -1.0f : 2.0f);
    }
    if (u + 1 == users) items.push_back(item_at(all - 1)), weights.push_back(-1);
    offsets.push_back(items.size());
  }
  return {all, std::move(offsets), std::move(items), std::move(weights)};
}

// D^-1/2 A D^-1/2, element by element as the paper defines it.
Matrix<double> normalised(const Csr<ItemIdx>& of) {
  const auto users = static_cast<Eigen::Index>(of.rows()), n = users + static_cast<Eigen::Index>(of.cols());
  Matrix<double> a = Matrix<double>::Zero(n, n);
  for (std::size_t u = 0; u < of.rows(); ++u)
    for (std::size_t p = 0; p < of.row_size(u); ++p)
      if (of.values(u)[p] > 0) {
        const auto row = static_cast<Eigen::Index>(u), col = users + static_cast<Eigen::Index>(raw(of.indices(u)[p]));
        a(row, col) = a(col, row) = 1;
      }
  const Eigen::VectorXd degree = a.rowwise().sum();
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      if (a(i, j) != 0) a(i, j) /= std::sqrt(degree(i)) * std::sqrt(degree(j));
  return a;
}

Matrix<double> mean_of_layers(const Matrix<double>& a, const Matrix<double>& e0, std::size_t layers) {
  Matrix<double> e = e0, sum = e0;
  for (std::size_t l = 0; l < layers; ++l) {
    e = (a * e).eval();
    sum += e;
  }
  return sum / static_cast<double>(layers + 1);
}

// The loss of a batch, written down once more; first the ranking, then the penalty.
std::pair<double, double> slow_loss(const Matrix<double>& a, const Matrix<double>& e0, std::size_t layers,
                                    const LightGcnBatch& batch, double reg) {
  const Matrix<double> e = mean_of_layers(a, e0, layers);
  const std::size_t n = batch.users.size(), m = batch.per_example;
  const auto row = [](std::uint32_t node) { return static_cast<Eigen::Index>(node); };
  double ranking = 0, squares = 0;
  for (std::size_t x = 0; x < n; ++x) {
    const Eigen::Index u = row(batch.users[x]), i = row(batch.positives[x]);
    squares += e0.row(u).squaredNorm() + e0.row(i).squaredNorm();
    double sum = 0, drawn = 0;
    for (std::size_t j = 0; j < m; ++j) {
      const std::uint32_t negative = batch.negatives[x * m + j];
      if (negative == kNobody) continue;
      squares += e0.row(row(negative)).squaredNorm();
      sum += std::log1p(std::exp(e.row(u).dot(e.row(row(negative))) - e.row(u).dot(e.row(i))));
      ++drawn;
    }
    if (drawn > 0) ranking += sum / drawn;
  }
  return {ranking / static_cast<double>(n), reg / (2 * static_cast<double>(n)) * squares};
}

LightGcnBatch some_batch(std::size_t negatives, const Csr<ItemIdx>& of = events()) {
  LightGcnBatch out;
  out.per_example = negatives;
  const std::size_t users = of.rows();
  Rng rng(8);
  for (std::uint32_t n = 0; n < 7; ++n) {
    const std::uint32_t user = n % 4;  // not all nodes are in the batch, and some are there often
    out.users.push_back(user);
    out.positives.push_back(static_cast<std::uint32_t>(users + raw(of.indices(user)[n % of.row_size(user)])));
    for (std::size_t j = 0; j < negatives; ++j)
      out.negatives.push_back(static_cast<std::uint32_t>(users + rng.below(of.cols() / 2)));
  }
  out.negatives[1] = static_cast<std::uint32_t>(users + of.cols() - 1);  // without neighbours
  out.negatives.back() = kNobody;
  return out;
}

template <class T>
void fill(LightGcn<T>& net, std::size_t dims) {
  Rng rng(3);
  for (std::size_t n = 0; n < net.embeddings().rows; ++n)
    for (std::size_t d = 0; d < dims; ++d) net.embeddings()(n, d) = static_cast<T>(0.5 * rng.normal());
}

template <class T>
Matrix<double> first_layer(LightGcn<T>& net, std::size_t dims) {
  Matrix<double> out(static_cast<Eigen::Index>(net.embeddings().rows), static_cast<Eigen::Index>(dims));
  for (Eigen::Index n = 0; n < out.rows(); ++n)
    for (Eigen::Index d = 0; d < out.cols(); ++d)
      out(n, d) = static_cast<double>(net.embeddings()(static_cast<std::size_t>(n), static_cast<std::size_t>(d)));
  return out;
}

template <class T>
void expect_propagation(const Csr<ItemIdx>& of, std::size_t dims, std::size_t layers, double tolerance) {
  const InteractionGraph graph(of);
  LightGcn<T> net(graph, dims, layers);
  fill(net, dims);
  const Matrix<double> a = normalised(of);
  const Matrix<double> e0 = first_layer(net, dims), expected = mean_of_layers(a, e0, layers);
  Matrix<T> final(e0.rows(), e0.cols()), sums(static_cast<Eigen::Index>(of.cols()), e0.cols());
  net.propagate(View<T>(final).some_rows(0, of.rows()), View<T>(final).some_rows(of.rows(), graph.nodes()), sums,
                Executor(2));
  EXPECT_LT((final.template cast<double>() - expected).cwiseAbs().maxCoeff(), tolerance);
}

TEST(LightGcn, PropagatesAsTheDenseMatrixDoes) {
  for (const std::size_t layers : {1u, 2u, 3u, 4u}) {
    expect_propagation<double>(events(), 5, layers, 1e-14);
    expect_propagation<float>(events(), 5, layers, 1e-6);
    expect_propagation<float>(events(), 150, layers, 1e-6);
    expect_propagation<double>(events(kManyUsers, kManyItems, 0.03), 5, layers, 1e-14);
  }
}

TEST(LightGcn, GradientsOfTheWholeModelAreThoseOfTheLoss) {
  const InteractionGraph graph(events());
  const Matrix<double> a = normalised(events());
  const Executor exec(1);
  constexpr std::size_t kDims = 5;
  for (const std::size_t layers : {1u, 2u, 3u}) {
    for (const std::size_t negatives : {1u, 3u}) {
      for (const double reg : {0.0, 0.3}) {
        LightGcn<double> net(graph, kDims, layers);
        fill(net, kDims);
        net.refresh(exec);
        const LightGcnBatch batch = some_batch(negatives);
        std::vector<double> analytic(net.params().size(), 0);
        const auto loss = net.step(batch, reg, exec, [&](std::size_t node, std::span<const double> gradient) {
          std::copy(gradient.begin(), gradient.end(), analytic.begin() + static_cast<std::ptrdiff_t>(net.offset(node)));
        });
        const auto slow = slow_loss(a, first_layer(net, kDims), layers, batch, reg);
        EXPECT_NEAR(loss.ranking, slow.first, 1e-12);
        EXPECT_NEAR(loss.penalty, slow.second, 1e-12);
        const nn::GradientCheck check = nn::check_gradient(
            [&] {
              const auto [ranking, penalty] = slow_loss(a, first_layer(net, kDims), layers, batch, reg);
              return ranking + penalty;
            },
            net.params().all(), analytic, Rng(1));
        EXPECT_LT(check.worst, 1e-6) << "element " << check.index << ": " << check.analytic << ", " << check.numeric;
        std::cout << "gradient check: lightgcn, layers " << layers << ", negatives " << negatives << ", reg " << reg
                  << ": " << check.worst << " of " << check.checked << '\n';
      }
    }
  }
}

// So many nodes that the graph is cut into parts, which two threads share.
TEST(LightGcn, GradientsOfSeveralPartsAreThoseOfTheLoss) {
  const Csr<ItemIdx> of = events(kManyUsers, kManyItems, 0.03);
  const InteractionGraph graph(of);
  std::atomic<int> parts = 0;
  graph.for_parts(Executor(2), [&](std::size_t, std::size_t) { ++parts; });
  ASSERT_GT(parts, 1);
  const Matrix<double> a = normalised(of);
  constexpr std::size_t kDims = 5, kLayers = 3;
  constexpr double kReg = 0.3;
  LightGcn<double> net(graph, kDims, kLayers);
  fill(net, kDims);
  net.refresh(Executor(2));
  const LightGcnBatch batch = some_batch(3, of);
  std::vector<double> analytic(net.params().size(), 0);
  const auto loss = net.step(batch, kReg, Executor(2), [&](std::size_t node, std::span<const double> gradient) {
    std::copy(gradient.begin(), gradient.end(), analytic.begin() + static_cast<std::ptrdiff_t>(net.offset(node)));
  });
  const auto slow = slow_loss(a, first_layer(net, kDims), kLayers, batch, kReg);
  EXPECT_NEAR(loss.ranking, slow.first, 1e-12);
  EXPECT_NEAR(loss.penalty, slow.second, 1e-12);
  const nn::GradientCheck check = nn::check_gradient(
      [&] {
        const auto [ranking, penalty] = slow_loss(a, first_layer(net, kDims), kLayers, batch, kReg);
        return ranking + penalty;
      },
      net.params().all(), analytic, Rng(1), 80);
  EXPECT_LT(check.worst, 1e-6) << "element " << check.index << ": " << check.analytic << ", " << check.numeric;
}

TEST(LightGcn, AStepSeesWhereTheLastOneMoved) {
  const InteractionGraph graph(events());
  const Matrix<double> a = normalised(events());
  const Executor exec(2);
  LightGcn<double> net(graph, 4, 3);
  fill(net, 4);
  net.refresh(exec);
  const LightGcnBatch batch = some_batch(2);
  double before = 0;
  for (int step = 0; step < 5; ++step) {
    const double expected = slow_loss(a, first_layer(net, 4), 3, batch, 0).first;
    const double now = net.step(batch, 0, exec,
                                [&](std::size_t node, std::span<const double> gradient) {
                                  for (std::size_t d = 0; d < 4; ++d) net.embeddings()(node, d) -= 0.5 * gradient[d];
                                })
                           .ranking;
    EXPECT_NEAR(now, expected, 1e-12) << step;
    if (step > 0) {
      EXPECT_LT(now, before) << step;
    }
    before = now;
  }
}

// A user who has items, but whom the items do not have: layer by layer.
TEST(LightGcn, FoldsInAsAUserWithoutAVectorOfTheirOwn) {
  const InteractionGraph graph(events());
  constexpr std::size_t kDims = 6, kLayers = 3;
  LightGcn<float> net(graph, kDims, kLayers);
  fill(net, kDims);
  const Matrix<double> a = normalised(events());
  Matrix<double> e = first_layer(net, kDims);
  Matrix<float> users(kUsers, kDims), items(kItems, kDims), sums(kItems, kDims);
  net.propagate(users, items, sums, Executor(1));
  const std::vector<std::uint32_t> known{0, 3, 4};
  Eigen::RowVectorXd expected = Eigen::RowVectorXd::Zero(kDims);
  for (std::size_t l = 0; l < kLayers; ++l) {
    for (const std::uint32_t item : known)
      expected += e.row(static_cast<Eigen::Index>(kUsers + item)) / std::sqrt(graph.degree(kUsers + item)) /
                  std::sqrt(static_cast<double>(known.size()));
    e = (a * e).eval();
  }
  expected /= static_cast<double>(kLayers + 1);
  std::vector<float> out(kDims);
  lightgcn_fold_in(sums, known, kLayers, out);
  for (std::size_t d = 0; d < kDims; ++d) EXPECT_NEAR(double{out[d]}, expected(static_cast<Eigen::Index>(d)), 1e-6);
}

TEST(LightGcn, LearnsTheCampsAndFoldsNewUsersIn) {
  const Csr<ItemIdx> of = test::camps(60, 80, 0.25, 0.02);
  const Value params = params_of({{"factors", Value::integer(8)},
                                  {"epochs", Value::integer(30)},
                                  {"batch_size", Value::integer(200)},
                                  {"learning_rate", Value::real(0.02)}});
  const Fitted fitted = test::fit(registry(), "lightgcn", params, of, 2);
  const std::vector<double>& loss = fitted.curve.series.at("loss");
  EXPECT_NEAR(loss.front(), std::log(2), 0.1) << "it begins with scores near zero";
  EXPECT_LT(loss.back(), 0.6 * loss.front());
  EXPECT_GT(separation(scores_of(*fitted.model, every_user(60)), of), 0.95);
  std::vector<Query> strangers(60);
  for (std::size_t u = 0; u < 60; ++u) strangers[u].history = of.indices(u);
  EXPECT_GT(separation(scores_of(*fitted.model, strangers), of), 0.95);
  test::expect_batches_agree(*fitted.model, strangers);
}

TEST(LightGcn, NobodyWithAnythingOrOneItemOnlyIsNoError) {
  const Value params = params_of({{"epochs", Value::integer(3)}});
  const Csr<ItemIdx> none(3, std::vector<std::uint64_t>{0, 0, 0}, std::vector<ItemIdx>(), std::vector<float>());
  EXPECT_TRUE(scores_of(*test::fit(registry(), "lightgcn", params, none).model, every_user(3)).isZero());
  const Csr<ItemIdx> all(1, std::vector<std::uint64_t>{0, 1, 2}, std::vector<ItemIdx>{item_at(0), item_at(0)},
                         std::vector<float>());
  const Fitted fitted = test::fit(registry(), "lightgcn", params, all);
  EXPECT_TRUE(scores_of(*fitted.model, every_user(2)).allFinite());
  EXPECT_EQ(fitted.curve.series.at("loss").back(), 0) << "nothing can be drawn that the user has not";
}

}  // namespace
}  // namespace segue
