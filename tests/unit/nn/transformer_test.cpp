#include "framework/nn/transformer.hpp"

#include <cstring>

#include "tests/unit/nn/layer_check.hpp"

namespace segue::nn {
namespace {

using test::LayerCheck;

const std::vector<std::uint32_t> kBegins = {0, 2, 3, 34};
constexpr std::size_t kTokens = 34, kDims = 6;

TransformerSettings settings(NormPlace norm, Activation activation, double rate) {
  TransformerSettings s;
  s.dims = kDims;
  s.heads = 2;
  s.blocks = 2;
  s.inner = 9;
  s.norm = norm;
  s.activation = activation;
  s.attention_dropout = s.residual_dropout = s.inner_dropout = s.output_dropout = rate;
  return s;
}

TEST(Transformer, HasTheGradientOfItsOutputs) {
  for (const NormPlace norm : {NormPlace::kPre, NormPlace::kPost}) {
    for (const double rate : {0.0, 0.2}) {
      const TransformerSettings s = settings(norm, rate > 0 ? Activation::kGelu : Activation::kRelu, rate);
      LayerCheck check(11);
      const TransformerBlocks blocks = add_transformer(s, check.store);
      const BlockId x = check.add("x", kTokens, kDims);
      check.draw(0.5);
      Transformer<double> net(s, blocks, check.store);
      const Rng rng(3);
      check.run(
          std::string(norm == NormPlace::kPre ? "pre-norm" : "post-norm") + " blocks" + (rate > 0 ? ", dropout" : ""),
          kTokens, kDims, [&](View<double> y) { net.forward(kBegins, check.store[x], y, rate > 0 ? &rng : nullptr); },
          [&](View<double> dy) { net.backward(kBegins, dy, check.gradients[x], check.gradients); }, 2e-5, 12);
    }
  }
}

TEST(Transformer, GivesTheLastRowAlone) {
  for (const NormPlace norm : {NormPlace::kPre, NormPlace::kPost}) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      TransformerSettings s = settings(norm, Activation::kSilu, 0.5);
      s.blocks = count;
      s.causal = count == 1;
      ParamStore<float> store;
      const TransformerBlocks blocks = add_transformer(s, store);
      init_transformer(s, blocks, store, Rng(1), 0.5);
      Matrix<float> x(kTokens, kDims), y = x, last(1, kDims);
      init_normal(View<float>(x), 1, Rng(2));
      Transformer<float> net(s, blocks, store);
      const std::vector<std::uint32_t> one = {0, kTokens};
      net.forward(one, ConstView<float>(x), y, nullptr);
      net.forward_last(ConstView<float>(x), last);
      EXPECT_EQ(std::memcmp(last.data(), y.row(kTokens - 1).data(), kDims * sizeof(float)), 0) << count;
    }
  }
}

// What comes later changes no causal state; what came earlier changes every one.
TEST(Transformer, SeesNothingOfTheFuture) {
  const TransformerSettings s = settings(NormPlace::kPre, Activation::kRelu, 0);
  ParamStore<float> store;
  const TransformerBlocks blocks = add_transformer(s, store);
  init_transformer(s, blocks, store, Rng(1));
  Matrix<float> x(9, kDims), before = x, after = x;
  init_normal(View<float>(x), 1, Rng(2));
  Transformer<float> net(s, blocks, store);
  const std::vector<std::uint32_t> one = {0, 9};
  net.forward(one, ConstView<float>(x), before, nullptr);
  x.row(5).array() += 1;
  x.row(5)(0) -= 3;
  net.forward(one, ConstView<float>(x), after, nullptr);
  for (Eigen::Index r = 0; r < 9; ++r) EXPECT_EQ((before.row(r) - after.row(r)).norm() > 1e-3f, r >= 5) << r;
}

TEST(Positions, CountFromTheEnd) {
  Matrix<float> x = Matrix<float>::Ones(4, 2), positions(3, 2), y = x;
  positions << 1, 10, 2, 20, 3, 30;
  const std::vector<std::uint32_t> begins = {0, 1, 4};
  add_positions<float>(begins, x, 0.5f, positions, y);
  Matrix<float> expected(4, 2);
  expected << 3.5, 30.5, 1.5, 10.5, 2.5, 20.5, 3.5, 30.5;
  EXPECT_EQ(y, expected);
  const std::vector<std::uint32_t> long_one = {0, 4};
  EXPECT_THROW(add_positions<float>(long_one, x, 1.0f, positions, y), LogicError);

  LayerCheck check(2);
  const BlockId in = check.add("x", 4, 2), table = check.add("positions", 3, 2);
  check.draw();
  check.run(
      "positions", 4, 2,
      [&](View<double> out) { add_positions<double>(begins, check.store[in], 0.7, check.store[table], out); },
      [&](View<double> dy) {
        add_positions_backward<double>(begins, dy, 0.7, check.gradients[in], check.gradients[table]);
      });
}

}  // namespace
}  // namespace segue::nn
