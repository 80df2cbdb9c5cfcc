// Optimizers against their algorithms written out in double, and tables of rows against training every row in every
// step.
#include "framework/nn/optimizer.hpp"

#include <cmath>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "framework/nn/param_store.hpp"

namespace segue::test {
namespace {

using nn::OptimizerKind;
using nn::OptimizerSettings;

// Values, then the gradients of step t: fixed numbers.
double first_value(std::size_t i) { return std::sin(static_cast<double>(i)); }
double gradient_at(int t, std::size_t i) { return std::cos(static_cast<double>(i) * 1.7 + t) * (1 + 0.1 * t); }

std::vector<double> by_the_book(const OptimizerSettings& s, int steps, std::size_t n) {
  std::vector<double> p(n), m(n, 0), v(n, 0);
  for (std::size_t i = 0; i < n; ++i) p[i] = first_value(i);
  for (int t = 1; t <= steps; ++t) {
    for (std::size_t i = 0; i < n; ++i) {
      double g = gradient_at(t, i);
      if (s.kind != OptimizerKind::kAdamW) g += s.weight_decay * p[i];
      switch (s.kind) {
        case OptimizerKind::kSgd:
          m[i] = s.momentum * m[i] + g;
          p[i] -= s.learning_rate * m[i];
          break;
        case OptimizerKind::kAdagrad:
          v[i] += g * g;
          m[i] = s.momentum * m[i] + s.learning_rate * g / (std::sqrt(v[i]) + s.epsilon);
          p[i] -= m[i];
          break;
        case OptimizerKind::kAdam:
        case OptimizerKind::kAdamW: {
          if (s.kind == OptimizerKind::kAdamW) p[i] -= s.learning_rate * s.weight_decay * p[i];
          m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
          v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
          const double mh = m[i] / (1 - std::pow(s.beta1, t)), vh = v[i] / (1 - std::pow(s.beta2, t));
          p[i] -= s.learning_rate * mh / (std::sqrt(vh) + s.epsilon);
        }
      }
    }
  }
  return p;
}

TEST(Optimizer, FollowsTheBook) {
  constexpr std::size_t n = 37;
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    for (const double extra : {0.0, 0.1}) {
      OptimizerSettings s;
      s.kind = kind;
      s.learning_rate = 0.05;
      s.weight_decay = extra;
      s.momentum = extra * 5;
      const std::vector<double> expected = by_the_book(s, 40, n);
      const auto run = [&]<class T>(T, double tolerance) {
        nn::ParamStore<T> store;
        const nn::BlockId id = store.add("x", 1, n);
        for (std::size_t i = 0; i < n; ++i) store[id](0, i) = static_cast<T>(first_value(i));
        nn::Optimizer<T> optimizer(s, store);
        std::vector<T> g(n);
        for (int t = 1; t <= 40; ++t) {
          optimizer.begin_step();
          for (std::size_t i = 0; i < n; ++i) g[i] = static_cast<T>(gradient_at(t, i));
          optimizer.update(0, store[id].span(0), g);
        }
        for (std::size_t i = 0; i < n; ++i)
          EXPECT_NEAR(static_cast<double>(store[id](0, i)), expected[i], tolerance)
              << static_cast<int>(kind) << " " << i;
      };
      run(double{}, 1e-12);
      run(float{}, 2e-5);
    }
  }
}

// A table of rows that rest for a while, in two ways: the table makes up for rests when a row is read, or every row is
// moved in every step.
template <class T>
void expect_same_as_dense(const OptimizerSettings& s, double tolerance) {
  constexpr std::size_t rows = 40, cols = 19;
  constexpr int steps = 700;
  const auto fill = [](nn::ParamStore<T>& store) {
    const nn::BlockId id = store.add("table", rows, cols);
    for (std::size_t i = 0; i < rows * cols; ++i) store[id].data[i] = static_cast<T>(first_value(i));
    return id;
  };
  nn::ParamStore<T> resting, moving;
  const nn::BlockId id = fill(resting);
  fill(moving);
  nn::Optimizer<T> rests(s, resting), moves(s, moving);
  nn::RowTable<T> table(resting, id, rests, nn::RowMode::kDense);
  Rng rng(3);
  double furthest = 0;
  for (int t = 1; t <= steps; ++t) {
    const double factor = nn::rate_factor(nn::Decay::kLinear, static_cast<std::uint64_t>(t), 20, 2 * steps);
    // Half of the steps touch two of the first rows, so the others rest long.
    std::vector<std::uint32_t> touched{rng.below32(t % 2 == 0 ? 4 : rows)};
    if (t % 3 == 0) touched.push_back((touched[0] + 1) % rows);
    rests.begin_step(factor);
    moves.begin_step(factor);
    std::vector<T> zero(cols, T(0)), g(cols);
    std::vector<bool> has(rows, false);
    for (const std::uint32_t row : touched) {
      table.bring(row);
      for (std::size_t c = 0; c < cols; ++c) {  // the same gradient for both, from where the resting one stands
        g[c] = static_cast<T>(gradient_at(t, row * cols + c) * 1e-2);
        furthest = std::max(furthest, std::abs(static_cast<double>(resting[id](row, c) - moving[id](row, c))));
      }
      table.update(row, g);
      moves.update(row * cols, moving[id].span(row), g);
      has[row] = true;
    }
    for (std::uint32_t row = 0; row < rows; ++row)
      if (!has[row]) moves.update(row * cols, moving[id].span(row), zero);
  }
  table.finish();
  for (std::size_t i = 0; i < rows * cols; ++i)
    furthest = std::max(furthest, std::abs(static_cast<double>(resting[id].data[i] - moving[id].data[i])));
  EXPECT_LT(furthest, tolerance);
  for (std::size_t part = 0; part < rests.state().size(); ++part)
    for (std::size_t i = 0; i < rests.state()[part].size(); ++i)
      EXPECT_NEAR(static_cast<double>(rests.state()[part][i]), static_cast<double>(moves.state()[part][i]), tolerance);
}

TEST(Optimizer, RowsThatRestMoveAsInDenseAdam) {
  OptimizerSettings s;
  s.learning_rate = 0.01;
  // Rows travel by about 1 here. eps 1e-8 against root second moments near 1e-3; without eps the forms are equal.
  expect_same_as_dense<double>(s, 1e-7);
  s.epsilon = 1e-30;
  expect_same_as_dense<double>(s, 1e-12);
  s.epsilon = 1e-8;
  expect_same_as_dense<float>(s, 2e-5);
}

TEST(Optimizer, RowsThatRestAreReplayedWhereThereIsNoClosedForm) {
  OptimizerSettings s;
  s.learning_rate = 0.01;
  s.kind = OptimizerKind::kAdamW;
  s.weight_decay = 0.1;
  expect_same_as_dense<double>(s, 1e-12);
  s.kind = OptimizerKind::kSgd;
  s.weight_decay = 0;
  s.momentum = 0.9;
  expect_same_as_dense<double>(s, 1e-12);
  s.momentum = 0;
  expect_same_as_dense<double>(s, 1e-14);
}

TEST(Optimizer, LazyRowsRest) {
  nn::ParamStore<float> store;
  const nn::BlockId id = store.add("table", 2, 3);
  nn::Optimizer<float> optimizer({}, store);
  nn::RowTable<float> table(store, id, optimizer, nn::RowMode::kLazy);
  const std::vector<float> g{1, 2, 3};
  optimizer.begin_step();
  table.bring(1);
  table.update(1, g);
  const std::vector<float> once(store[id].row(1), store[id].row(1) + 3);
  for (int t = 0; t < 5; ++t) optimizer.begin_step();
  table.bring(1);
  table.finish();
  EXPECT_EQ(std::vector<float>(store[id].row(1), store[id].row(1) + 3), once);
  for (const float x : store[id].span(0)) EXPECT_EQ(x, 0);
}

TEST(Optimizer, GoesOnWhereItWasInterrupted) {
  const auto run = [](int interrupted_after) {
    nn::ParamStore<float> store;
    const nn::BlockId id = store.add("table", 8, 5);
    for (std::size_t i = 0; i < 40; ++i) store[id].data[i] = static_cast<float>(first_value(i));
    std::optional<nn::Optimizer<float>> optimizer;
    std::optional<nn::RowTable<float>> table;
    optimizer.emplace(OptimizerSettings{}, store);
    table.emplace(store, id, *optimizer, nn::RowMode::kDense);
    std::vector<float> g(5);
    for (int epoch = 0; epoch < 3; ++epoch) {
      if (epoch == interrupted_after) {
        std::vector<std::vector<float>> kept;
        for (const auto part : optimizer->state()) kept.emplace_back(part.begin(), part.end());
        optimizer.emplace(OptimizerSettings{}, store);
        for (std::size_t i = 0; i < kept.size(); ++i)
          std::copy(kept[i].begin(), kept[i].end(), optimizer->state()[i].begin());
        table.emplace(store, id, *optimizer, nn::RowMode::kDense);
      }
      optimizer->resume(static_cast<std::uint64_t>(epoch) * 10);
      table->resume();
      for (int t = 1; t <= 10; ++t) {
        optimizer->begin_step();
        const std::size_t row = static_cast<std::size_t>(t * t + epoch) % 8;
        table->bring(row);
        for (std::size_t c = 0; c < 5; ++c) g[c] = static_cast<float>(gradient_at(t, row * 5 + c));
        table->update(row, g);
      }
      table->finish();
    }
    return std::vector<float>(store.all().begin(), store.all().end());
  };
  const std::vector<float> undisturbed = run(-1);
  EXPECT_EQ(run(1), undisturbed);
  EXPECT_EQ(run(2), undisturbed);
}

TEST(Optimizer, SchedulesClippingAndAverages) {
  using nn::Decay;
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kConstant, 3, 10, 100), 0.3);
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kConstant, 50, 10, 100), 1);
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kLinear, 55, 10, 100), 0.5);
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kCosine, 100, 10, 100), 0);
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kCosine, 10, 10, 100), 1);
  EXPECT_DOUBLE_EQ(nn::rate_factor(Decay::kInverseSqrt, 40, 10, 100), 0.5);
  const std::vector<float> g(10000, 0.5f);
  EXPECT_NEAR(nn::norm_of<float>(g), 50, 1e-9);
  EXPECT_DOUBLE_EQ(nn::clip_factor(50, 5), 0.1);
  EXPECT_DOUBLE_EQ(nn::clip_factor(3, 5), 1);
  EXPECT_DOUBLE_EQ(nn::clip_factor(50, 0), 1);
  std::vector<double> average{1, 2, 3};
  nn::average_in<double>(average, std::vector<double>{2, 2, 1}, 0.75);
  EXPECT_EQ(average, (std::vector<double>{1.25, 2, 2.5}));
}

TEST(ParamStore, HasNamedBlocksOnCacheLinesInOneArray) {
  nn::ParamStore<float> store;
  const nn::BlockId a = store.add("a", 3, 5), b = store.add("b", 1, 1);
  EXPECT_EQ(store.block(b).offset % 16, 0u);
  EXPECT_GE(store.block(b).offset, 15u);
  nn::init_normal(store[a], 1.0, Rng(1));
  nn::init_uniform(store[b], 2.0, Rng(1));
  EXPECT_NE(store[a](2, 4), 0);
  const nn::ParamStore<double> twice = store.as<double>();
  EXPECT_EQ(twice[a](2, 4), double{store[a](2, 4)});
  EXPECT_EQ(store.zeros_like().all().size(), store.size());
  const nn::ParamStore<float> zeros = store.zeros_like();
  for (const float x : zeros.all()) EXPECT_EQ(x, 0);
  EXPECT_THROW(store.add("a", 1, 1), LogicError);
}

}  // namespace
}  // namespace segue::test
