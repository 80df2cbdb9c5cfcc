#include "framework/model/linear_items.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/memory_archive.hpp"
#include "tests/support/triplets.hpp"

namespace segue {
namespace {

TEST(KnownItems, AreAscendingEachOnceWithTheLastWeight) {
  KnownItems known(200);
  const std::vector<ItemIdx> history = {ItemIdx{130}, ItemIdx{3}, ItemIdx{64}, ItemIdx{3},
                                        ItemIdx{200}, kNoItem,    ItemIdx{0}};
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6, 7};
  const WeightedItems row = known.of({.history = history, .weights = weights});
  EXPECT_EQ(row.items, (std::vector<ItemIdx>{ItemIdx{0}, ItemIdx{3}, ItemIdx{64}, ItemIdx{130}}));
  EXPECT_EQ(row.weights, (std::vector<float>{7, 4, 3, 1}));
  const std::vector<ItemIdx> other = {ItemIdx{199}};  // nothing is left of the query before
  const WeightedItems next = known.of({.history = other});
  EXPECT_EQ(next.items, other);
  EXPECT_EQ(next.weights, std::vector<float>{1});
  EXPECT_TRUE(known.of({}).items.empty());
}

class Given final : public SparseLinearItems {
 public:
  explicit Given(Csr<std::uint32_t> b) : SparseLinearItems(EventWeights::kGiven, false), given_(std::move(b)) {}

 protected:
  void learn(const Csr<ItemIdx>&, FitContext&) override { set_weights(given_); }

 private:
  Csr<std::uint32_t> given_;
};

// Few weights are scattered, many are added up in whole rows; both are one chain over ascending history items.
TEST(SparseLinearItems, AddsTheWeightsOfTheHistoryHoweverManyThereAre) {
  constexpr std::size_t kItems = 100, kUsers = 30;
  for (double density : {0.02, 0.5}) {
    std::vector<test::Triplet> entries = test::random_ratings(kItems, kItems, density, 7);
    Rng rng(8);
    for (test::Triplet& t : entries) t.weight = static_cast<float>(rng.normal());
    const Csr<ItemIdx> by_item = test::by_user(entries, kItems, kItems);
    const Csr<ItemIdx> train = test::by_user(test::random_ratings(kUsers, kItems, 0.2, 9), kUsers, kItems);
    const Csr<std::uint32_t> b = by_item.transposed<std::uint32_t>().transposed<std::uint32_t>();
    Given model(b);
    const Interactions interactions(train);
    const Histories histories;
    const Facets facets;
    const Executor exec(1);
    Progress silent;
    FitContext ctx{exec, Rng(1), silent};
    model.fit({interactions, histories, facets}, ctx);
    test::MemoryArchive archive;
    model.save(archive.writer());
    Given loaded{Csr<std::uint32_t>()};
    loaded.load(archive.reader());

    std::vector<Query> queries(kUsers);
    for (std::size_t u = 0; u < kUsers; ++u) queries[u].user = user_at(u);
    Matrix<float> out(kUsers, kItems), again(kUsers, kItems);
    model.score(queries, out);
    loaded.score(queries, again);
    std::size_t scored = 0;
    for (std::size_t u = 0; u < kUsers; ++u) {
      std::map<std::size_t, float> expected;
      for (std::size_t p = 0; p < train.row_size(u); ++p) {
        const std::size_t i = raw(train.indices(u)[p]);
        for (std::size_t n = 0; n < b.row_size(i); ++n) {
          float& score = expected[b.indices(i)[n]];
          score = std::fma(train.values(u)[p], b.values(i)[n], score);
        }
      }
      scored += expected.size();
      for (std::size_t j = 0; j < kItems; ++j) {
        const auto at = std::pair{static_cast<Eigen::Index>(u), static_cast<Eigen::Index>(j)};
        ASSERT_EQ(out(at.first, at.second), expected[j]) << density << " " << u << " " << j;
        ASSERT_EQ(again(at.first, at.second), expected[j]) << density << " " << u << " " << j;
      }
    }
    EXPECT_GT(scored, 100u);
  }
}

}  // namespace
}  // namespace segue
