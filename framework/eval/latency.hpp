// How long a recommendation takes, measured the same way for every model.
//
// What is timed is one call of recommend(): scoring, masking and top-k, for a batch of queries; never loading, nor the
// cutting of the batch. Clock: steady. Latency is never measured while another trial runs (the runner's promise).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/model/recommend.hpp"

namespace segue {

struct LatencyOptions {
  std::vector<std::size_t> batch = {1, 256};  // queries a call; each size is measured on its own
  std::size_t k = 10;
  std::size_t warmup =
      20;  // calls before the first sample, at most a quarter of the budget but at least one (if not 0)
  std::size_t samples = 200;  // calls that are timed, as far as the budget goes, but at least one
  double budget_seconds = 2;  // for each batch size, warm-up included
};

struct LatencySamples {
  std::size_t batch = 0;
  std::vector<double> microseconds_per_query;  // one a call: its time over the batch size
  int threads = 0;                             // that the executor offered
};

// Batches are consecutive queries, beginning again at the first after the last (within a batch too, where there are
// fewer queries than the batch asks for). UsageError without queries, or for a batch, k or number of samples of 0.
std::vector<LatencySamples> measure_latency(const Recommender& model, std::span<const Query> queries,
                                            const CandidatePolicy& policy, const LatencyOptions& options,
                                            const Executor& exec);
// The same of whatever else makes lists, such as an index: recommend_batch(queries, policy, k).
using RecommendBatch = std::function<TopK(std::span<const Query>, const CandidatePolicy&, std::size_t)>;
std::vector<LatencySamples> measure_latency(const RecommendBatch& recommend_batch, std::span<const Query> queries,
                                            const CandidatePolicy& policy, const LatencyOptions& options,
                                            const Executor& exec);

// Where a composed model (StagedScores) spends its time, one query at a time, on the caller's thread: scoring alone,
// without masking and top-k. Stages in their order; empty for any other model. As many queries as options.samples, as
// far as half the budget goes, after a few that are not counted.
struct StageSamples {
  std::string stage;
  std::vector<double> microseconds;  // one a query
};
std::vector<StageSamples> measure_stages(const Recommender& model, std::span<const Query> queries,
                                         const LatencyOptions& options);

// All in microseconds. Percentiles with linear interpolation (percentile() of summary.hpp); NaN for no samples.
struct LatencySummary {
  double p50 = 0, p95 = 0, p99 = 0, mean = 0;
};
LatencySummary summarise(std::span<const double> microseconds);

// `count` consecutive queries from `begin` on, beginning again at the first after the last, with the policy's per-query
// lists and user keys cut to match: recommend() gives each query the same list as in the whole. What belongs to items
// is shared, so queries' histories and the policy's arrays must outlive the batch.
class QueryBatch {
 public:
  QueryBatch(std::span<const Query> queries, const CandidatePolicy& policy, std::size_t begin, std::size_t count);
  QueryBatch(const QueryBatch&) = delete;
  QueryBatch& operator=(const QueryBatch&) = delete;

  std::span<const Query> queries() const { return queries_; }
  const CandidatePolicy& policy() const { return policy_; }

 private:
  struct Lists {
    std::vector<std::uint64_t> offsets;
    std::vector<ItemIdx> items;
  };
  std::vector<Query> queries_;
  std::vector<std::uint64_t> user_keys_;
  Lists candidates_, excluded_;
  CandidatePolicy policy_;
};

}  // namespace segue
