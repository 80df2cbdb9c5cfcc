// Neighbour search and the scores of neighbourhood models. Floor of a search by scattered additions: a load and a store
// for each of sum over columns of (entries)^2 pairs, a cycle each, some 4e9 pairs/s a core; "pairs/s" is what was met.
#include <benchmark/benchmark.h>

#include "framework/cli/builtin.hpp"
#include "framework/linalg/similarity.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

// kind: 0 ones, 1 stars, 2 real numbers, which are added up in double.
Csr<ItemIdx> valued(const Csr<ItemIdx>& ones, int kind) {
  if (kind == 0) return ones;
  Rng rng(7);
  std::vector<float> values(ones.nnz());
  for (float& v : values) v = kind == 1 ? static_cast<float>(1 + rng.below(5)) : static_cast<float>(rng.normal());
  return Csr<ItemIdx>(ones.cols(), ones.offsets(), ones.all_indices(), std::move(values));
}

template <class Index>
double pairs(const Csr<Index>& rows) {
  double sum = 0;
  for (std::size_t r = 0; r < rows.rows(); ++r) sum += static_cast<double>(rows.row_size(r) * rows.row_size(r));
  return sum;
}

void search(benchmark::State& state, const Csr<ItemIdx>& by_user, bool items, Similarity similarity,
            std::size_t count) {
  const Executor exec(2);
  const SimilarityOptions options{.kind = similarity};
  for (auto _ : state) {
    if (items)
      benchmark::DoNotOptimize(
          RowSimilarity<UserIdx>(by_user.transposed<UserIdx>(), options).nearest(count, exec).rows.data());
    else
      benchmark::DoNotOptimize(RowSimilarity<ItemIdx>(by_user, options).nearest(count, exec).rows.data());
  }
  const double all = items ? pairs(by_user) : pairs(by_user.transposed<UserIdx>());
  state.counters["pairs/s"] = benchmark::Counter(all, benchmark::Counter::kIsIterationInvariantRate);
  report(state, "GB/s", 8 * all, count_gbs(2));  // a pair adds to one sum: as many bytes read and written as a count
}

const Csr<ItemIdx>& ml_1m_like() {
  static const Interactions train = zipf_interactions();
  return train.by_user();
}

void nearest_rows(benchmark::State& state, bool items, Similarity similarity, int kind) {
  search(state, valued(ml_1m_like(), kind), items, similarity, 100);
}
#define SEGUE_NEAREST(name, ...)                     \
  BENCHMARK_CAPTURE(nearest_rows, name, __VA_ARGS__) \
      ->Unit(benchmark::kMillisecond)                \
      ->UseRealTime()                                \
      ->MeasureProcessCPUTime()
SEGUE_NEAREST(items_cosine_ones, true, Similarity::kCosine, 0);
SEGUE_NEAREST(items_cosine_stars, true, Similarity::kCosine, 1);
SEGUE_NEAREST(items_cosine_real, true, Similarity::kCosine, 2);
SEGUE_NEAREST(items_jaccard, true, Similarity::kJaccard, 0);
SEGUE_NEAREST(items_pearson_stars, true, Similarity::kPearson, 1);
SEGUE_NEAREST(items_common_real, true, Similarity::kCommonCosine, 2);
SEGUE_NEAREST(users_cosine_ones, false, Similarity::kCosine, 0);
SEGUE_NEAREST(users_pearson_stars, false, Similarity::kPearson, 1);

// 100,000 users x 50,000 items, some 9 million entries.
void nearest_items_large(benchmark::State& state) {
  static const Interactions train = zipf_interactions(100000, 50000, 97);
  search(state, train.by_user(), true, Similarity::kCosine, 100);
}
BENCHMARK(nearest_items_large)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime()->Iterations(1);

// Scores of everybody for everything from shuffled histories, on one thread, without ranking.
void scores_of_everybody(benchmark::State& state, const char* algorithm, const char* params) {
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  static const Interactions train = zipf_interactions();
  const Histories histories;
  const Facets facets;
  const Executor exec(2);
  Progress silent;
  const auto model = registry.make(algorithm, Value::from_json(params));
  FitContext ctx{exec, Rng(1), silent};
  model->fit({train, histories, facets}, ctx);

  std::vector<std::vector<ItemIdx>> seen(train.n_users());
  std::vector<Query> queries(train.n_users());
  for (std::size_t u = 0; u < queries.size(); ++u) {
    seen[u].assign(train.items(user_at(u)).begin(), train.items(user_at(u)).end());
    Rng(3).stream("order", u).shuffle(std::span(seen[u]));
    queries[u] = {.user = user_at(u), .history = seen[u]};
  }
  constexpr std::size_t kBlock = 256;
  Matrix<float> out(kBlock, static_cast<Eigen::Index>(train.n_items()));
  for (auto _ : state) {
    for (std::size_t q = 0; q < queries.size(); q += kBlock) {
      const std::size_t count = std::min(kBlock, queries.size() - q);
      model->score(std::span(queries).subspan(q, count), MatRef<float>(out.topRows(static_cast<Eigen::Index>(count))));
    }
  }
  state.counters["users/s"] =
      benchmark::Counter(static_cast<double>(queries.size()), benchmark::Counter::kIsIterationInvariantRate);
}
#define SEGUE_SCORES(label, ...) \
  BENCHMARK_CAPTURE(scores_of_everybody, label, __VA_ARGS__)->Unit(benchmark::kMillisecond)
SEGUE_SCORES(item_knn_100, "item_knn", R"({"neighbours": 100})");
SEGUE_SCORES(user_knn_100, "user_knn", R"({"neighbours": 100})");
SEGUE_SCORES(rp3beta_300, "rp3beta", "{}");

}  // namespace
}  // namespace segue::bench
