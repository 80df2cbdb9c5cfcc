#include "framework/model/recommend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::FakeRecommender;
using test::message_of;
using test::queries_of;
using testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Lists {
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  void add(const std::vector<ItemIdx>& row) {
    items.insert(items.end(), row.begin(), row.end());
    offsets.push_back(items.size());
  }
  std::vector<ItemIdx> row(std::size_t q) const {
    return {items.begin() + static_cast<long>(offsets[q]), items.begin() + static_cast<long>(offsets[q + 1])};
  }
  ItemLists view() const { return {offsets, items}; }
};

// A random question to recommend(): few score levels, so ties abound, and some items without a score.
struct Case {
  std::size_t n_items, n_queries, k;
  std::vector<float> score;  // users x items
  std::vector<std::uint8_t> catalogue;
  Lists candidates, excluded, truth;
  std::vector<std::uint64_t> user_keys, item_keys;
  bool has_catalogue, has_candidates, has_excluded, has_keys;

  explicit Case(std::uint64_t seed) {
    Rng rng(seed);
    n_items = 1 + rng.below(60);
    n_queries = 1 + rng.below(seed % 5 == 0 ? 400 : 40);
    k = 1 + rng.below(n_items + 5);
    const std::uint64_t levels = 1 + rng.below(3 * n_items);
    score.resize(n_queries * n_items);
    for (float& s : score) s = rng.below(6) == 0 ? -kInf : static_cast<float>(rng.below(levels)) / 3 - 2;
    has_catalogue = rng.below(2) == 0;
    has_candidates = rng.below(2) == 0;
    has_excluded = rng.below(3) != 0;
    has_keys = rng.below(2) == 0;
    for (std::size_t i = 0; i < n_items; ++i) catalogue.push_back(rng.below(4) != 0);
    const auto some = [&](std::size_t most) {
      std::vector<ItemIdx> out;
      for (const std::uint64_t i : rng.sample_without_replacement(n_items, rng.below(std::min(most, n_items) + 1)))
        out.push_back(item_at(i));
      return out;  // in drawn order
    };
    for (std::size_t q = 0; q < n_queries; ++q) {
      candidates.add(some(n_items));
      excluded.add(some(n_items / 2));
      truth.add(some(5));
      user_keys.push_back(rng.next_u64());
    }
    for (std::size_t i = 0; i < n_items; ++i) item_keys.push_back(rng.next_u64());
  }
  FakeRecommender model() const {
    return {n_items, [this](std::size_t u, std::size_t i) { return score[u * n_items + i]; }};
  }
  CandidatePolicy policy() const {
    CandidatePolicy p;
    if (has_catalogue) p.catalogue = catalogue;
    if (has_candidates) p.candidates = candidates.view();
    if (has_excluded) p.excluded = excluded.view();
    p.task_seed = 5;
    if (has_keys) p.user_keys = user_keys, p.item_keys = item_keys;
    return p;
  }
};

struct Answer {
  TopK top;
  TruthRanks ranks;
};
Answer answer(const Case& c, int threads = 1) {
  Answer a;
  a.top = recommend(c.model(), queries_of(c.n_queries), c.policy(), c.k, Executor(threads), c.truth.view(), a.ranks);
  return a;
}

// Everything sorted, one query at a time.
void expect_right(const Case& c, const Answer& a) {
  for (std::size_t q = 0; q < c.n_queries; ++q) {
    SCOPED_TRACE(q);
    std::set<std::size_t> allowed;
    for (std::size_t i = 0; i < c.n_items; ++i)
      if (!c.has_candidates && (!c.has_catalogue || c.catalogue[i] != 0)) allowed.insert(i);
    if (c.has_candidates)
      for (const ItemIdx i : c.candidates.row(q)) allowed.insert(raw(i));
    if (c.has_excluded)
      for (const ItemIdx i : c.excluded.row(q)) allowed.erase(raw(i));
    const auto score = [&](std::size_t i) { return c.score[q * c.n_items + i]; };
    std::vector<std::size_t> order(allowed.begin(), allowed.end());
    const auto tie = [&](std::size_t i) {
      return tie_order(5, c.has_keys ? c.user_keys[q] : 0, c.has_keys ? c.item_keys[i] : i);
    };
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
      return std::tuple(-score(x), tie(x)) < std::tuple(-score(y), tie(y));
    });
    std::size_t ranked = 0;
    while (ranked < order.size() && score(order[ranked]) != -kInf) ++ranked;
    for (std::size_t place = 0; place < c.k; ++place) {
      EXPECT_EQ(a.top.row(q)[place], place < ranked ? item_at(order[place]) : kNoItem);
      EXPECT_EQ(a.top.row_scores(q)[place], place < ranked ? score(order[place]) : -kInf);
    }
    EXPECT_EQ(a.ranks.candidates[q], order.size());
    EXPECT_EQ(a.ranks.tie_at_cut[q], c.k < ranked && score(order[c.k - 1]) == score(order[c.k]));
    for (std::size_t t = c.truth.offsets[q]; t < c.truth.offsets[q + 1]; ++t) {
      const std::size_t item = raw(c.truth.items[t]);
      const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), item) - order.begin());
      EXPECT_EQ(a.ranks.rank[t], at < ranked ? at + 1 : 0);
      std::size_t above = 0, tied = 0;
      for (const std::size_t other : order) {
        above += at == order.size() || score(other) > score(item);
        tied += at < order.size() && other != item && score(other) == score(item);
      }
      EXPECT_EQ(a.ranks.above[t], above);
      EXPECT_EQ(a.ranks.tied[t], tied);
    }
  }
}

TEST(Recommend, AgreesWithSortingEverything) {
  std::set<std::tuple<bool, bool, bool, bool>> kinds;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE(seed);
    const Case c(seed);
    expect_right(c, answer(c));
    kinds.emplace(c.has_catalogue, c.has_candidates, c.has_excluded, c.has_keys);
  }
  EXPECT_EQ(kinds.size(), 16u);
}

TEST(Recommend, WithoutTruthTheListsAreTheSame) {
  const Case c(7);
  const TopK top = recommend(c.model(), queries_of(c.n_queries), c.policy(), c.k, Executor(1));
  EXPECT_EQ(top.items, answer(c).top.items);
  EXPECT_EQ(top.scores, answer(c).top.scores);
  EXPECT_EQ(top.queries(), c.n_queries);
}

TEST(Recommend, ThreadsChangeNothing) {
  for (std::uint64_t seed = 0; seed < 40; seed += 5) {
    const Case c(seed);
    const Answer one = answer(c, 1);
    for (const int threads : {2, 3, 8}) {
      const Answer more = answer(c, threads);
      EXPECT_EQ(more.top.items, one.top.items);
      EXPECT_EQ(more.top.scores, one.top.scores);
      EXPECT_EQ(more.ranks.rank, one.ranks.rank);
      EXPECT_EQ(more.ranks.above, one.ranks.above);
      EXPECT_EQ(more.ranks.tied, one.ranks.tied);
      EXPECT_EQ(more.ranks.candidates, one.ranks.candidates);
      EXPECT_EQ(more.ranks.tie_at_cut, one.ranks.tie_at_cut);
    }
  }
}

// Each query asked alone, in a policy of its own rows.
TEST(Recommend, ThePlaceInABatchChangesNothing) {
  for (const std::uint64_t seed : {5u, 10u, 15u, 20u}) {
    const Case c(seed);
    const Answer all = answer(c);
    const std::vector<Query> queries = queries_of(c.n_queries);
    for (std::size_t q = 0; q < c.n_queries; q += 1 + c.n_queries / 9) {
      Lists candidates, excluded;
      candidates.add(c.candidates.row(q));
      excluded.add(c.excluded.row(q));
      CandidatePolicy policy = c.policy();
      if (c.has_candidates) policy.candidates = candidates.view();
      if (c.has_excluded) policy.excluded = excluded.view();
      if (c.has_keys) policy.user_keys = std::span(c.user_keys).subspan(q, 1);
      const TopK alone = recommend(c.model(), std::span(queries).subspan(q, 1), policy, c.k, Executor(1));
      EXPECT_TRUE(std::equal(alone.items.begin(), alone.items.end(), all.top.row(q).begin()));
      EXPECT_TRUE(std::equal(alone.scores.begin(), alone.scores.end(), all.top.row_scores(q).begin()));
    }
  }
}

// Whoever scores everything alike hits k in n items, wherever the truth stands in the vocabulary.
TEST(Recommend, AConstantScorerGetsTheExpectedValue) {
  constexpr std::size_t kUsers = 4000, kItems = 100, kList = 10;
  const FakeRecommender model(kItems, [](std::size_t, std::size_t) { return 0.25f; });
  std::vector<std::uint64_t> user_keys, item_keys;
  for (std::size_t u = 0; u < kUsers; ++u) user_keys.push_back(hash64(fmt::format("user {}", u)));
  for (std::size_t i = 0; i < kItems; ++i) item_keys.push_back(hash64(fmt::format("{}", i)));
  for (const std::size_t truth_item : {0u, 50u, 99u}) {
    Lists truth;
    for (std::size_t u = 0; u < kUsers; ++u) truth.add({item_at(truth_item)});
    CandidatePolicy policy;
    policy.task_seed = 42;
    policy.user_keys = user_keys;
    policy.item_keys = item_keys;
    TruthRanks ranks;
    recommend(model, queries_of(kUsers), policy, kList, Executor(2), truth.view(), ranks);
    double hits = 0, rank = 0;
    for (const std::uint32_t r : ranks.rank) hits += r <= kList, rank += r;
    EXPECT_NEAR(hits / kUsers, 0.1, 4 * std::sqrt(0.1 * 0.9 / kUsers)) << truth_item;
    EXPECT_NEAR(rank / kUsers, 50.5, 4 * 28.9 / std::sqrt(double{kUsers})) << truth_item;
    for (const std::uint8_t tie : ranks.tie_at_cut) EXPECT_EQ(tie, 1);
  }
}

TEST(Recommend, NaNAndInfinityFail) {
  for (const bool lists : {false, true}) {
    Lists candidates;
    candidates.add({ItemIdx{0}, ItemIdx{2}});
    CandidatePolicy policy;
    if (lists) policy.candidates = candidates.view();
    const auto error = [&](float bad) {
      const FakeRecommender model(3, [&](std::size_t, std::size_t i) { return i == 2 ? bad : 1.f; });
      return message_of<UsageError>([&] { recommend(model, queries_of(1), policy, 2, Executor(1)); });
    };
    EXPECT_EQ(error(std::nanf("")), "the model returned a score of nan; training has probably diverged");
    EXPECT_EQ(error(kInf), "the model returned a score of inf; training has probably diverged");
  }
}

TEST(Recommend, NothingToRecommendIsAnEmptyList) {
  const FakeRecommender model(2, [](std::size_t, std::size_t) { return -kInf; });
  const TopK top = recommend(model, queries_of(2), {}, 3, Executor(1));
  EXPECT_EQ(top.items, std::vector<ItemIdx>(6, kNoItem));
  EXPECT_EQ(recommend(model, {}, {}, 3, Executor(1)).queries(), 0u);
  Lists empty;
  empty.add({});
  empty.add({});
  CandidatePolicy policy;
  policy.candidates = empty.view();
  TruthRanks ranks;
  Lists truth;
  truth.add({ItemIdx{1}});
  truth.add({});
  recommend(model, queries_of(2), policy, 3, Executor(1), truth.view(), ranks);
  EXPECT_EQ(ranks.candidates, (std::vector<std::uint32_t>{0, 0}));
  EXPECT_EQ(ranks.rank, std::vector<std::uint32_t>{0});
}

TEST(Recommend, ListsThatDoNotFitAreRefused) {
  const FakeRecommender model(3, [](std::size_t, std::size_t) { return 1.f; });
  const std::vector<std::uint8_t> flags(2, 1);
  const std::vector<std::uint64_t> keys(2);
  Lists one;
  one.add({});
  const auto error = [&](const CandidatePolicy& policy) {
    return message_of<LogicError>([&] { recommend(model, queries_of(4), policy, 2, Executor(1)); });
  };
  CandidatePolicy catalogue, items, users, candidates, excluded;
  catalogue.catalogue = flags;
  items.item_keys = keys;
  users.user_keys = keys;
  candidates.candidates = one.view();
  excluded.excluded = one.view();
  EXPECT_THAT(error(catalogue), HasSubstr("2 catalogue flags for 3 items"));
  EXPECT_THAT(error(items), HasSubstr("2 item keys for 3 items"));
  EXPECT_THAT(error(users), HasSubstr("2 user keys for 4 queries"));
  EXPECT_THAT(error(candidates), HasSubstr("1 candidate lists for 4 queries"));
  EXPECT_THAT(error(excluded), HasSubstr("1 lists of exclusions for 4 queries"));
  EXPECT_THROW(recommend(model, queries_of(1), {}, 0, Executor(1)), LogicError);
}

TEST(QueryBlock, IsAMultipleOfEightWithinItsBounds) {
  for (const std::size_t n : {0u, 1u, 1000u, 8191u, 8193u, 100000u, 1000000u, 300000000u}) {
    const std::size_t block = query_block(n);
    EXPECT_EQ(block % 8, 0u);
    EXPECT_GE(block, 8u);
    EXPECT_LE(block, 256u);
    if (block > 8) {
      EXPECT_LE(block * n, std::size_t{1} << 21);
    }
  }
}

}  // namespace
}  // namespace segue
