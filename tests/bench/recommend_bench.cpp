// From scores to lists. Floors: reading given scores once, 4 q n bytes; of an embedding model 2 q n d flop.
#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include "framework/linalg/scoring.hpp"
#include "framework/model/recommend.hpp"
#include "tests/bench/ceiling.hpp"
#include "tests/bench/data.hpp"

namespace segue::bench {
namespace {

using Rate = benchmark::Counter;

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
  const auto items = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1));
  const FixedScores model(items);
  const std::vector<Query> queries(64);
  const Executor exec(1);
  for (auto _ : state) benchmark::DoNotOptimize(recommend(model, queries, {}, k, exec));
  state.counters["queries/s"] = Rate(64, Rate::kIsIterationInvariantRate);
  report_stream(state, 4.0 * 64 * static_cast<double>(items));
}
BENCHMARK(top_k)->Args({3706, 10})->Args({3706, 100})->Args({100000, 10})->Unit(benchmark::kMicrosecond);

// Random item vectors; a user's is the sum of what the history has, so that what is excluded would come first, as it
// does with fitted factors.
class Factors : public Recommender, public EmbeddingSpace {
 public:
  Factors(const Interactions& train, std::size_t dims, bool streamed)
      : items_(random_rows(train.n_items(), dims, 1)),
        users_(random_rows(train.n_users(), dims, 2)),
        packed_(items_),
        streamed_(streamed) {
    for (std::size_t u = 0; u < train.n_users(); ++u)
      for (ItemIdx i : train.items(user_at(u)))
        users_.row(static_cast<Eigen::Index>(u)) += 0.1f * items_.row(static_cast<Eigen::Index>(raw(i)));
  }
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    Matrix<float> vectors(static_cast<Eigen::Index>(queries.size()), items_.cols());
    for (std::size_t q = 0; q < queries.size(); ++q) query_vector(queries[q], row_span(vectors, q));
    packed_.score(vectors, {}, out);
  }
  std::size_t n_items() const override { return packed_.rows(); }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  const PackedRows* packed_items() const override { return streamed_ ? &packed_ : nullptr; }
  void query_vector(const Query& query, std::span<float> out) const override {
    std::ranges::copy(row_span(users_, raw(query.user)), out.begin());
  }

 private:
  Matrix<float> items_, users_;
  PackedRows packed_;
  bool streamed_;
};

enum class Set { kMovieLens1M, kLarge };

// Everybody's training items, excluded from the lists; half as many held-out ones, whose ranks may be asked for.
struct World {
  explicit World(Set set)
      : train(set == Set::kMovieLens1M ? zipf_interactions() : zipf_interactions(100000, 50000, 93)),
        queries(train.n_users()) {
    for (std::size_t u = 0; u < queries.size(); ++u) {
      queries[u].user = user_at(u);
      Rng rng = Rng(4).stream("truth", u);
      for (std::size_t t = 0; t < 16; ++t) truth.push_back(item_at(rng.below(train.n_items())));
      truth_ends.push_back(truth.size());
    }
    policy.excluded = {train.by_user().offsets().span(), train.by_user().all_indices().span()};
  }
  static const World& of(Set set) {
    static const World small(Set::kMovieLens1M);
    if (set == Set::kMovieLens1M) return small;
    static const World large(Set::kLarge);
    return large;
  }
  Interactions train;
  std::vector<Query> queries;
  std::vector<ItemIdx> truth;
  std::vector<std::uint64_t> truth_ends{0};
  CandidatePolicy policy;
};

// Two threads, d = 64.
void everybody(benchmark::State& state, Set set, bool streamed, std::size_t k, bool with_truth) {
  const World& world = World::of(set);
  const Factors model(world.train, 64, streamed);
  const Executor exec(2);
  TruthRanks ranks;
  for (auto _ : state) {
    if (with_truth) {
      benchmark::DoNotOptimize(
          recommend(model, world.queries, world.policy, k, exec, {world.truth_ends, world.truth}, ranks));
    } else {
      benchmark::DoNotOptimize(recommend(model, world.queries, world.policy, k, exec));
    }
  }
  const auto users = static_cast<double>(world.queries.size());
  state.counters["users/s"] = Rate(users, Rate::kIsIterationInvariantRate);
  report_flop(state, 2.0 * users * static_cast<double>(world.train.n_items()) * 64, 2);
}
#define SEGUE_EVERYBODY(label, ...)                \
  BENCHMARK_CAPTURE(everybody, label, __VA_ARGS__) \
      ->Unit(benchmark::kMillisecond)              \
      ->MeasureProcessCPUTime()                    \
      ->UseRealTime()
SEGUE_EVERYBODY(ml_1m_top_10, Set::kMovieLens1M, true, 10, false);
SEGUE_EVERYBODY(ml_1m_top_100, Set::kMovieLens1M, true, 100, false);
SEGUE_EVERYBODY(ml_1m_top_100_with_ranks_of_16, Set::kMovieLens1M, true, 100, true);
SEGUE_EVERYBODY(ml_1m_top_10_through_score, Set::kMovieLens1M, false, 10, false);
SEGUE_EVERYBODY(ml_1m_top_100_with_ranks_of_16_through_score, Set::kMovieLens1M, false, 100, true);
SEGUE_EVERYBODY(large_top_10, Set::kLarge, true, 10, false);
SEGUE_EVERYBODY(large_top_10_through_score, Set::kLarge, false, 10, false);

// One user after the other, alone: what a service answers.
void one_user(benchmark::State& state, Set set) {
  const World& world = World::of(set);
  const Factors model(world.train, 64, true);
  const Executor exec(1);
  std::vector<double> microseconds;
  std::size_t u = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const std::span<const ItemIdx> seen = world.train.items(user_at(u));
    const std::uint64_t ends[] = {0, seen.size()};
    CandidatePolicy policy;
    policy.excluded = {ends, seen};
    benchmark::DoNotOptimize(recommend(model, {&world.queries[u], 1}, policy, 10, exec));
    const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
    microseconds.push_back(taken.count());
    u = (u + 1) % world.queries.size();
  }
  std::ranges::sort(microseconds);
  state.counters["p50_us"] = Rate(microseconds[microseconds.size() / 2]);
  state.counters["p99_us"] = Rate(microseconds[microseconds.size() * 99 / 100]);
  report_flop(state, 2.0 * static_cast<double>(world.train.n_items()) * 64);
}
BENCHMARK_CAPTURE(one_user, ml_1m, Set::kMovieLens1M)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(one_user, large, Set::kLarge)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue::bench
