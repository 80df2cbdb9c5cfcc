// Epochs of the models that are trained by gradient steps: whole, as a suite runs them, and the steps alone beside
// their floor, which moves the same rows in the same order and computes nothing.
//
// ML-1M: 6,040 users x 3,706 items, about a million events. Scale: 100,000 x 50,000, about 9.3 million. "GB" are
// those of the vectors that a step reads and writes, "FLOP" those of its inner product and update; the ceiling is the rate
// at which random rows are read from as large a table.
#include <benchmark/benchmark.h>

#include "algorithms/bpr/bpr_math.hpp"
#include "algorithms/sgd_mf/sgd_mf_math.hpp"
#include "framework/cli/builtin.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

const Interactions& million() {
  static const Interactions data = zipf_interactions();
  return data;
}
const Interactions& scale() {
  static const Interactions data = zipf_interactions(100000, 50000, 100);
  return data;
}

struct EpochSeconds final : Progress {
  double sum = 0;
  int epochs = 0;
  void epoch_seconds(double seconds) override { sum += seconds, ++epochs; }
};

// table: bytes that the random rows come from; of a block of strata, what a core's own cache holds.
constexpr std::size_t kBlockTable = std::size_t{1} << 18;

void per_sample(benchmark::State& state, double samples, double rows, double flop, double d, int threads,
                std::size_t table = kBlockTable) {
  constexpr auto kRate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["samples/s"] = benchmark::Counter(samples, kRate);
  state.counters["GFLOP/s"] = benchmark::Counter(1e-9 * samples * flop * d, kRate);
  report(state, "GB/s", samples * rows * 2 * d * sizeof(float), gather_gbs(threads, table));
}

// The time is that of an epoch, the mean of three, with two threads.
void epoch(benchmark::State& state, const Interactions& train, const std::string& algorithm, const std::string& params,
           double d, double samples_per_event, double rows, double flop) {
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  const Histories histories;
  const Facets facets;
  const Executor exec(2);
  for (auto _ : state) {
    const auto model = registry.make(algorithm, Value::from_json(params));
    EpochSeconds time;
    FitContext ctx{exec, Rng(1), time};
    model->fit({train, histories, facets}, ctx);
    state.SetIterationTime(time.sum / time.epochs);
  }
  per_sample(state, static_cast<double>(train.size()) * samples_per_event, rows, flop, d, 2);
}

BENCHMARK_CAPTURE(epoch, bpr_64, million(), "bpr", R"({"factors": 64, "epochs": 3})", 64, 1, 3, 15)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, bpr_128, million(), "bpr", R"({"factors": 128, "epochs": 3})", 128, 1, 3, 15)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, bpr_64_adaptive, million(), "bpr",
                  R"({"factors": 64, "epochs": 3, "negative_sampling": "adaptive"})", 64, 1, 3, 15)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, warp_64, million(), "warp", R"({"factors": 64, "epochs": 3})", 64, 1, 3, 15)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, sgd_mf_logistic_64, million(), "sgd_mf", R"({"loss": "logistic", "factors": 64, "epochs": 3})",
                  64, 5, 2, 8)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, sgd_mf_squared_64_scale, scale(), "sgd_mf", R"({"factors": 64, "epochs": 3})", 64, 1, 2, 8)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK_CAPTURE(epoch, sgd_mf_squared_128_scale, scale(), "sgd_mf", R"({"factors": 128, "epochs": 3})", 128, 1, 2, 8)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();

// One thread, rows of a block: 380 users and 230 items, as on ML-1M.
struct Block {
  FactorModel model;
  std::vector<BprTriple> triples;
  std::vector<SgdSample> samples;
  explicit Block(std::size_t d) {
    model.users = random_rows(380, d, 1);
    model.items = random_rows(230, d, 2);
    model.user_bias.assign(380, 0);
    model.item_bias.assign(230, 0);
    Rng rng(3);
    for (int n = 0; n < 4000; ++n) {
      const std::uint32_t u = rng.below32(380), i = rng.below32(230);
      triples.push_back({u, i, (i + 1 + rng.below32(229)) % 230});
      samples.push_back({u, i, 1});
    }
  }
};

void bpr_kernel(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  Block block(d);
  for (auto _ : state) benchmark::DoNotOptimize(bpr_steps(block.model, block.triples, {1e-3f, 1e-3f, 1e-3f}));
  per_sample(state, 4000, 3, 15, static_cast<double>(d), 1);
}
BENCHMARK(bpr_kernel)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

void sgd_kernel(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  Block block(d);
  for (auto _ : state)
    benchmark::DoNotOptimize(sgd_steps(block.model, block.samples, {SgdLoss::kSquared, 1e-3f, 1e-3f, 1e-3f}));
  per_sample(state, 4000, 2, 8, static_cast<double>(d), 1);
}
BENCHMARK(sgd_kernel)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

void move_row(float* row, std::size_t d, Lanes by) {
  for (std::size_t n = 0; n < d; n += Lanes::kCount) (Lanes::load(row + n) + by).store(row + n);
}

void floor_of_three_rows(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  Block block(d);
  const Lanes by = Lanes::all(1e-9f);
  for (auto _ : state) {
    for (const auto& [u, i, j] : block.triples) {
      move_row(block.model.users.data() + u * d, d, by);
      move_row(block.model.items.data() + i * d, d, by);
      move_row(block.model.items.data() + j * d, d, by);
    }
    benchmark::ClobberMemory();
  }
  per_sample(state, 4000, 3, 0, static_cast<double>(d), 1);
}
BENCHMARK(floor_of_three_rows)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

// The floor at scale: two random rows of 100,000 x 50,000, one thread.
void floor_of_two_rows_at_scale(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  Matrix<float> users = random_rows(100000, d, 1), items = random_rows(50000, d, 2);
  std::vector<SgdSample> samples;
  Rng rng(3);
  for (int n = 0; n < 1000000; ++n) samples.push_back({rng.below32(100000), rng.below32(50000), 0});
  const Lanes by = Lanes::all(1e-9f);
  for (auto _ : state) {
    for (const SgdSample& s : samples) {
      move_row(users.data() + s.user * d, d, by);
      move_row(items.data() + s.item * d, d, by);
    }
    benchmark::ClobberMemory();
  }
  per_sample(state, 1e6, 2, 0, static_cast<double>(d), 1, 100000 * d * sizeof(float));
}
BENCHMARK(floor_of_two_rows_at_scale)->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::bench
