// Closed forms and their parts. Floor of an inverse: n^3 flop at the rate of a double-precision matrix product.
#include <benchmark/benchmark.h>

#include "framework/base/errors.hpp"
#include "framework/linalg/history_product.hpp"
#include "framework/linalg/sparse_gram.hpp"
#include "framework/linalg/spd_inverse.hpp"
#include "framework/linalg/truncated_svd.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

using Rate = benchmark::Counter;

const Interactions& ml_1m_like() {
  static const Interactions train = zipf_interactions();
  return train;
}

Matrix<double> ridge_gram(const Executor& exec) {
  const Csr<ItemIdx>& x = ml_1m_like().by_user();
  const std::size_t n = x.cols();
  Matrix<double> a(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
  sparse_gram(x, exec, [&](std::size_t i, std::span<const double> row) {
    std::copy(row.begin() + static_cast<std::ptrdiff_t>(i), row.end(), a.data() + i * n + i);
    a.data()[i * n + i] += 500;
  });
  return a;
}

void sparse_gram_ml_1m(benchmark::State& state) {
  const Executor exec(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ridge_gram(exec).data());
  double additions = 0;  // each event meets the events of its row from itself on
  const Csr<ItemIdx>& x = ml_1m_like().by_user();
  for (std::size_t u = 0; u < x.rows(); ++u)
    additions += 0.5 * static_cast<double>(x.row_size(u) * (x.row_size(u) + 1));
  state.counters["additions/s"] = Rate(additions, Rate::kIsIterationInvariantRate);
}
BENCHMARK(sparse_gram_ml_1m)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void invert_3706(benchmark::State& state) {
  const Executor exec(static_cast<int>(state.range(0)));
  const Matrix<double> a = ridge_gram(exec);
  for (auto _ : state) {
    state.PauseTiming();
    Matrix<double> copy = a;
    state.ResumeTiming();
    SEGUE_CHECK(invert_spd(copy, exec), "the benchmark's matrix is singular");
  }
  const double n = static_cast<double>(a.rows());
  state.counters["flop/s"] = Rate(n * n * n, Rate::kIsIterationInvariantRate);
}
BENCHMARK(invert_3706)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void truncated_svd_64(benchmark::State& state) {
  const Executor exec(2);
  for (auto _ : state)
    benchmark::DoNotOptimize(truncated_svd(ml_1m_like().by_user(), 64, 10, 6, Rng(1), exec).values.data());
}
BENCHMARK(truncated_svd_64)->Unit(benchmark::kMillisecond)->UseRealTime();

// Scores of a block of users from a dense B; bytes of B read.
void history_product_3706(benchmark::State& state) {
  const Csr<ItemIdx>& x = ml_1m_like().by_user();
  const PackedSquare b(random_rows(x.cols(), x.cols(), 3));
  std::vector<WeightedItems> rows(256);
  double bytes = 0;
  for (std::size_t q = 0; q < rows.size(); ++q) {
    const auto items = x.indices(q);
    rows[q] = {{items.begin(), items.end()}, std::vector<float>(items.size(), 1.0f)};
    bytes += 4.0 * static_cast<double>(items.size() * x.cols());
  }
  Matrix<float> out(256, static_cast<Eigen::Index>(x.cols()));
  for (auto _ : state) b.multiply(rows, out);
  state.counters["users/s"] = Rate(256, Rate::kIsIterationInvariantRate);
  state.counters["B/s"] = Rate(bytes, Rate::kIsIterationInvariantRate);
}
BENCHMARK(history_product_3706)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace segue::bench
