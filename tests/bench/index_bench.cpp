// One search of a graph through framework/index beside a direct call of hnswlib: the same rows, parameters and queries,
// in turn, in one run. The floor is the direct call.
#include <algorithm>
#include <memory>

#include <benchmark/benchmark.h>
#include <hnswlib/hnswlib.h>

#include "framework/base/clock.hpp"
#include "framework/base/percentile.hpp"
#include "framework/index/vector_index.hpp"
#include "tests/support/clustered.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kQueries = 500, kMany = 10;

struct Graphs {
  Matrix<float> queries;
  std::unique_ptr<VectorIndex> ours;
  hnswlib::L2Space space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> direct;

  Graphs(std::size_t rows, std::size_t dims) : queries(test::clustered_rows(rows, kQueries, {dims, 500})), space(dims) {
    const Matrix<float> vectors = test::clustered_rows(0, rows, {dims, 500});
    const IndexSettings settings{.kind = IndexKind::kHnsw, .distance = Distance::kL2};
    ours = build_index(vectors, settings, Executor(1));
    direct = std::make_unique<hnswlib::HierarchicalNSW<float>>(&space, rows, settings.links, settings.build_width,
                                                               settings.seed);
    for (std::size_t r = 0; r < rows; ++r) direct->addPoint(row_span(vectors, r).data(), r);
  }
};

// rows, dims, search width. The time is ours; counters: medians in microseconds and their ratio.
void hnsw_search(benchmark::State& state) {
  static std::unique_ptr<Graphs> graphs;  // what the last benchmark built, as building takes far longer than searching
  static std::pair<std::int64_t, std::int64_t> shape;
  if (const std::pair wanted(state.range(0), state.range(1)); graphs == nullptr || shape != wanted) {
    graphs = std::make_unique<Graphs>(static_cast<std::size_t>(wanted.first), static_cast<std::size_t>(wanted.second));
    shape = wanted;
  }
  graphs->ours->set_effort({.search_width = static_cast<std::uint32_t>(state.range(2))});
  graphs->direct->setEf(static_cast<std::size_t>(state.range(2)));
  std::vector<double> ours, direct;
  std::vector<Neighbour> found(kMany);
  std::size_t at = 0;
  for (auto _ : state) {
    const std::span<const float> query = row_span(graphs->queries, at % kQueries);
    const auto search_ours = [&] {
      const Stopwatch watch;
      graphs->ours->search(query, found);
      ours.push_back(watch.seconds() * 1e6);
    };
    const auto search_direct = [&] {
      const Stopwatch watch;
      benchmark::DoNotOptimize(graphs->direct->searchKnnCloserFirst(query.data(), kMany));
      direct.push_back(watch.seconds() * 1e6);
    };
    // Whoever comes second finds the query's rows in cache: each does in every other round.
    if (at / kQueries % 2 == 0) {
      search_ours(), search_direct();
    } else {
      search_direct(), search_ours();
    }
    state.SetIterationTime(ours.back() / 1e6);
    ++at;
  }
  state.counters["ours_us"] = percentile(ours, 50);
  state.counters["direct_us"] = percentile(direct, 50);
  state.counters["ratio"] = percentile(ours, 50) / percentile(direct, 50);
}
BENCHMARK(hnsw_search)
    ->Args({20000, 64, 64})
    ->Args({20000, 512, 40})
    ->Args({20000, 512, 200})
    ->Unit(benchmark::kMicrosecond)
    ->Iterations(4 * kQueries)
    ->UseManualTime();

// All rows compared: 2 rows dims flop a query, bound by memory for one query and by arithmetic for many.
void exact_search(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0)), dims = static_cast<std::size_t>(state.range(1)),
             count = static_cast<std::size_t>(state.range(2));
  const auto index = build_index(test::clustered_rows(0, rows, {dims, 500}), {}, Executor(1));
  const Matrix<float> queries = test::clustered_rows(rows, count, {dims, 500});
  std::vector<Neighbour> found(count * kMany);
  const Executor exec(1);
  for (auto _ : state) index->search(queries, kMany, found, exec);
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(rows * dims * count),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(exact_search)
    ->Args({20000, 64, 1})
    ->Args({20000, 64, 64})
    ->Args({20000, 512, 1})
    ->Args({20000, 512, 64})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::bench
