// The parts of neural training, alone and as whole steps, beside the rate of fused multiply-adds. One thread unless the
// name says otherwise; "samples/s" of a step is what compares with other libraries (PEERS.md).
#include <benchmark/benchmark.h>

#include "algorithms/ncf/ncf_math.hpp"
#include "algorithms/two_tower/two_tower_math.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/dropout.hpp"
#include "framework/nn/loss.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

constexpr auto kRate = benchmark::Counter::kIsIterationInvariantRate;

// m x k times k x n: the products of a dense layer forwards, and of its two gradients.
void product(benchmark::State& state, char kind) {
  const auto m = static_cast<std::size_t>(state.range(0)), n = static_cast<std::size_t>(state.range(1)),
             k = static_cast<std::size_t>(state.range(2));
  const Matrix<float> a = random_rows(m, k, 1), b = random_rows(k, n, 2), at = random_rows(k, m, 3),
                      bt = random_rows(n, k, 4);
  Matrix<float> c = random_rows(m, n, 5);
  for (auto _ : state) {
    if (kind == 'n') gemm<float>(a, b, c);
    if (kind == 'a') gemm_tn<float>(at, b, c);
    if (kind == 'b') gemm_nt<float>(a, bt, c);
    benchmark::ClobberMemory();
  }
  report_flop(state, 2.0 * static_cast<double>(m * n * k));
}
void shapes(benchmark::internal::Benchmark* b) {
  b->Args({64, 256, 512})
      ->Args({256, 256, 512})
      ->Args({64, 64, 128})
      ->Args({2000, 50, 50})
      ->Args({1024, 1024, 64})
      ->Args({112, 3416, 50});
}
BENCHMARK_CAPTURE(product, forward, 'n')->Apply(shapes);
BENCHMARK_CAPTURE(product, weights_gradient, 'a')->Apply(shapes);
BENCHMARK_CAPTURE(product, inputs_gradient, 'b')->Apply(shapes);

void catalogue_softmax(benchmark::State& state) {
  const auto items = static_cast<std::size_t>(state.range(0)), d = static_cast<std::size_t>(state.range(1));
  constexpr std::size_t kExamples = 448;
  const Matrix<float> h = random_rows(kExamples, d, 1), e = random_rows(items, d, 2);
  Matrix<float> et = random_rows(d, items, 3), dh = random_rows(kExamples, d, 4), de = random_rows(items, d, 5);
  transpose<float>(e, et);
  std::vector<std::uint32_t> targets(kExamples);
  Rng rng(6);
  for (std::uint32_t& t : targets) t = rng.below32(static_cast<std::uint32_t>(items));
  for (auto _ : state)
    benchmark::DoNotOptimize(nn::softmax_over_catalogue<float>(h, e, et, {}, targets, 1e-3f, dh, de, {}));
  state.counters["examples/s"] = benchmark::Counter(kExamples, kRate);
  report_flop(state, 6.0 * kExamples * static_cast<double>(items * d));
}
BENCHMARK(catalogue_softmax)->Args({3416, 50})->Args({3416, 128})->Args({60416, 100});

// Numbers an iteration, against reading them once.
void elementwise(benchmark::State& state, const std::string& what) {
  constexpr std::size_t kRows = 512, kCols = 64;
  Matrix<float> x = random_rows(kRows, kCols, 1), y = random_rows(kRows, kCols, 2);
  std::vector<float> labels(kRows * kCols, 0.5f);
  nn::DropoutMask mask;
  std::uint64_t round = 0;
  for (auto _ : state) {
    if (what == "relu") nn::activate<float>(nn::Activation::kRelu, x, y);
    if (what == "gelu") nn::activate<float>(nn::Activation::kGelu, x, y);
    if (what == "dropout") {
      mask.draw(kRows, kCols, 0.2, Rng(1).stream("round", ++round));
      mask.apply<float>(ConstView<float>(x), View<float>(y));
    }
    if (what == "bce")
      benchmark::DoNotOptimize(nn::binary_cross_entropy<float>(std::span<const float>(x.data(), kRows * kCols), labels,
                                                               1.0f, std::span<float>(y.data(), kRows * kCols)));
    benchmark::ClobberMemory();
  }
  state.counters["numbers/s"] = benchmark::Counter(kRows * kCols, kRate);
  report_stream(state, 4.0 * kRows * kCols);
}
BENCHMARK_CAPTURE(elementwise, relu, "relu");
BENCHMARK_CAPTURE(elementwise, gelu, "gelu");
BENCHMARK_CAPTURE(elementwise, dropout, "dropout");
BENCHMARK_CAPTURE(elementwise, bce, "bce");

// Adam on a whole block: 28 bytes a parameter are moved.
void adam_block(benchmark::State& state) {
  nn::ParamStore<float> store;
  const nn::BlockId id = store.add("x", 1000, static_cast<std::size_t>(state.range(0)));
  nn::Optimizer<float> optimizer({}, store);
  const std::vector<float> gradient(store[id].size(), 0.1f);
  for (auto _ : state) {
    optimizer.begin_step();
    optimizer.update(0, store.all().subspan(0, gradient.size()), gradient);
  }
  report_stream(state, 28.0 * static_cast<double>(gradient.size()));
}
BENCHMARK(adam_block)->Arg(16)->Arg(256);

// Samples like those of an epoch on MovieLens 1M. Enough of them not to be learned by heart, for their gradients would
// vanish into denormals.
struct Samples {
  std::vector<std::uint32_t> users, items;
  std::vector<float> labels;
  explicit Samples(std::size_t n) {
    Rng rng(3);
    for (std::size_t s = 0; s < n; ++s) {
      users.push_back(rng.below32(6040));
      items.push_back(rng.below32(3706));
      labels.push_back(s % 5 == 0 ? 1.0f : 0.0f);
    }
  }
};

// Arguments: factors, 0 dense or 1 lazy, threads. Batches of 256 samples, as in the paper.
void ncf_step(benchmark::State& state, bool gmf, bool mlp) {
  constexpr std::size_t kBatch = 256, kBatches = 4096;
  const auto f = static_cast<std::size_t>(state.range(0));
  const NcfShape shape{6040, 3706, f, gmf, mlp, 3};
  NcfNet<float> net(shape);
  net.init(0.01, Rng(1));
  NcfTrainer<float> trainer(net, {}, state.range(1) == 0 ? nn::RowMode::kDense : nn::RowMode::kLazy, kBatch);
  const Samples samples(kBatch * kBatches);
  const Executor exec(static_cast<int>(state.range(2)));
  const auto batch = [&](std::size_t b) -> NcfBatch<float> {
    const std::size_t begin = b % kBatches * kBatch;
    return {std::span(samples.users).subspan(begin, kBatch), std::span(samples.items).subspan(begin, kBatch),
            std::span(samples.labels).subspan(begin, kBatch)};
  };
  std::size_t b = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(trainer.step(batch(b), batch(b + 1), exec));
    ++b;
  }
  state.counters["samples/s"] = benchmark::Counter(kBatch, kRate);
  double weights = 0;
  for (std::size_t l = 0; mlp && l < 3; ++l) weights += static_cast<double>(shape.width(l) * shape.width(l + 1));
  report_flop(state, kBatch * (6 * weights + (gmf ? 8.0 * static_cast<double>(f) : 0)),
              static_cast<int>(state.range(2)));
}
void ncf_settings(benchmark::internal::Benchmark* b) {
  b->ArgNames({"factors", "lazy", "threads"})->ArgsProduct({{8, 32, 64}, {0, 1}, {1, 2}})->UseRealTime();
}
BENCHMARK_CAPTURE(ncf_step, gmf, true, false)->Apply(ncf_settings);
BENCHMARK_CAPTURE(ncf_step, mlp, false, true)->Apply(ncf_settings);
BENCHMARK_CAPTURE(ncf_step, neumf, true, true)->Apply(ncf_settings);

void two_tower_step(benchmark::State& state) {
  constexpr std::size_t kBatch = 1024, kBatches = 1024, kFactors = 64;
  const TwoTowerShape shape{6040, 3706, kFactors, false, 0.2, 0};
  nn::ParamStore<float> params = TwoTowerTrainer<float>::make_params(shape, 0.1, Rng(1));
  TwoTowerTrainer<float> trainer(shape, params, std::vector<float>(shape.items, -8.0f), {},
                                 state.range(0) == 0 ? nn::RowMode::kDense : nn::RowMode::kLazy, kBatch);
  const Samples samples(kBatch * kBatches);
  const Executor exec(static_cast<int>(state.range(1)));
  const auto batch = [&](std::size_t b) -> PairBatch {
    const std::size_t begin = b % kBatches * kBatch;
    return {std::span(samples.users).subspan(begin, kBatch), std::span(samples.items).subspan(begin, kBatch)};
  };
  std::size_t b = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(trainer.step(batch(b), batch(b + 1), exec));
    ++b;
  }
  state.counters["examples/s"] = benchmark::Counter(kBatch, kRate);
  report_flop(state, 6.0 * kBatch * kBatch * kFactors, static_cast<int>(state.range(1)));
}
BENCHMARK(two_tower_step)->ArgNames({"lazy", "threads"})->ArgsProduct({{0, 1}, {1, 2}})->UseRealTime();

}  // namespace
}  // namespace segue::bench
