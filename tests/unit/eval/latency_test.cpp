#include "framework/eval/latency.hpp"

#include <chrono>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/eval/summary.hpp"
#include "framework/model/stages.hpp"

namespace segue {
namespace {

// Scores from a function of (user, item); remembers what it was asked.
class FakeRecommender : public Recommender {
 public:
  FakeRecommender(std::size_t n_items, std::function<float(std::size_t, std::size_t)> score)
      : n_items_(n_items), score_(std::move(score)) {}
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    std::vector<std::size_t> users;
    for (std::size_t q = 0; q < queries.size(); ++q) {
      users.push_back(raw(queries[q].user));
      for (std::size_t i = 0; i < n_items_; ++i)
        out(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(i)) = score_(raw(queries[q].user), i);
    }
    const std::lock_guard lock(mutex_);
    calls.push_back(users);
  }
  std::size_t n_items() const override { return n_items_; }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

  mutable std::vector<std::vector<std::size_t>> calls;  // the users of each call

 private:
  std::size_t n_items_;
  std::function<float(std::size_t, std::size_t)> score_;
  mutable std::mutex mutex_;
};

std::vector<Query> queries_of(std::size_t n) {
  std::vector<Query> queries(n);
  for (std::size_t q = 0; q < n; ++q) queries[q].user = user_at(q);
  return queries;
}

LatencyOptions options_of(std::vector<std::size_t> batch, std::size_t warmup, std::size_t samples, double budget) {
  return {.batch = std::move(batch), .k = 3, .warmup = warmup, .samples = samples, .budget_seconds = budget};
}

// Two stages, of which the second takes a while.
class StagedRecommender : public FakeRecommender, public StagedScores {
 public:
  StagedRecommender() : FakeRecommender(4, [](std::size_t, std::size_t i) { return static_cast<float>(i); }) {}
  void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const override {
    asked.push_back(raw(query.user));
    std::ranges::fill(out, 0.0f);
    lap("first");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    lap("second");
  }
  mutable std::vector<std::size_t> asked;
};

TEST(Latency, TimesTheStagesOfComposedModels) {
  const FakeRecommender plain(4, [](std::size_t, std::size_t) { return 0.0f; });
  const std::vector<Query> queries = queries_of(3);
  EXPECT_TRUE(measure_stages(plain, queries, options_of({1}, 0, 5, 1)).empty());
  const StagedRecommender model;
  const std::vector<StageSamples> stages = measure_stages(model, queries, options_of({1}, 2, 5, 1e9));
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].stage, "first");
  EXPECT_EQ(stages[1].stage, "second");
  EXPECT_THAT(model.asked, testing::ElementsAre(0, 1, 2, 0, 1, 2, 0));  // two are not counted
  EXPECT_EQ(stages[0].microseconds.size(), 5u);
  for (const double us : stages[1].microseconds) EXPECT_GE(us, 2000);
  EXPECT_EQ(measure_stages(model, queries, options_of({1}, 0, 5, 0)).front().microseconds.size(), 1u);
}

TEST(Latency, CallsWhatItSaysItCalls) {
  const FakeRecommender model(20, [](std::size_t u, std::size_t i) { return static_cast<float>(u * i % 7); });
  const std::vector<Query> queries = queries_of(5);
  const Executor exec(1);
  const auto measured = measure_latency(model, queries, {}, options_of({1, 3}, 2, 4, 1e9), exec);
  ASSERT_EQ(measured.size(), 2u);
  EXPECT_EQ(measured[0].batch, 1u);
  EXPECT_EQ(measured[1].batch, 3u);
  for (const LatencySamples& m : measured) {
    EXPECT_EQ(m.microseconds_per_query.size(), 4u);
    EXPECT_EQ(m.threads, 1);
    for (double us : m.microseconds_per_query) EXPECT_GE(us, 0);
  }
  using Users = std::vector<std::size_t>;
  EXPECT_THAT(model.calls, testing::ElementsAre(Users{0}, Users{1}, Users{2}, Users{3}, Users{4}, Users{0},  // batch 1
                                                Users{0, 1, 2}, Users{3, 4, 0}, Users{1, 2, 3}, Users{4, 0, 1},
                                                Users{2, 3, 4}, Users{0, 1, 2}));
}

TEST(Latency, ABatchMayBeLargerThanTheQueries) {
  const FakeRecommender model(4, [](std::size_t, std::size_t) { return 1.f; });
  const std::vector<Query> queries = queries_of(2);
  measure_latency(model, queries, {}, options_of({5}, 0, 1, 1e9), Executor(1));
  EXPECT_THAT(model.calls, testing::ElementsAre(std::vector<std::size_t>{0, 1, 0, 1, 0}));
}

TEST(Latency, StopsAtTheBudgetButNeverWithoutASample) {
  const FakeRecommender model(4, [](std::size_t, std::size_t) { return 1.f; });
  const std::vector<Query> queries = queries_of(2);
  const auto measured = measure_latency(model, queries, {}, options_of({1}, 50, 200, 0), Executor(1));
  EXPECT_EQ(measured.at(0).microseconds_per_query.size(), 1u);
  EXPECT_EQ(model.calls.size(), 2u);  // one to warm up
}

TEST(Latency, RefusesWhatMeasuresNothing) {
  const FakeRecommender model(4, [](std::size_t, std::size_t) { return 1.f; });
  const std::vector<Query> queries = queries_of(1);
  const Executor exec(1);
  EXPECT_THROW(measure_latency(model, {}, {}, options_of({1}, 0, 1, 1), exec), UsageError);
  EXPECT_THROW(measure_latency(model, queries, {}, options_of({0}, 0, 1, 1), exec), UsageError);
  EXPECT_THROW(measure_latency(model, queries, {}, options_of({1}, 0, 0, 1), exec), UsageError);
}

// The per-query parts of a policy: what was seen, given candidates, and the keys that break ties.
struct PolicyArrays {
  std::vector<std::uint64_t> seen_offsets{0}, candidate_offsets{0}, keys;
  std::vector<ItemIdx> seen, candidates;
  PolicyArrays(std::size_t queries, std::size_t items) {
    for (std::size_t q = 0; q < queries; ++q) {
      for (std::size_t i = 0; i < items; ++i) {
        if ((q + i) % 5 == 0) seen.push_back(item_at(i));
        if ((q * 3 + i) % 4 != 0) candidates.push_back(item_at(i));
      }
      seen_offsets.push_back(seen.size());
      candidate_offsets.push_back(candidates.size());
      keys.push_back(1000 + q * q);
    }
  }
};

TEST(QueryBatch, GivesEachQueryTheListItHasInTheWhole) {
  const std::size_t n = 11, n_items = 30, k = 7;
  const FakeRecommender model(n_items, [](std::size_t u, std::size_t i) { return static_cast<float>((u + i) % 3); });
  const std::vector<Query> queries = queries_of(n);
  const PolicyArrays arrays(n, n_items);
  const Executor exec(1);
  for (const bool with_candidates : {false, true}) {
    CandidatePolicy policy;
    policy.excluded = {arrays.seen_offsets, arrays.seen};
    if (with_candidates) policy.candidates = {arrays.candidate_offsets, arrays.candidates};
    policy.user_keys = arrays.keys;
    policy.task_seed = 4;
    const TopK whole = recommend(model, queries, policy, k, exec);
    for (std::size_t begin = 0; begin < n; ++begin) {
      for (const std::size_t count : {std::size_t{1}, std::size_t{4}, std::size_t{25}}) {
        const QueryBatch batch(queries, policy, begin, count);
        const TopK part = recommend(model, batch.queries(), batch.policy(), k, exec);
        ASSERT_EQ(part.queries(), count);
        for (std::size_t i = 0; i < count; ++i)
          EXPECT_TRUE(std::ranges::equal(part.row(i), whole.row((begin + i) % n))) << begin << "+" << i;
      }
    }
  }
}

// What recommend() stores, and what the metrics read: the same hits from lists and from ranks.
TEST(Outcome, ListsAndTruthRanksAgree) {
  const std::size_t n = 40, n_items = 30, k = 8;
  const FakeRecommender model(n_items, [](std::size_t u, std::size_t i) {
    return (u * 7 + i) % 11 < 3 + u % 7 ? -std::numeric_limits<float>::infinity()
                                        : static_cast<float>((u * 13 + i * 5) % 4);
  });
  const std::vector<Query> queries = queries_of(n);
  const PolicyArrays arrays(n, n_items);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> truth;
  for (std::size_t q = 0; q < n; ++q) {
    for (std::size_t i = 0; i < n_items; ++i)
      if ((q * q + i) % 6 == 1) truth.push_back(item_at(i));
    offsets.push_back(truth.size());
  }
  CandidatePolicy policy;
  policy.excluded = {arrays.seen_offsets, arrays.seen};
  policy.user_keys = arrays.keys;
  TruthRanks ranks;
  const TopK top = recommend(model, queries, policy, k, Executor(1), {offsets, truth}, ranks);

  std::vector<std::uint32_t> items, truth_items;
  for (ItemIdx item : top.items) items.push_back(static_cast<std::uint32_t>(item));
  for (ItemIdx item : truth) truth_items.push_back(static_cast<std::uint32_t>(item));
  const RankingOutcome outcome{.queries = n,
                               .k = k,
                               .items = items,
                               .truth_offsets = offsets,
                               .truth_items = truth_items,
                               .truth_rank = ranks.rank,
                               .truth_above = ranks.above,
                               .truth_tied = ranks.tied,
                               .candidates = ranks.candidates,
                               .tie_at_cut = ranks.tie_at_cut,
                               .catalogue = n_items};
  EXPECT_EQ(kPadding, static_cast<std::uint32_t>(kNoItem));
  const MetricValue precision = compute(parse_metric("precision@8"), outcome);
  std::size_t hits = 0, padded = 0, unranked = 0;
  for (std::size_t q = 0; q < n; ++q) {
    std::size_t from_list = 0;
    for (std::size_t i = 0; i < k; ++i) {
      const ItemIdx item = top.row(q)[i];
      padded += item == kNoItem;
      for (std::uint64_t t = offsets[q]; t < offsets[q + 1]; ++t) {
        if (truth[t] == item) {
          ++from_list;
          EXPECT_EQ(ranks.rank[t], i + 1);
        }
      }
    }
    for (std::uint64_t t = offsets[q]; t < offsets[q + 1]; ++t) unranked += ranks.rank[t] == 0;
    EXPECT_DOUBLE_EQ(precision.per_query[q], static_cast<double>(from_list) / 8);
    hits += from_list;
  }
  EXPECT_GT(hits, 10u);
  EXPECT_GT(padded, 0u);
  EXPECT_GT(unranked, 10u);
  for (const char* metric : {"auc", "ndcg@8", "r_precision", "coverage@8"}) {
    const double value = compute(parse_metric(metric), outcome).mean;
    EXPECT_GT(value, 0) << metric;
    EXPECT_LE(value, 1) << metric;
  }
}

// Ties are broken by a hash of task, user and item, so knowing nothing earns what chance earns, wherever the truth
// stands.
TEST(Outcome, AConstantScorerGetsTheExpectedValue) {
  const std::size_t n = 4000, n_items = 50, k = 10;
  const FakeRecommender model(n_items, [](std::size_t, std::size_t) { return 0.25f; });
  const std::vector<Query> queries = queries_of(n);
  std::vector<std::uint64_t> offsets{0}, keys;
  for (std::size_t q = 0; q < n; ++q) {
    offsets.push_back(q + 1);
    keys.push_back(q);
  }
  for (const std::size_t wanted : {std::size_t{0}, n_items - 1}) {
    const std::vector<ItemIdx> truth(n, item_at(wanted));
    CandidatePolicy policy;
    policy.user_keys = keys;
    policy.task_seed = 77;
    TruthRanks ranks;
    recommend(model, queries, policy, k, Executor(1), {offsets, truth}, ranks);
    const RankingOutcome outcome{.queries = n,
                                 .truth_offsets = offsets,
                                 .truth_rank = ranks.rank,
                                 .truth_above = ranks.above,
                                 .truth_tied = ranks.tied,
                                 .candidates = ranks.candidates};
    const double chance = 10.0 / 50, error = std::sqrt(chance * (1 - chance) / static_cast<double>(n));
    EXPECT_NEAR(compute(parse_metric("hr@10"), outcome).mean, chance, 4 * error) << "item " << wanted;
    double ndcg = 0;
    for (std::size_t r = 1; r <= k; ++r) ndcg += 1 / std::log2(static_cast<double>(r) + 1) / 50;
    EXPECT_NEAR(compute(parse_metric("ndcg@10"), outcome).mean, ndcg, 4 * error) << "item " << wanted;
    EXPECT_EQ(compute(parse_metric("auc"), outcome).mean, 0.5);
  }
}

TEST(Summary, KnownValues) {
  const std::vector<double> values = {15, 20, 35, 40, 50};
  const std::vector<double> shuffled = {40, 15, 50, 35, 20};
  EXPECT_DOUBLE_EQ(percentile(shuffled, 40), 29);  // numpy.percentile([15, 20, 35, 40, 50], 40)
  EXPECT_DOUBLE_EQ(percentile(shuffled, 0), 15);
  EXPECT_DOUBLE_EQ(percentile(shuffled, 100), 50);
  EXPECT_DOUBLE_EQ(percentile(std::vector<double>{7}, 99), 7);
  EXPECT_TRUE(std::isnan(percentile({}, 50)));
  EXPECT_THROW(percentile(values, 101), LogicError);
  EXPECT_DOUBLE_EQ(mean_of(values), 32);
  EXPECT_DOUBLE_EQ(stddev_of(values), std::sqrt((289 + 144 + 9 + 64 + 324) / 4.0));
  EXPECT_TRUE(std::isnan(mean_of({})));
  EXPECT_TRUE(std::isnan(stddev_of(std::vector<double>{1})));
  const LatencySummary summary = summarise(shuffled);
  EXPECT_DOUBLE_EQ(summary.p50, 35);
  EXPECT_DOUBLE_EQ(summary.p95, 48);
  EXPECT_DOUBLE_EQ(summary.p99, 49.6);
  EXPECT_DOUBLE_EQ(summary.mean, 32);
}

}  // namespace
}  // namespace segue
