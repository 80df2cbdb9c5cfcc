// Layers of sequence models, and training steps of SASRec, in the shape of its MovieLens 1M reproduction: d 50, one
// head, batches of 128 sequences of 18 to 200 positions (mean 107). FLOP are those of the products alone: norms,
// dropout, exponentials and the moving of bytes count as nothing, so of_ceiling says what they cost.
#include <cmath>

#include <benchmark/benchmark.h>

#include "framework/model/transformer_encoder.hpp"
#include "framework/nn/norm.hpp"
#include "tests/bench/ceiling.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kDims = 50, kItems = 3416, kLongest = 200, kSequences = 128;

TransformerEncoderSettings settings() {
  TransformerEncoderSettings s;
  s.stack.dims = s.stack.inner = kDims;
  s.stack.blocks = 2;
  s.stack.attention_dropout = s.stack.inner_dropout = s.stack.output_dropout = s.input_dropout = 0.2;
  s.positions = kLongest;
  s.scale = std::sqrt(double{kDims});
  return s;
}

// Lengths from 18 to 200 whose mean and mean square are near the data set's.
SequenceBatch batch_of(std::size_t sequences, std::size_t own_negatives, std::size_t shared) {
  SequenceBatch batch;
  Rng rng(1);
  batch.begins.push_back(0);
  for (std::size_t s = 0; s < sequences; ++s) {
    const double share = static_cast<double>(s * 37 % 128) / 128;
    const auto length = static_cast<std::uint32_t>(std::min(200.0, 18 + 320 * share * share));
    batch.begins.push_back(batch.begins.back() + length);
  }
  for (std::uint32_t t = 0; t < batch.begins.back(); ++t) {
    batch.inputs.push_back(rng.below32(kItems));
    batch.targets.push_back(rng.below32(kItems));
    for (std::size_t j = 0; j < own_negatives; ++j) batch.negatives.push_back(rng.below32(kItems));
  }
  for (std::size_t j = 0; j < shared; ++j) batch.negatives.push_back(rng.below32(kItems));
  if (shared > 0) batch.count_negatives();
  return batch;
}

double squares_of(const SequenceBatch& batch) {
  double sum = 0;
  for (std::size_t s = 0; s < batch.sequences(); ++s) sum += std::pow(batch.begins[s + 1] - batch.begins[s], 2);
  return sum;
}

template <class T>
Matrix<T> random(std::size_t rows, std::size_t cols) {
  Matrix<T> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  nn::init_normal(View<T>(out), 1, Rng(2));
  return out;
}

// Gradients of one batch: what a step costs but for the optimizer. loss 0: bce, one negative a position; 1: softmax
// over the catalogue; 2: sampled softmax, 512 shared negatives.
void BM_SasrecGradients(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  const auto kind = static_cast<int>(state.range(1));
  ItemLossSettings loss;
  if (kind == 1) loss.loss = SequenceLoss::kSoftmax;
  if (kind == 2) loss = {SequenceLoss::kSampledSoftmax, 512, true};
  const TransformerEncoderSettings encoder = settings();
  nn::ParamStore<float> weights;
  const TransformerEncoderBlocks blocks = add_transformer_encoder(encoder, weights);
  init_transformer_encoder(encoder, blocks, weights, Rng(1), 0.02);
  SequenceNet<float> net({kItems, kDims}, loss, weights, [&](const nn::ParamStore<float>& store) {
    return std::make_unique<TransformerEncoder<float>>(encoder, blocks, store);
  });
  nn::init_normal(net.items()[net.vectors()], 0.02, Rng(3));
  const SequenceBatch batch = batch_of(kSequences, kind == 0 ? 1 : 0, kind == 2 ? 512 : 0);
  const Executor exec(threads);
  std::uint64_t step = 0;
  for (auto _ : state) {
    const Rng dropout = Rng(4).stream("dropout", step++);
    benchmark::DoNotOptimize(net.gradients(batch, {}, &dropout, exec));
  }
  const double d = kDims, tokens = static_cast<double>(batch.tokens());
  const double compared = kind == 0 ? 2 : kind == 1 ? kItems : 512 + 1;
  report_flop(state, 2 * (tokens * 36 * d * d + squares_of(batch) * 7 * d) + tokens * compared * 6 * d, threads);
  state.counters["tokens/s"] = benchmark::Counter(tokens, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_SasrecGradients)
    ->ArgNames({"threads", "loss"})
    ->ArgsProduct({{1, 2}, {0, 1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_Attention(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const bool backward = state.range(1) != 0;
  const Matrix<float> qkv = random<float>(n, 3 * kDims), dout = random<float>(n, kDims);
  Matrix<float> out = dout, d = qkv;
  const ConstView<float> x(qkv);
  const View<float> dx(d);
  const std::vector<std::uint32_t> begins = {0, static_cast<std::uint32_t>(n)};
  nn::AttentionCache<float> cache;
  const ConstView<float> q = x.some_cols(0, kDims), k = x.some_cols(kDims, 2 * kDims), v = x.some_cols(2 * kDims, 150);
  nn::attention_forward<float>({}, begins, q, k, v, out, cache, 0, nullptr);
  for (auto _ : state) {
    if (backward)
      nn::attention_backward<float>({}, begins, q, k, v, out, dout, cache, dx.some_cols(0, kDims),
                                    dx.some_cols(kDims, 2 * kDims), dx.some_cols(2 * kDims, 150));
    else
      nn::attention_forward<float>({}, begins, q, k, v, out, cache, 0, nullptr);
    benchmark::DoNotOptimize(out.data());
  }
  report_flop(state, static_cast<double>(n * n * kDims) * (backward ? 5 : 2));
}
BENCHMARK(BM_Attention)->ArgNames({"n", "backward"})->ArgsProduct({{50, 200, 1000}, {0, 1}});

void BM_LayerNorm(benchmark::State& state) {
  const Matrix<float> x = random<float>(256, kDims), gain = random<float>(1, kDims), shift = gain;
  Matrix<float> y = x, stats(256, 2), dgain = gain, dshift = gain;
  for (auto _ : state) {
    nn::layer_norm_forward<float>(x, gain, shift, 1e-8, y, stats);
    nn::layer_norm_backward<float>(x, gain, stats, y, y, dgain, dshift);
    benchmark::DoNotOptimize(y.data());
  }
  report_flop(state, 256.0 * kDims * 20);
}
BENCHMARK(BM_LayerNorm);

}  // namespace
}  // namespace segue::bench
