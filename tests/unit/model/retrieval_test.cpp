// Lists from an index against recommend(), which scores every item.
#include "framework/model/retrieval.hpp"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/clustered.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

constexpr std::size_t kItems = 600, kUsers = 40, kMany = 10;

struct Retrieval : testing::Test {
  Matrix<float> users = test::clustered_rows(5000, kUsers, {.dims = 20}),
                items = test::clustered_rows(0, kItems, {.dims = 20});
  std::vector<float> biases;
  std::vector<Query> queries;
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> heard;
  std::vector<std::uint8_t> catalogue;

  Retrieval() {
    biases.resize(kItems);
    Rng(3).fill_normal(biases, 0, 1);
    for (std::size_t u = 0; u < kUsers; ++u) {
      Query query;
      query.user = user_at(u);
      queries.push_back(query);
      for (std::size_t i = 0; i < u; ++i) heard.push_back(item_at((u * 31 + i * 7) % kItems));
      offsets.push_back(heard.size());
    }
    catalogue.assign(kItems, 1);
    for (std::size_t i = 0; i < kItems; i += 3) catalogue[i] = 0;
  }
  CandidatePolicy policy(bool excludes) const {
    CandidatePolicy out;
    out.task_seed = 5;
    if (excludes) out.excluded = {offsets, heard}, out.catalogue = catalogue;
    return out;
  }
  static RetrievalSpec everything(const char* kind) {
    RetrievalSpec how;
    how.kind = kind;
    how.search_width = 1000;
    how.probes = 1000;
    how.rerank = 1000;
    how.lists = 10;
    return how;
  }
};

bool same(const TopK& a, const TopK& b) {
  return a.items == b.items && std::memcmp(a.scores.data(), b.scores.data(), a.scores.size() * sizeof(float)) == 0;
}

TEST_F(Retrieval, OfEverythingIsWhatRecommendGives) {
  const Executor exec(2);
  for (const bool biased : {false, true}) {
    const test::FakeEmbeddings model(users, items, biased ? biases : std::vector<float>{});
    for (const char* kind : {"exact", "hnsw", "ivfpq", "sq8"})
      for (const bool excludes : {false, true}) {
        const ItemIndex index(model, everything(kind), exec);
        const TopK exact = recommend(model, queries, policy(excludes), kMany, exec);
        EXPECT_TRUE(same(index.recommend(queries, policy(excludes), kMany, exec), exact)) << kind;
      }
  }
}

// A narrow search: some of the exact lists are missed, what is found has the model's own scores, and nothing is found
// that was heard.
TEST_F(Retrieval, NarrowListsAreFullAndHaveTheModelsScores) {
  const Executor exec(1);
  const test::FakeEmbeddings model(users, items, biases);
  RetrievalSpec how;
  how.kind = "ivfpq";
  how.lists = 60;
  how.probes = 1;
  how.rerank = 1;
  how.code_bytes = 2;
  const ItemIndex index(model, how, exec);
  const TopK found = index.recommend(queries, policy(true), kMany, exec);
  const TopK exact = recommend(model, queries, policy(true), kMany, exec);
  Matrix<float> scores(kUsers, kItems);
  model.score(queries, scores);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kUsers; ++q)
    for (std::size_t i = 0; i < kMany; ++i) {
      const ItemIdx item = found.row(q)[i];
      ASSERT_NE(item, kNoItem);
      EXPECT_EQ(found.row_scores(q)[i], scores(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(raw(item))));
      EXPECT_NE(raw(item) % 3, 0u);
      EXPECT_EQ(std::count(heard.begin() + static_cast<std::ptrdiff_t>(offsets[q]),
                           heard.begin() + static_cast<std::ptrdiff_t>(offsets[q + 1]), item),
                0);
      hits += std::ranges::find(exact.row(q), item) != exact.row(q).end();
    }
  EXPECT_LT(hits, kUsers * kMany);
  EXPECT_NEAR(recall_of_lists(found, exact), static_cast<double>(hits) / (kUsers * kMany), 1e-12);
}

// hnswlib subtracts products from 1: without scaling, small ones would all be equal.
TEST_F(Retrieval, SmallVectorsAreFoundLikeLargeOnes) {
  const Executor exec(1);
  RetrievalSpec how;
  how.kind = "hnsw";
  const test::FakeEmbeddings large(users, items);
  const TopK expected = ItemIndex(large, how, exec).recommend(queries, policy(true), kMany, exec);
  for (const float scale : {std::ldexp(1.0f, -30), std::ldexp(1.0f, 20)}) {
    const test::FakeEmbeddings other(users * scale, items * scale);
    EXPECT_EQ(ItemIndex(other, how, exec).recommend(queries, policy(true), kMany, exec).items, expected.items);
  }
}

TEST_F(Retrieval, SameBitsForAnyNumberOfThreads) {
  const test::FakeEmbeddings model(users, items, biases);
  for (const char* kind : {"hnsw", "ivfpq", "sq8"}) {
    RetrievalSpec how;
    how.kind = kind;
    how.probes = 3;
    const TopK one = ItemIndex(model, how, Executor(1)).recommend(queries, policy(true), kMany, Executor(1));
    for (const int threads : {2, 3, 8}) {
      const Executor exec(threads);
      EXPECT_TRUE(same(ItemIndex(model, how, exec).recommend(queries, policy(true), kMany, exec), one)) << kind;
    }
  }
}

TEST_F(Retrieval, RefusesWhatItCannotIndex) {
  RetrievalSpec how;
  how.kind = "hnsw";
  const test::FakeRecommender other(5, [](std::size_t, std::size_t) { return 1.0f; });
  EXPECT_EQ(test::message_of<UsageError>([&] { ItemIndex(other, how, Executor(1)); }),
            "retrieval 'hnsw' needs a model whose scores are inner products of vectors");
  how.kind = "ivfpq";
  how.code_bytes = 7;
  EXPECT_EQ(test::message_of<UsageError>([&] { ItemIndex(test::FakeEmbeddings(users, items), how, Executor(1)); }),
            "'code_bytes' of an index is 7, which must divide the 32 dimensions; 4 would");
}

TEST(RecallOfLists, CountsWhatTheExactListsHold) {
  const auto lists = [](std::vector<std::uint32_t> items) {
    TopK out;
    out.k = 3;
    for (const std::uint32_t i : items) out.items.push_back(i == 99 ? kNoItem : ItemIdx{i});
    out.scores.resize(items.size());
    return out;
  };
  EXPECT_EQ(recall_of_lists(lists({1, 2, 3, 4, 5, 6}), lists({3, 2, 1, 4, 7, 8})), (1 + 1.0 / 3) / 2);
  EXPECT_EQ(recall_of_lists(lists({1, 99, 99, 99, 99, 99}), lists({1, 2, 99, 99, 99, 99})), 0.5);
  EXPECT_EQ(recall_of_lists(lists({99, 99, 99}), lists({99, 99, 99})), 1);
}

}  // namespace
}  // namespace segue
