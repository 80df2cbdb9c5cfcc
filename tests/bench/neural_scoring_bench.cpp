// Top-10 of the whole catalogue for everybody, by the neural models: what a full-ranking evaluation takes. Two threads
// unless the name says otherwise; weights are nearly those of the first step, which changes no operation.
#include <algorithm>

#include <benchmark/benchmark.h>

#include "framework/cli/builtin.hpp"
#include "framework/model/recommend.hpp"
#include "tests/bench/ceiling.hpp"

namespace segue::bench {
namespace {

// Users with `length` events each on `items` items, as rows and as histories.
struct World {
  Interactions train;
  Histories histories;
  std::vector<Query> queries;
  World(std::size_t users, std::size_t items, std::size_t length) {
    Rng rng(5);
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> rows, events;
    for (std::size_t u = 0; u < users; ++u) {
      std::vector<ItemIdx> mine;
      for (const std::uint64_t i : rng.sample_without_replacement(items, length)) mine.push_back(item_at(i));
      events.insert(events.end(), mine.begin(), mine.end());
      std::sort(mine.begin(), mine.end());
      rows.insert(rows.end(), mine.begin(), mine.end());
      offsets.push_back(rows.size());
    }
    const std::size_t n = events.size();
    std::vector<std::int64_t> times(n);
    for (std::size_t i = 0; i < n; ++i) times[i] = static_cast<std::int64_t>(i % length);
    train = Interactions(Csr<ItemIdx>(items, std::vector(offsets), std::move(rows), {}));
    histories = Histories(std::move(offsets), std::move(events), std::move(times), std::vector<float>(n, 1.0f),
                          std::vector<EventKind>(n, EventKind::kPlay), std::vector<std::uint32_t>(n, 0));
    for (std::size_t u = 0; u < users; ++u)
      queries.push_back({.user = user_at(u), .history = histories[u].items, .times = histories[u].times});
  }
};

void top10(benchmark::State& state, const std::string& algorithm, const std::string& params, std::size_t items,
           std::size_t length) {
  const World world(512, items, length);
  const Executor exec(static_cast<int>(state.range(0)));
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  const auto model = registry.make(algorithm, Value::from_json(params));
  const Facets facets;
  Progress progress;
  FitContext ctx{exec, Rng(1), progress};
  model->fit({world.train, world.histories, facets}, ctx);
  for (auto _ : state) benchmark::DoNotOptimize(recommend(*model, world.queries, {}, 10, exec));
  state.counters["users/s"] =
      benchmark::Counter(static_cast<double>(world.queries.size()), benchmark::Counter::kIsIterationInvariantRate);
}

#define SEGUE_TOP10(name, algorithm, params, items, length)        \
  BENCHMARK_CAPTURE(top10, name, algorithm, params, items, length) \
      ->Arg(1)                                                     \
      ->Arg(2)                                                     \
      ->Unit(benchmark::kMillisecond)                              \
      ->UseRealTime()
SEGUE_TOP10(gmf_8, "ncf", R"({"model": "gmf", "factors": 8, "epochs": 1})", 3706, 4);
SEGUE_TOP10(gmf_64, "ncf", R"({"model": "gmf", "factors": 64, "epochs": 1})", 3706, 4);
SEGUE_TOP10(mlp_8, "ncf", R"({"model": "mlp", "factors": 8, "epochs": 1})", 3706, 4);
SEGUE_TOP10(mlp_64, "ncf", R"({"model": "mlp", "factors": 64, "epochs": 1})", 3706, 4);
SEGUE_TOP10(neumf_8, "ncf", R"({"model": "neumf", "factors": 8, "epochs": 1})", 3706, 4);
SEGUE_TOP10(neumf_64, "ncf", R"({"model": "neumf", "factors": 64, "epochs": 1})", 3706, 4);
SEGUE_TOP10(two_tower_64, "two_tower", R"({"factors": 64, "epochs": 1})", 3706, 4);
SEGUE_TOP10(sasrec_50_of_200, "sasrec", R"({"factors": 50, "layers": 2, "max_length": 200, "epochs": 1})", 3416, 200);
SEGUE_TOP10(gru4rec_100_of_7, "gru4rec", R"({"factors": 100, "negatives": 256, "epochs": 1})", 60416, 7);

}  // namespace
}  // namespace segue::bench
