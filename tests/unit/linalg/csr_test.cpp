#include "framework/linalg/csr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/triplets.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

TEST(Csr, RowsAndTheirLengths) {
  const Csr<ItemIdx> m = test::by_user({{0, 3, 1.5f}, {2, 0, 2}, {2, 4, 3}}, 3, 5);
  EXPECT_EQ(m.rows(), 3u);
  EXPECT_EQ(m.cols(), 5u);
  EXPECT_EQ(m.nnz(), 3u);
  EXPECT_EQ(m.row_size(1), 0u);
  EXPECT_TRUE(m.indices(1).empty());
  EXPECT_THAT(m.indices(2), ElementsAre(ItemIdx{0}, ItemIdx{4}));
  EXPECT_THAT(m.values(2), ElementsAre(2, 3));
  EXPECT_TRUE(m.has_values());
  EXPECT_FALSE(test::by_user({{0, 3, 1}}, 1, 5, false).has_values());
  EXPECT_TRUE(Csr<ItemIdx>().has_values());
  EXPECT_EQ(Csr<ItemIdx>().rows(), 0u);
}

TEST(Csr, TransposedTwiceIsTheSame) {
  for (const bool weighted : {true, false}) {
    const auto triplets = test::random_ratings(40, 30, 0.2, 5);
    const Csr<ItemIdx> m = test::by_user(triplets, 40, 30, weighted);
    const Csr<UserIdx> t = m.transposed<UserIdx>();
    ASSERT_EQ(t.rows(), 30u);
    ASSERT_EQ(t.cols(), 40u);
    std::size_t found = 0;
    for (const test::Triplet& x : triplets) {
      const auto users = t.indices(x.item);
      const auto at = std::find(users.begin(), users.end(), UserIdx{x.user});
      ASSERT_NE(at, users.end());
      EXPECT_TRUE(std::is_sorted(users.begin(), users.end()));
      if (weighted) {
        EXPECT_EQ(t.values(x.item)[static_cast<std::size_t>(at - users.begin())], x.weight);
      }
      ++found;
    }
    EXPECT_EQ(found, t.nnz());
    const Csr<ItemIdx> back = t.transposed<ItemIdx>();
    EXPECT_TRUE(std::equal(back.all_indices().begin(), back.all_indices().end(), m.all_indices().begin()));
    EXPECT_TRUE(std::equal(back.offsets().begin(), back.offsets().end(), m.offsets().begin(), m.offsets().end()));
    EXPECT_EQ(back.all_values().size(), weighted ? m.nnz() : 0);
  }
}

TEST(Csr, ArraysThatDoNotFitAreRefused) {
  const auto make = [](std::vector<std::uint64_t> offsets, std::vector<ItemIdx> items, std::vector<float> values) {
    return Csr<ItemIdx>(9, std::move(offsets), std::move(items), std::move(values));
  };
  EXPECT_NO_THROW(make({0, 1}, {ItemIdx{2}}, {}));
  EXPECT_THROW(make({0, 2}, {ItemIdx{2}}, {}), LogicError);
  EXPECT_THROW(make({}, {}, {}), LogicError);
  EXPECT_THROW(make({0, 1}, {ItemIdx{2}}, {1, 2}), LogicError);
}

}  // namespace
}  // namespace segue
