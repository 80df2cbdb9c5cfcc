// Masking and top-k over given scores. Floor: reading the scores once, 4 q n bytes.
#include <benchmark/benchmark.h>

#include "framework/model/recommend.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

// Hands out the same scores to everybody, so that only recommend() is measured.
class FixedScores : public Recommender {
 public:
  explicit FixedScores(std::size_t items) : row_(random_rows(1, items, 3)) {}
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    for (std::size_t q = 0; q < queries.size(); ++q) out.row(static_cast<Eigen::Index>(q)) = row_.row(0);
  }
  std::size_t n_items() const override { return static_cast<std::size_t>(row_.cols()); }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

 private:
  Matrix<float> row_;
};

void top_k(benchmark::State& state) {
  const auto items = static_cast<std::size_t>(state.range(0));
  const FixedScores model(items);
  const std::vector<Query> queries(64);
  const Executor exec(1);
  for (auto _ : state) benchmark::DoNotOptimize(recommend(model, queries, {}, 10, exec));
  state.counters["queries/s"] = benchmark::Counter(64, benchmark::Counter::kIsIterationInvariantRate);
  report_stream(state, 4.0 * 64 * static_cast<double>(items));
}
BENCHMARK(top_k)->Arg(3706)->Arg(100000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
