// Inner products of queries with all items. Floor: 2 q n d flop; one core of this kind sustains 120-150 GFLOP/s in a plain GEMM.
#include <benchmark/benchmark.h>

#include "framework/linalg/scoring.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

void scores(benchmark::State& state) {
  const auto queries = static_cast<std::size_t>(state.range(0)), items = static_cast<std::size_t>(state.range(1)), dims = static_cast<std::size_t>(state.range(2));
  const PackedRows packed(random_rows(items, dims, 1));
  const Matrix<float> q = random_rows(queries, dims, 2);
  Matrix<float> out(static_cast<Eigen::Index>(queries), static_cast<Eigen::Index>(items));
  for (auto _ : state) {
    packed.score(q, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  report_flop(state, 2.0 * static_cast<double>(queries * items * dims));
}
BENCHMARK(scores)->Args({1, 3706, 64})->Args({256, 3706, 64})->Args({256, 3706, 128})->Args({64, 100000, 64})->Unit(benchmark::kMicrosecond);

// What a general GEMM takes for the same product, without its promise about bits.
void scores_eigen(benchmark::State& state) {
  const auto queries = static_cast<std::size_t>(state.range(0)), items = static_cast<std::size_t>(state.range(1)), dims = static_cast<std::size_t>(state.range(2));
  const Matrix<float> rows = random_rows(items, dims, 1), q = random_rows(queries, dims, 2);
  Matrix<float> out(static_cast<Eigen::Index>(queries), static_cast<Eigen::Index>(items));
  for (auto _ : state) {
    out.noalias() = q * rows.transpose();
    benchmark::DoNotOptimize(out.data());
  }
  report_flop(state, 2.0 * static_cast<double>(queries * items * dims));
}
BENCHMARK(scores_eigen)->Args({1, 3706, 64})->Args({256, 3706, 64})->Args({256, 3706, 128})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
