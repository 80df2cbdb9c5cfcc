// Whole fits through the registry, as a suite runs them. Floor of an ALS epoch: (2 nnz d^2 + (U + I) d^3 / 3) flop.
#include <benchmark/benchmark.h>

#include "framework/cli/builtin.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

void fit(benchmark::State& state, const std::string& algorithm, const std::string& params, int epochs) {
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  static const Interactions train = zipf_interactions();
  const Histories histories;
  const Facets facets;
  const Executor exec(2);
  const Registry::Entry& entry = registry.find(algorithm);
  const Value value = Value::from_json(params);
  Progress silent;
  for (auto _ : state) {
    const auto model = entry.make(value);
    FitContext ctx{exec, Rng(1), silent};
    model->fit({train, histories, facets}, ctx);
  }
  const DataShape shape{static_cast<double>(train.n_users()), static_cast<double>(train.n_items()), static_cast<double>(train.size())};
  state.counters["flop/s"] = benchmark::Counter(entry.fit_flop(value, shape), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["s/epoch"] = benchmark::Counter(epochs, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(fit, implicit_als_64, "implicit_als", R"({"factors": 64, "epochs": 3})", 3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, implicit_als_128, "implicit_als", R"({"factors": 128, "epochs": 3})", 3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, ease, "ease", "{}", 1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, pure_svd_64, "pure_svd", R"({"factors": 64})", 6)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, rp3beta_300, "rp3beta", R"({"neighbours": 300})", 1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, slim, "slim", "{}", 1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, item_knn_50, "item_knn", R"({"neighbours": 50})", 1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, user_knn_50, "user_knn", R"({"neighbours": 50})", 1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace segue::bench
