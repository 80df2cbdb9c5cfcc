// Twenty metrics of the lists of 6,040 queries, what a leaderboard computes for one trial of MovieLens 1M. Fourteen
// views of it must stay well under 2 s.
#include <benchmark/benchmark.h>

#include "framework/base/rng.hpp"
#include "framework/eval/metrics.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kQueries = 6040, kListLength = 100;
constexpr std::uint32_t kItems = 3706, kTruth = 33, kHistory = 130;

struct Trial {
  std::vector<std::uint32_t> items, truth, rank, history, tags, artists;
  std::vector<std::uint64_t> truth_offsets{0}, history_offsets{0}, tag_offsets{0}, counts;
  std::vector<std::uint32_t> above, tied, candidates;
  std::vector<float> weights, vectors;
  ItemFacts facts;

  Trial() {
    Rng rng(1);
    for (std::size_t q = 0; q < kQueries; ++q) {
      const auto list = rng.sample_without_replacement(kItems, kListLength);
      for (std::uint64_t item : list) items.push_back(static_cast<std::uint32_t>(item));
      const auto ranks = rng.sample_without_replacement(kItems, kTruth);
      for (std::uint64_t r : ranks) {
        rank.push_back(static_cast<std::uint32_t>(r) + 1);
        truth.push_back(r < kListLength ? items[q * kListLength + r] : static_cast<std::uint32_t>(r));
        above.push_back(static_cast<std::uint32_t>(r));
        tied.push_back(0);
      }
      truth_offsets.push_back(truth.size());
      candidates.push_back(kItems);
      for (std::uint64_t item : rng.sample_without_replacement(kItems, kHistory))
        history.push_back(static_cast<std::uint32_t>(item));
      history_offsets.push_back(history.size());
    }
    for (std::uint32_t i = 0; i < kItems; ++i) {
      counts.push_back(rng.below(1000));
      artists.push_back(static_cast<std::uint32_t>(rng.below(900)));
      for (std::uint32_t tag = 0; tag < 18; ++tag)
        if (rng.below(6) == 0) tags.push_back(tag), weights.push_back(1);
      tag_offsets.push_back(tags.size());
      for (int d = 0; d < 64; ++d) vectors.push_back(static_cast<float>(rng.below(100)) - 50);
    }
    facts = {.items = kItems,
             .train_counts = counts,
             .train_users = kQueries,
             .tag_offsets = tag_offsets,
             .tags = tags,
             .tag_weights = weights,
             .tag_count = 18,
             .artists = artists,
             .vectors = vectors,
             .vector_dim = 64};
  }

  RankingOutcome outcome() const {
    return {.queries = kQueries,
            .k = kListLength,
            .items = items,
            .truth_offsets = truth_offsets,
            .truth_items = truth,
            .truth_rank = rank,
            .truth_above = above,
            .truth_tied = tied,
            .candidates = candidates,
            .catalogue = kItems,
            .item_facts = &facts,
            .query_facts = {history_offsets, history}};
  }
};

void twenty_metrics(benchmark::State& state, const char* slice) {
  static const Trial trial;
  std::vector<MetricSpec> metrics;
  for (const char* name : {"ndcg@10",       "ndcg@100",    "recall@10",      "recall@20",      "recall@50",
                           "precision@10",  "map@10",      "mrr@10",         "hr@10",          "auc",
                           "coverage@10",   "gini@10",     "entropy@10",     "novelty@10",     "popularity@10",
                           "tail_share@10", "ild_tags@10", "ild_vectors@10", "calibration@10", "serendipity@10"}) {
    const MetricSpec metric = parse_metric(name);
    if (*slice == 0 || metric.card->reads_truth) metrics.push_back(parse_metric(std::string(name) + slice));
  }
  for (auto _ : state) benchmark::DoNotOptimize(compute(metrics, trial.outcome()));
}
BENCHMARK_CAPTURE(twenty_metrics, whole, "")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(twenty_metrics, cold, ":cold")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::bench
