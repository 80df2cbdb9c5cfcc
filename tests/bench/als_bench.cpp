// Alternating least squares: its kernels on one core beside the rate of bare multiply-adds of the same run, and whole
// fits through the registry, as a suite runs them. Floor of an exact epoch: (2 nnz d^2 + (U + I) d^3 / 3) flop; of one
// with CG(3): (32 nnz d + 8 (U + I) d^2).
#include <benchmark/benchmark.h>

#include "algorithms/bayesian_mf/bayesian_mf_math.hpp"
#include "framework/cli/builtin.hpp"
#include "framework/linalg/gathered.hpp"
#include "framework/linalg/gram.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

// A row of 165 events, the mean of MovieLens 1M, somewhere among 4000 columns.
struct Row {
  explicit Row(std::size_t d)
      : columns(random_rows(4000, d, 1)), base(gram(columns, Executor(1))), which(165), ones(165, 1.0f) {
    Rng rng(3);
    for (std::uint32_t& w : which) w = static_cast<std::uint32_t>(rng.below(4000));
  }
  Matrix<float> columns, base;
  std::vector<std::uint32_t> which;
  std::vector<float> ones;
};

void build_system(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const Row row(d);
  RidgeSystem system(d);
  system.begin(row.base, 1);
  for (auto _ : state) system.add(row.columns, row.which, row.ones, row.ones);
  report_flop(state, 165.0 * static_cast<double>(d * d));
}
BENCHMARK(build_system)->Arg(64)->Arg(128)->Arg(192)->Arg(256);

void solve_system(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const Row row(d);
  RidgeSystem system(d);
  std::vector<float> x(d);
  for (auto _ : state) {
    system.begin(row.base, 1);
    system.add_target(row_span(row.columns, 0));
    benchmark::DoNotOptimize(system.solve(x));
  }
  report_flop(state, static_cast<double>(d * d * d) / 3);
}
BENCHMARK(solve_system)->Arg(64)->Arg(128)->Arg(192)->Arg(256);

void conjugate_gradient_product(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const Row row(d);
  std::vector<float> x(d, 0.1f), out(d, 0.0f), dense(d);
  for (auto _ : state) {
    add_gathered_residual(row.columns, row.which, row.ones, {}, x, out, Cache::kWarm);
    symmetric_product(row.base, x, dense);
    benchmark::DoNotOptimize(out.data());
    benchmark::DoNotOptimize(dense.data());
  }
  report_gather(state, static_cast<double>(4 * (165 * d + d * d)), 1, 4 * (165 * d + d * d));
}
BENCHMARK(conjugate_gradient_product)->Arg(64)->Arg(128)->Arg(192)->Arg(256);

// Half a Gibbs sweep of bayesian_mf over 512 such rows: systems, solves, and for each row D normal draws and the errors
// of its new place. Floor: D^2 an event and D^3 / 3 a row.
void gibbs_rows(benchmark::State& state) {
  constexpr std::size_t kRows = 512, kEvents = 165;
  const auto d = static_cast<std::size_t>(state.range(0));
  const Matrix<float> columns = random_rows(4000, d, 1);
  RatedRows ratings{{0}, {}, std::vector<float>(kRows * kEvents, 0.5f), 4000};
  Rng rng(3);
  for (std::size_t n = 0; n < kRows * kEvents; ++n)
    ratings.columns.push_back(static_cast<std::uint32_t>(rng.below(4000)));
  for (std::size_t r = 1; r <= kRows; ++r) ratings.offsets.push_back(r * kEvents);
  BayesSide side;
  side.name = "user";
  side.rows = side.expected = Matrix<float>::Zero(kRows, static_cast<Eigen::Index>(d));
  const auto dims = static_cast<Eigen::Index>(d);
  side.prior = {Eigen::VectorXd::Zero(dims), 10 * Eigen::MatrixXd::Identity(dims, dims)};
  const Executor exec(1);
  std::uint64_t sweep = 0;
  for (auto _ : state) benchmark::DoNotOptimize(draw_rows(side, ratings, columns, 2, rng, ++sweep, exec));
  const double size = static_cast<double>(d);
  report_flop(state, kRows * (kEvents * size * size + size * size * size / 3));
}
BENCHMARK(gibbs_rows)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);

void fit(benchmark::State& state, const std::string& algorithm, const std::string& params, int epochs) {
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  static const Interactions train = zipf_interactions();
  const Histories histories;
  const Facets facets;
  const Executor exec(2);
  const Value value = Value::from_json(params);
  Progress silent;
  for (auto _ : state) {
    const auto model = registry.make(algorithm, value);
    FitContext ctx{exec, Rng(1), silent};
    model->fit({train, histories, facets}, ctx);
  }
  const DataShape shape{static_cast<double>(train.n_users()), static_cast<double>(train.n_items()),
                        static_cast<double>(train.size())};
  report_flop(state, entry.fit_flop(value, shape), 2);
  state.counters["s/epoch"] =
      benchmark::Counter(epochs, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
#define SEGUE_FIT(label, ...) BENCHMARK_CAPTURE(fit, label, __VA_ARGS__)->Unit(benchmark::kMillisecond)->UseRealTime()
SEGUE_FIT(implicit_als_64, "implicit_als", R"({"factors": 64, "epochs": 3})", 3);
SEGUE_FIT(implicit_als_128, "implicit_als", R"({"factors": 128, "epochs": 3})", 3);
SEGUE_FIT(implicit_als_cg_64, "implicit_als", R"({"factors": 64, "epochs": 3, "solver": "cg"})", 3);
SEGUE_FIT(implicit_als_cg_128, "implicit_als", R"({"factors": 128, "epochs": 3, "solver": "cg"})", 3);
SEGUE_FIT(implicit_als_block_128, "implicit_als",
          R"({"factors": 128, "epochs": 3, "solver": "block", "block_size": 32})", 3);
SEGUE_FIT(bayesian_mf_31, "bayesian_mf", R"({"epochs": 3, "implicit": "none"})", 3);
SEGUE_FIT(bayesian_mf_both_31, "bayesian_mf", R"({"epochs": 3})", 3);
SEGUE_FIT(bayesian_mf_both_63, "bayesian_mf", R"({"factors": 63, "epochs": 3})", 3);
SEGUE_FIT(svdpp_31, "svdpp", R"({"epochs": 3})", 3);
SEGUE_FIT(item_knn_50, "item_knn", R"({"neighbours": 50})", 1);
SEGUE_FIT(user_knn_50, "user_knn", R"({"neighbours": 50})", 1);
SEGUE_FIT(ease, "ease", "{}", 1);
SEGUE_FIT(pure_svd_64, "pure_svd", R"({"factors": 64})", 6);
SEGUE_FIT(rp3beta_300, "rp3beta", R"({"neighbours": 300})", 1);
SEGUE_FIT(slim, "slim", "{}", 1);

}  // namespace
}  // namespace segue::bench
