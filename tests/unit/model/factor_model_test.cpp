// What models trained by gradient steps share: rates, histories as rows, strata.
#include "framework/model/factor_model.hpp"

#include <gtest/gtest.h>

#include "framework/model/strata.hpp"

namespace segue {
namespace {

TEST(ScheduledRate, FollowsItsDefinition) {
  EXPECT_EQ(scheduled_rate(RateSchedule::kConstant, 0.5f, 7, 10), 0.5f);
  EXPECT_EQ(scheduled_rate(RateSchedule::kLinear, 0.5f, 1, 10), 0.5f);
  EXPECT_FLOAT_EQ(scheduled_rate(RateSchedule::kLinear, 0.5f, 10, 10), 0.05f);
  EXPECT_EQ(scheduled_rate(RateSchedule::kInverse, 0.5f, 1, 10), 0.5f);
  EXPECT_FLOAT_EQ(scheduled_rate(RateSchedule::kInverse, 0.5f, 11, 10), 0.25f);
}

TEST(HistoryRow, MergesRepeatsAndLeavesOutWhatIsUnknown) {
  const std::vector<ItemIdx> items{item_at(4), item_at(1), item_at(9), item_at(4), item_at(0)};
  const std::vector<float> weights{2, -1, 7, 0.5f, 3};
  const HistoryRow weighted = history_row({.history = items, .weights = weights}, 9);
  EXPECT_EQ(weighted.items, (std::vector<ItemIdx>{item_at(0), item_at(1), item_at(4)}));
  EXPECT_EQ(weighted.weights, (std::vector<float>{3, -1, 2.5f}));
  EXPECT_TRUE(weighted.weighted);
  const HistoryRow plain = history_row({.history = items}, 9);
  EXPECT_EQ(plain.items, weighted.items);
  EXPECT_EQ(plain.weights, (std::vector<float>{1, 1, 1})) << "twice is no more than once where there are no weights";
  EXPECT_FALSE(plain.weighted);
  EXPECT_TRUE(history_row({}, 9).items.empty());
}

TEST(Strata, GroupsAreEvenAndTheirBeginningsRight) {
  for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 1000u}) {
    const std::vector<std::uint32_t> order = random_order(n, Rng(2));
    const std::vector<std::uint8_t> group = groups_of(order, 16);
    for (std::size_t g = 0; g < 16; ++g) {
      const std::size_t begin = group_begin(g, 16, n), end = group_begin(g + 1, 16, n);
      EXPECT_LE(end - begin, n / 16 + 1);
      for (std::size_t p = begin; p < end; ++p) EXPECT_EQ(group[order[p]], g) << n;
    }
    EXPECT_EQ(group_begin(16, 16, n), n);
    std::vector<std::uint32_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t p = 0; p < n; ++p) EXPECT_EQ(sorted[p], p);
  }
}

// Every block once, and no two of one diagonal share a row or a column; the sum is that of all.
TEST(Strata, EveryBlockOnceAndDiagonalByDiagonal) {
  const Executor one(1);
  std::vector<std::pair<std::size_t, std::size_t>> visited;
  const double sum = for_strata(5, Rng(3), one, [&](std::size_t g, std::size_t h) {
    visited.emplace_back(g, h);
    return static_cast<double>(10 * g + h);
  });
  ASSERT_EQ(visited.size(), 25u);
  EXPECT_EQ(sum, 5 * 100 + 5 * 10);
  for (std::size_t first = 0; first < 25; first += 5) {
    for (std::size_t n = 0; n < 5; ++n) {
      EXPECT_EQ((visited[first + n].second + 5 - visited[first + n].first) % 5,
                (visited[first].second + 5 - visited[first].first) % 5);
    }
  }
  std::sort(visited.begin(), visited.end());
  for (std::size_t b = 0; b < 25; ++b) EXPECT_EQ(visited[b], std::pair(b / 5, b % 5));
}

TEST(Strata, GroupsGrowUntilTheirItemsFitTheCache) {
  EXPECT_EQ(strata_count(3706, 64), 16u);
  EXPECT_EQ(strata_count(50000, 64), 16u);  // 12.8 MB
  EXPECT_EQ(strata_count(50000, 128), 32u);
  EXPECT_EQ(strata_count(10000000, 128), 128u);
}

// A permutation of each window within itself.
TEST(Strata, ShufflesWithinWindows) {
  std::vector<std::uint32_t> values(2 * kShuffleWindow + 10);
  std::iota(values.begin(), values.end(), 0u);
  const std::vector<std::uint32_t> before = values;
  Rng rng(4);
  shuffle_windows(std::span(values), rng);
  std::size_t in_place = 0;
  for (std::size_t n = 0; n < values.size(); ++n) {
    EXPECT_EQ(values[n] / kShuffleWindow, n / kShuffleWindow);
    in_place += values[n] == n;
  }
  EXPECT_LT(in_place, 20u);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, before);
}

}  // namespace
}  // namespace segue
