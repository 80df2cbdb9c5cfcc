// Training steps of lightgcn and mult_vae at the size of MovieLens 1M (6,040 users x 3,706 items, about a million
// events), and what they are made of.
#include <cmath>
#include <set>

#include <benchmark/benchmark.h>

#include "algorithms/lightgcn/lightgcn_math.hpp"
#include "algorithms/mult_vae/mult_vae_math.hpp"
#include "framework/linalg/row_sums.hpp"
#include "framework/nn/loss.hpp"
#include "framework/nn/optimizer.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

const Interactions& million() {
  static const Interactions data = zipf_interactions();
  return data;
}
const InteractionGraph& graph() {
  static const InteractionGraph out(million().by_user());
  return out;
}

// Sums of the neighbours of every node, d = 64: one layer. Bytes are those of the rows that are read.
void propagation(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const Matrix<float> from = random_rows(graph().nodes(), d, 1);
  Matrix<float> to = Matrix<float>::Zero(from.rows(), from.cols());
  for (auto _ : state) {
    for (std::size_t n = 0; n < graph().nodes(); ++n)
      add_rows<float>(from, graph().neighbours(n), row_span(to, n).data());
    benchmark::ClobberMemory();
  }
  report_gather(state, static_cast<double>(2 * graph().edges() * d * sizeof(float)), 1, std::size_t{1} << 20);
}
BENCHMARK(propagation)->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);

// Three layers, d = 64, dense Adam: batch size, threads. Bytes: the rows that the sums read. Of the six, the last one
// forward is made for the nodes of the batch alone, and the first one back reads no others.
void lightgcn_step(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto threads = static_cast<int>(state.range(1));
  constexpr std::size_t kDims = 64, kLayers = 3;
  const Executor exec(threads);
  LightGcn<float> net(graph(), kDims, kLayers);
  Rng(1).fill_normal(net.params().all(), 0, 0.1f);
  net.refresh(exec);
  nn::Optimizer<float> adam({}, net.params());
  LightGcnBatch batch;
  Rng rng(2);
  const auto users = static_cast<std::uint32_t>(graph().users());
  while (batch.users.size() < n) {
    const std::uint32_t user = rng.below32(users);
    const auto items = graph().neighbours(user);
    batch.users.push_back(user);
    batch.positives.push_back(items[rng.below32(static_cast<std::uint32_t>(items.size()))]);
    batch.negatives.push_back(users + rng.below32(static_cast<std::uint32_t>(graph().nodes()) - users));
  }
  std::set<std::uint32_t> nodes(batch.users.begin(), batch.users.end());
  nodes.insert(batch.positives.begin(), batch.positives.end());
  nodes.insert(batch.negatives.begin(), batch.negatives.end());
  std::size_t of_batch = 0;  // neighbours
  for (const std::uint32_t node : nodes) of_batch += graph().neighbours(node).size();
  for (auto _ : state) {
    adam.begin_step();
    benchmark::DoNotOptimize(net.step(batch, 1e-4, exec,
                                      [&](std::size_t node, std::span<const float> gradient) {
                                        adam.update(net.offset(node), net.embeddings().span(node), gradient);
                                      })
                                 .ranking);
  }
  state.counters["examples/s"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
  const std::size_t rows = 2 * ((kLayers - 1) * 2 * graph().edges() + of_batch);
  report_gather(state, static_cast<double>(rows * kDims * sizeof(float)), threads, std::size_t{1} << 20);
}
BENCHMARK(lightgcn_step)
    ->Args({2048, 1})
    ->Args({2048, 2})
    ->Args({16384, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// 500 users, 600 hidden, 200 dimensions, half of the input dropped: threads. FLOP: those of the products, without the
// first layer's sums and Adam.
void mult_vae_step(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  const bool variational = state.range(1) != 0;
  constexpr std::size_t kUsers = 500;
  const Csr<ItemIdx>& rows = million().by_user();
  const MultVaeShape shape{rows.cols(), 600, 200, variational};
  MultVae<float> net(shape);
  net.init(Rng(1));
  net.refresh();
  const Executor exec(threads);
  nn::Optimizer<float> adam({}, net.params());
  nn::RowTable<float> input(net.params(), net.input_block(), adam, nn::RowMode::kDense);
  const auto block = net.params().block(net.input_block());
  MultVaeBatch<float> batch;
  Rng rng(2);
  for (std::size_t u = 0; u < kUsers; ++u) {
    const std::span<const ItemIdx> items = rows.indices(u);
    std::uint32_t count = 0;
    batch.kept.resize(batch.items.size() + items.size());
    for (const ItemIdx item : items) {
      batch.items.push_back(raw(item));
      batch.kept[batch.begin.back() + count] = raw(item);
      count += rng.next_u32() >> 31;
    }
    batch.kept_count.push_back(count);
    batch.begin.push_back(batch.items.size());
    batch.scale.push_back(2 / std::sqrt(static_cast<float>(items.size())));
  }
  batch.noise = random_rows(kUsers, shape.dims, 3);
  for (auto _ : state) {
    const std::span<const std::uint32_t> touched = net.prepare(batch);
    adam.begin_step();
    for (const std::uint32_t row : touched) input.bring(row);
    benchmark::DoNotOptimize(net.step(batch, 0.1f, exec,
                                      [&](std::size_t offset, std::span<const float> gradient) {
                                        if (offset >= block.offset && offset < block.offset + block.rows * block.cols)
                                          return input.update((offset - block.offset) / block.cols, gradient);
                                        adam.update(offset, net.params().all().subspan(offset, gradient.size()),
                                                    gradient);
                                      })
                                 .likelihood);
  }
  state.counters["users/s"] =
      benchmark::Counter(static_cast<double>(kUsers), benchmark::Counter::kIsIterationInvariantRate);
  report_flop(
      state,
      6.0 * kUsers * static_cast<double>(shape.items * shape.output() + shape.hidden * (shape.code() + shape.dims)),
      threads);
}
BENCHMARK(mult_vae_step)->Args({1, 1})->Args({2, 1})->Args({2, 0})->Unit(benchmark::kMillisecond)->UseRealTime();

void softmax_multinomial(benchmark::State& state) {
  const auto items = static_cast<std::size_t>(state.range(0));
  std::vector<float> logits(items);
  std::vector<std::uint32_t> targets;
  for (std::uint32_t t = 0; t < 100; ++t) targets.push_back(t * 7 % static_cast<std::uint32_t>(items));
  Rng(1).fill_normal(logits, 0, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(nn::softmax_multinomial<float>(logits, targets, 1e-3f));
    benchmark::ClobberMemory();
  }
  report_stream(state, static_cast<double>(2 * items * sizeof(float)));
}
BENCHMARK(softmax_multinomial)->Arg(3706)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
