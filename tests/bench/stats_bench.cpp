// Bootstrap intervals and randomisation tests of many rows at once. Floors: 2 rows units draws flop in float, and for
// few rows the random numbers, units draws of them.
#include <vector>

#include <benchmark/benchmark.h>

#include "framework/stats/interval.hpp"
#include "framework/stats/paired.hpp"
#include "tests/bench/ceiling.hpp"

namespace segue::bench {
namespace {

struct Shape {
  std::size_t rows, units, draws;
  explicit Shape(const benchmark::State& state)
      : rows(static_cast<std::size_t>(state.range(0))),
        units(static_cast<std::size_t>(state.range(1))),
        draws(static_cast<std::size_t>(state.range(2))) {}
  std::vector<double> values() const {
    std::vector<double> out(rows * units);
    Rng rng(1);
    for (double& x : out) x = rng.uniform() - 0.5;  // no row is decided by the bound alone
    return out;
  }
  void report(benchmark::State& state) const {
    bench::report_flop(state, 2.0 * static_cast<double>(rows * units * draws), 2);
    state.counters["weights/s"] =
        benchmark::Counter(static_cast<double>(units * draws), benchmark::Counter::kIsIterationInvariantRate);
  }
};

void bootstrap(benchmark::State& state) {
  const Shape shape(state);
  const std::vector<double> values = shape.values();
  const Executor exec(2);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        stats::bootstrap_means(values, shape.rows, shape.units, {.resamples = shape.draws}, Rng(1), exec));
  shape.report(state);
}
BENCHMARK(bootstrap)
    ->Args({20, 6000, 10000})
    ->Args({200, 6000, 10000})
    ->Args({10000, 6000, 2000})
    ->Args({20, 360000, 1000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void sign_flips(benchmark::State& state) {
  const Shape shape(state);
  const std::vector<double> values = shape.values();
  const Executor exec(2);
  for (auto _ : state)
    benchmark::DoNotOptimize(stats::sign_flip_tests(values, shape.rows, shape.units, shape.draws, Rng(1), exec));
  shape.report(state);
}
BENCHMARK(sign_flips)
    ->Args({20, 6000, 10000})
    ->Args({200, 6000, 10000})
    ->Args({10000, 6000, 2000})
    ->Args({20, 360000, 1000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace segue::bench
