// Gated recurrent units. Floor: 6 h (in + h) flop a row forwards, 12 h (in + h) backwards, at the rate of multiply-adds
// in registers.
#include <benchmark/benchmark.h>

#include "framework/nn/gru_stack.hpp"
#include "tests/bench/ceiling.hpp"

namespace segue::bench {
namespace {

using Rate = benchmark::Counter;

// state: width (also of the inputs), lanes, steps.
struct Bench {
  std::size_t width, lanes, steps;
  nn::ParamStore<float> store, gradients;
  nn::GruStack<float> stack;
  nn::GruSteps packed;
  Matrix<float> x, dx;
  std::vector<Matrix<float>> states;
  nn::GruPass<float> pass;

  explicit Bench(const benchmark::State& state)
      : width(static_cast<std::size_t>(state.range(0))),
        lanes(static_cast<std::size_t>(state.range(1))),
        steps(static_cast<std::size_t>(state.range(2))),
        stack(store, "gru", width, width, 1),
        x(static_cast<Eigen::Index>(lanes * steps), static_cast<Eigen::Index>(width)),
        dx(x.rows(), x.cols()) {
    stack.init(store, Rng(1));
    stack.transpose(store);
    gradients = store.zeros_like();
    for (std::size_t t = 1; t <= steps; ++t) packed.begin.push_back(t * lanes);
    nn::init_normal(View<float>(x), 1, Rng(2));
    states.assign(1, Matrix<float>::Zero(static_cast<Eigen::Index>(lanes), x.cols()));
  }
  ConstView<float> forward() { return pass.forward(stack, store, ConstView<float>(x), packed, states, 0, Rng(3)); }
  void report(benchmark::State& state, double times) const {
    const double rows = static_cast<double>(lanes * steps), h = static_cast<double>(width);
    state.counters["rows/s"] = Rate(rows, Rate::kIsIterationInvariantRate);
    report_flop(state, times * 12 * h * h * rows);
  }
};

void gru_forward(benchmark::State& state) {
  Bench bench(state);
  for (auto _ : state) benchmark::DoNotOptimize(bench.forward().data);
  bench.report(state, 1);
}

void gru_forward_backward(benchmark::State& state) {
  Bench bench(state);
  for (auto _ : state) {
    const ConstView<float> out = bench.forward();
    bench.pass.backward(bench.stack, out, bench.packed, View<float>(bench.dx));
    bench.pass.add_params(bench.stack, ConstView<float>(bench.x), bench.gradients);
    benchmark::DoNotOptimize(bench.gradients.all().data());
  }
  bench.report(state, 3);
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int width : {100, 512})
    for (const auto& [lanes, steps] : {std::pair{32, 1}, {32, 8}, {128, 8}}) b->Args({width, lanes, steps});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK(gru_forward)->Apply(sizes);
BENCHMARK(gru_forward_backward)->Apply(sizes);

}  // namespace
}  // namespace segue::bench
