// Splits that hold out every event of an item.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/split.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using test::split_of;

// 40 items by ten artists and by one whom nobody knows, released one a day but for pairs on one day; ten were never
// played.
Dataset discography() {
  DatasetBuilder builder("toy");
  builder.set_has_times(true);
  test::add_rows(builder, test::random_log(5, 30, 30, 900));
  for (int i = 0; i < 40; ++i) {
    const std::string item = std::to_string(i);
    builder.declare_item(item);
    if (i % 11 != 10) builder.set_artist(item, fmt::format("artist {}", i % 11));
    if (i != 3) builder.set_release(item, i / 2 * 86400);
  }
  return builder.build();
}

std::set<ItemIdx> items_of(const std::vector<Event>& events) {
  std::set<ItemIdx> out;
  for (const Event& e : events) out.insert(e.item);
  return out;
}

TEST(ColdItems, HaveNoEventElsewhere) {
  const Dataset data = discography();
  for (const char* by : {"item", "artist", "release"}) {
    SplitSpec spec = split_of("cold_items", 0.3, 0.2);
    spec.cold_by = by;
    const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
    EXPECT_EQ(parts.train.size() + parts.validation.size() + parts.test.size(), data.events.size());
    std::set<std::size_t> seen;
    std::size_t all = 0;
    for (const auto* part : {&parts.train, &parts.validation, &parts.test}) {
      EXPECT_FALSE(part->empty()) << by;
      for (const ItemIdx item : items_of(*part)) {
        seen.insert(raw(item));
        ++all;
      }
    }
    EXPECT_EQ(seen.size(), all) << by << ": an item stands in two parts";
    EXPECT_EQ(seen.size(), 30u);
  }
}

TEST(ColdItems, AreAShareOfThosePlayed) {
  const Dataset data = discography();
  const SplitEvents parts = split_events(data.events.rows(), data, split_of("cold_items", 0.3, 0.2), "all");
  EXPECT_EQ(items_of(parts.test).size(), 9u);
  EXPECT_EQ(items_of(parts.validation).size(), 6u);
}

TEST(ColdItems, ByArtistNoArtistStandsOnTwoSides) {
  const Dataset data = discography();
  SplitSpec spec = split_of("cold_items", 0.3, 0.2);
  spec.cold_by = "artist";
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  const auto& artist_of = data.facets.require<ItemArtist>().artist_of;
  std::map<std::uint32_t, std::set<int>> sides;
  int side = 0;
  for (const auto* part : {&parts.train, &parts.validation, &parts.test}) {
    for (const ItemIdx item : items_of(*part))
      if (artist_of[raw(item)] != kNoArtist) sides[artist_of[raw(item)]].insert(side);
    ++side;
  }
  EXPECT_EQ(sides.size(), 10u);
  for (const auto& [artist, on] : sides) EXPECT_EQ(on.size(), 1u) << artist;
  // 10 artists, and two items (10, 21) whose artist is not known: round(0.3 x 12) of them.
  std::set<std::string> lots;
  for (const ItemIdx item : items_of(parts.test))
    lots.insert(artist_of[raw(item)] == kNoArtist ? fmt::format("item {}", raw(item))
                                                  : fmt::format("artist {}", artist_of[raw(item)]));
  EXPECT_EQ(lots.size(), 4u);
}

TEST(ColdItems, ByReleaseTheLatestAreHeldOut) {
  const Dataset data = discography();
  SplitSpec spec = split_of("cold_items", 0.3, 0.2);
  spec.cold_by = "release";
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  const auto& released = data.facets.require<ItemRelease>().released;
  const auto range = [&](const std::vector<Event>& events) {
    std::pair out(INT64_MAX, INT64_MIN);
    for (const ItemIdx item : items_of(events))
      if (released[raw(item)] != ItemRelease::kUnknown)
        out = {std::min(out.first, released[raw(item)]), std::max(out.second, released[raw(item)])};
    return out;
  };
  EXPECT_LT(range(parts.train).second, range(parts.validation).first);
  EXPECT_LT(range(parts.validation).second, range(parts.test).first);
  // 29 have a date: 9 would be tested, and the one that was released on the day of the ninth; then up to the 15th.
  EXPECT_EQ(items_of(parts.test).size(), 10u);
  EXPECT_EQ(items_of(parts.validation).size(), 6u);
  EXPECT_TRUE(items_of(parts.train).contains(item_at(*data.items.find("3"))));  // not known to be new
}

TEST(ColdItems, NeedWhatTheyAreDrawnBy) {
  const Dataset data = test::dataset_of(test::random_log(5, 30, 30, 900));
  SplitSpec spec = split_of("cold_items");
  for (const char* by : {"artist", "release"}) {
    spec.cold_by = by;
    EXPECT_THROW(split_events(data.events.rows(), data, spec, "all"), DataError) << by;
  }
  spec = split_of("cold_items", 0.7, 0.3);
  EXPECT_EQ(message_of<UsageError>([&] { split_events(data.events.rows(), data, spec, "all"); }),
            "split: test + validation = 1 leaves nothing to train on");
}

}  // namespace
}  // namespace segue
