#include "framework/model/recommend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
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

using test::FakeEmbeddings;
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

enum class From {
  kScores,      // few levels, so ties abound, and some items without a score
  kEmbeddings,  // inner products of vectors of small integers, with ties among them; more items and queries
};

// A random question to recommend().
struct Case {
  std::size_t n_items, n_queries, k;
  std::unique_ptr<Recommender> recommender;
  std::vector<float> score;  // users x items
  std::vector<std::uint8_t> catalogue;
  Lists candidates, excluded, truth;
  std::vector<std::uint64_t> user_keys, item_keys;
  bool has_catalogue, has_candidates, has_excluded, has_keys;

  explicit Case(std::uint64_t seed, From from = From::kScores) {
    Rng rng(seed);
    n_items = 1 + rng.below(from == From::kScores ? 60 : 300);
    n_queries = 1 + rng.below(seed % 5 == 0 ? 400 : 40);
    k = 1 + rng.below(seed % 3 == 0 ? n_items + 5 : 12);
    score.resize(n_queries * n_items);
    if (from == From::kScores) {
      const std::uint64_t levels = 1 + rng.below(3 * n_items);
      for (float& s : score) s = rng.below(6) == 0 ? -kInf : static_cast<float>(rng.below(levels)) / 3 - 2;
      recommender = std::make_unique<FakeRecommender>(
          n_items, [this](std::size_t u, std::size_t i) { return score[u * n_items + i]; });
    } else {
      embed(rng);
    }
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
  Case(const Case&) = delete;
  const Recommender& model() const { return *recommender; }

  // Some cases have biases, some of those -inf; in some a score could overflow, as far as the sizes of vectors tell.
  void embed(Rng& rng) {
    const std::size_t dims = 1 + rng.below(9);
    const bool biased = rng.below(2) == 0, unscored = rng.below(4) == 0, huge = rng.below(4) == 0;
    const auto vectors = [&](std::size_t n) {
      Matrix<float> out(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(dims));
      for (float& x : std::span(out.data(), n * dims)) x = static_cast<float>(rng.below(5)) - 2;
      return out;
    };
    Matrix<float> users = vectors(n_queries), items = vectors(n_items);
    if (huge) users.col(0).setConstant(1e30f), items.col(0).setConstant(0), items(0, 0) = 1e8f;
    std::vector<float> biases;
    for (std::size_t i = 0; biased && i < n_items; ++i)
      biases.push_back(unscored && rng.below(3) == 0 ? -kInf : static_cast<float>(rng.below(4)) / 2);
    for (std::size_t q = 0; q < n_queries; ++q)
      for (std::size_t i = 0; i < n_items; ++i)
        score[q * n_items + i] = dot_in_order(row_span(users, q), row_span(items, i)) + (biased ? biases[i] : 0.0f);
    recommender = std::make_unique<FakeEmbeddings>(users, items, biases);
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

void expect_same(const Answer& a, const Answer& b) {
  EXPECT_EQ(a.top.items, b.top.items);
  EXPECT_EQ(a.top.scores, b.top.scores);
  EXPECT_EQ(a.ranks.rank, b.ranks.rank);
  EXPECT_EQ(a.ranks.above, b.ranks.above);
  EXPECT_EQ(a.ranks.tied, b.ranks.tied);
  EXPECT_EQ(a.ranks.candidates, b.ranks.candidates);
  EXPECT_EQ(a.ranks.tie_at_cut, b.ranks.tie_at_cut);
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

TEST(Recommend, OfEmbeddingsAgreesWithSortingEverything) {
  std::set<std::tuple<bool, bool, bool, bool>> kinds;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE(seed);
    const Case c(seed, From::kEmbeddings);
    const Answer a = answer(c);
    expect_right(c, a);
    expect_same(answer(c, 3), a);
    const test::ScoresOf scores(c.model());  // by way of score(), which embeddings do not take
    Answer other;
    other.top = recommend(scores, queries_of(c.n_queries), c.policy(), c.k, Executor(1), c.truth.view(), other.ranks);
    expect_same(other, a);
    kinds.emplace(c.has_catalogue, c.has_candidates, c.has_excluded, c.has_keys);
  }
  EXPECT_EQ(kinds.size(), 16u);
}

// Lists so long that they are sorted otherwise, scores in every order, and all of them equal or nearly so.
TEST(Recommend, LongListsAndManyTies) {
  for (const std::size_t k : {10u, 100u, 2500u, 6000u}) {
    for (const int shape : {0, 1, 2, 3, 4, 5}) {
      SCOPED_TRACE(fmt::format("k {} shape {}", k, shape));
      Case c(4);
      c.n_items = 5000;
      c.n_queries = 2;
      c.k = k;
      c.has_catalogue = c.has_candidates = c.has_excluded = c.has_keys = false;
      c.score.resize(2 * c.n_items);
      Rng rng(k);
      for (std::size_t n = 0; n < c.score.size(); ++n) {
        const auto at = static_cast<float>(n % c.n_items);
        const float some[] = {at,
                              -at,
                              1,
                              std::floor(at / 700),
                              static_cast<float>(rng.normal()),
                              n % 977 == 5 ? 3e38f
                              : n % 3 == 0 ? -3e38f
                                           : 1e-40f * static_cast<float>(rng.below(9))};
        c.score[n] = some[shape];
      }
      c.truth = {};
      c.truth.add({ItemIdx{17}, ItemIdx{4999}, ItemIdx{0}});
      c.truth.add({});
      c.recommender = std::make_unique<FakeRecommender>(
          c.n_items, [&c](std::size_t u, std::size_t i) { return c.score[u * c.n_items + i]; });
      expect_right(c, answer(c));
    }
  }
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
      expect_same(more, one);
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

// Whatever the vectors are, and whether the item is a candidate or not.
TEST(Recommend, NaNAndInfinityOfEmbeddingsFail) {
  const auto error = [](float user, float item, float bias) {
    Matrix<float> users = Matrix<float>::Ones(100, 2), items = Matrix<float>::Ones(40, 2);
    users(98, 1) = user;
    items(38, 1) = item;
    std::vector<float> biases(40, 0.5f);
    biases[38] = bias;
    const std::vector<std::uint8_t> first_only = [] {
      std::vector<std::uint8_t> flags(40, 0);
      flags[0] = 1;
      return flags;
    }();
    CandidatePolicy policy;
    policy.catalogue = first_only;
    return message_of<UsageError>(
        [&] { recommend(FakeEmbeddings(users, items, biases), queries_of(100), policy, 2, Executor(1)); });
  };
  const std::string nan = "the model returned a score of nan; training has probably diverged";
  const std::string inf = "the model returned a score of inf; training has probably diverged";
  EXPECT_EQ(error(std::nanf(""), 1, 1), nan);
  EXPECT_EQ(error(1, std::nanf(""), 1), nan);
  EXPECT_EQ(error(1, 1, std::nanf("")), nan);
  EXPECT_EQ(error(kInf, 1, 1), inf);
  EXPECT_EQ(error(1, kInf, 1), inf);
  EXPECT_EQ(error(1, 1, kInf), inf);
  EXPECT_EQ(error(3e38f, 3e38f, 1), inf);
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
