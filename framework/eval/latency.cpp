#include "framework/eval/latency.hpp"

#include <algorithm>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/eval/summary.hpp"
#include "framework/model/stages.hpp"

namespace segue {

QueryBatch::QueryBatch(std::span<const Query> queries, const CandidatePolicy& policy, std::size_t begin,
                       std::size_t count)
    : policy_(policy) {
  const auto cut = [&](const ItemLists& all, Lists& part) -> ItemLists {
    if (all.empty()) return {};
    SEGUE_CHECK(all.size() == queries.size(), "{} lists for {} queries", all.size(), queries.size());
    part.offsets.push_back(0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const ItemIdx> row = all[(begin + i) % queries.size()];
      part.items.insert(part.items.end(), row.begin(), row.end());
      part.offsets.push_back(part.items.size());
    }
    return {part.offsets, part.items};
  };
  for (std::size_t i = 0; i < count; ++i) queries_.push_back(queries[(begin + i) % queries.size()]);
  if (!policy.user_keys.empty()) {
    SEGUE_CHECK(policy.user_keys.size() == queries.size(), "{} user keys for {} queries", policy.user_keys.size(),
                queries.size());
    for (std::size_t i = 0; i < count; ++i) user_keys_.push_back(policy.user_keys[(begin + i) % queries.size()]);
  }
  policy_.candidates = cut(policy.candidates, candidates_);
  policy_.excluded = cut(policy.excluded, excluded_);
  policy_.user_keys = user_keys_;
}

std::vector<LatencySamples> measure_latency(const Recommender& model, std::span<const Query> queries,
                                            const CandidatePolicy& policy, const LatencyOptions& options,
                                            const Executor& exec) {
  return measure_latency(
      [&](std::span<const Query> batch, const CandidatePolicy& among, std::size_t k) {
        return recommend(model, batch, among, k, exec);
      },
      queries, policy, options, exec);
}

std::vector<LatencySamples> measure_latency(const RecommendBatch& recommend_batch, std::span<const Query> queries,
                                            const CandidatePolicy& policy, const LatencyOptions& options,
                                            const Executor& exec) {
  if (queries.empty()) throw UsageError("latency cannot be measured without a query");
  if (options.k == 0 || options.samples == 0 || std::ranges::count(options.batch, std::size_t{0}) > 0)
    throw UsageError("latency: batch, k and samples must be at least 1");

  std::vector<LatencySamples> measured;
  for (const std::size_t size : options.batch) {
    LatencySamples out{.batch = size, .microseconds_per_query = {}, .threads = exec.threads()};
    const Stopwatch spent;
    std::size_t next = 0;
    const auto call = [&] {
      const QueryBatch batch(queries, policy, next, size);
      next = (next + size) % queries.size();
      const Stopwatch watch;
      (void)recommend_batch(batch.queries(), batch.policy(), options.k);
      return watch.seconds();
    };
    for (std::size_t i = 0; i < options.warmup; ++i) {
      if (i > 0 && spent.seconds() >= options.budget_seconds / 4) break;
      call();
    }
    while (out.microseconds_per_query.size() < options.samples) {
      if (!out.microseconds_per_query.empty() && spent.seconds() >= options.budget_seconds) break;
      out.microseconds_per_query.push_back(call() * 1e6 / static_cast<double>(size));
    }
    measured.push_back(std::move(out));
  }
  return measured;
}

std::vector<StageSamples> measure_stages(const Recommender& model, std::span<const Query> queries,
                                         const LatencyOptions& options) {
  const auto* staged = dynamic_cast<const StagedScores*>(&model);
  if (staged == nullptr || queries.empty()) return {};
  std::vector<StageSamples> out;
  std::vector<float> scores(model.n_items());
  const Stopwatch spent;
  std::size_t counted = 0;
  for (std::size_t i = 0; counted < options.samples; ++i) {
    const bool warm = i < options.warmup && spent.seconds() < options.budget_seconds / 8;
    if (counted > 0 && spent.seconds() >= options.budget_seconds / 2) break;
    std::size_t stage = 0;
    Stopwatch watch;
    staged->score_in_stages(queries[i % queries.size()], scores, [&](std::string_view name) {
      const double seconds = watch.seconds();
      if (stage == out.size()) out.push_back({std::string(name), {}});
      SEGUE_CHECK(out[stage].stage == name, "stage {} after {}", name, out[stage].stage);
      if (!warm) out[stage].microseconds.push_back(seconds * 1e6);
      ++stage;
      watch = Stopwatch();
    });
    counted += warm ? 0 : 1;
  }
  return out;
}

LatencySummary summarise(std::span<const double> microseconds) {
  std::vector<double> sorted(microseconds.begin(), microseconds.end());
  std::sort(sorted.begin(), sorted.end());
  return {.p50 = percentile_of_sorted(sorted, 50),
          .p95 = percentile_of_sorted(sorted, 95),
          .p99 = percentile_of_sorted(sorted, 99),
          .mean = mean_of(microseconds)};
}

}  // namespace segue
