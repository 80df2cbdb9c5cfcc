#include "framework/data/events.hpp"

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue {
namespace {

bool same(const Event& a, const Event& b) {
  return a.user == b.user && a.item == b.item && a.time == b.time && a.kind == b.kind && a.value == b.value &&
         a.session == b.session;
}

TEST(Events, SortsByUserTimeItemKindValue) {
  const Event expected[] = {
      {user_at(0), item_at(5), -3, EventKind::kPlay, 2, 0},  {user_at(0), item_at(1), 7, EventKind::kPlay, 1, 0},
      {user_at(0), item_at(2), 7, EventKind::kPlay, 1, 0},   {user_at(0), item_at(2), 7, EventKind::kSkip, 1, 0},
      {user_at(0), item_at(2), 7, EventKind::kSkip, 4, 0},   {user_at(0), item_at(2), 7, EventKind::kSkip, 4, 1},
      {user_at(2), item_at(0), 0, EventKind::kRating, 1, 0},
  };
  std::vector<Event> rows(std::begin(expected), std::end(expected));
  Rng rng(4);
  for (int round = 0; round < 20; ++round) {
    rng.shuffle(std::span<Event>(rows));
    const Events events(rows);
    ASSERT_EQ(events.size(), std::size(expected));
    for (std::size_t i = 0; i < events.size(); ++i) EXPECT_TRUE(same(events[i], expected[i])) << "row " << i;
  }
}

TEST(Events, RowsGiveBackTheColumns) {
  const Events events({{user_at(1), item_at(2), 3, EventKind::kLike, 5, 6}});
  const auto rows = events.rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(same(rows[0], {user_at(1), item_at(2), 3, EventKind::kLike, 5, 6}));
  EXPECT_TRUE(Events().empty());
}

TEST(Events, EveryKindHasAName) {
  EXPECT_EQ(event_kind_name(EventKind::kRating), "rating");
  EXPECT_EQ(event_kind_name(EventKind::kPlaylistAdd), "playlist_add");
}

}  // namespace
}  // namespace segue
