#include "framework/data/filters.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/logs.hpp"

namespace segue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Ids = std::multiset<std::pair<std::size_t, std::size_t>>;

Ids pairs_of(const std::vector<Event>& events) {
  Ids out;
  for (const Event& e : events) out.emplace(raw(e.user), raw(e.item));
  return out;
}

// Removes one weak user or item at a time until none is left: slow, and in an order of its own.
Ids brute_force(Ids pairs, const FilterSpec& f) {
  while (true) {
    const auto count = [&](bool of_user, std::size_t id) {
      std::set<std::size_t> partners;
      std::size_t events = 0;
      for (const auto& [u, i] : pairs)
        if ((of_user ? u : i) == id) ++events, partners.insert(of_user ? i : u);
      return f.distinct ? partners.size() : events;
    };
    bool changed = false;
    for (const auto& [u, i] : Ids(pairs)) {
      const bool weak_user = count(true, u) < static_cast<std::size_t>(f.min_user_events);
      const bool weak_item = count(false, i) < static_cast<std::size_t>(f.min_item_events);
      if (!weak_user && !weak_item) continue;
      std::erase_if(pairs, [&, user = u, item = i](const auto& p) {
        return (weak_user && p.first == user) || (weak_item && p.second == item);
      });
      changed = true;
      break;
    }
    if (!changed) return pairs;
  }
}

TEST(KCore, IsTheFixedPoint) {
  std::set<int> passes;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Dataset data = test::dataset_of(test::random_log(seed, 14, 18, 110));
    for (const bool distinct : {false, true}) {
      const FilterSpec filter{.min_user_events = static_cast<int>(3 + seed % 4),
                              .min_item_events = static_cast<int>(2 + seed % 5),
                              .scope = "all",
                              .distinct = distinct};
      FilterReport report;
      const std::vector<Event> all = data.events.rows();
      const std::vector<Event> kept = k_core(all, filter, data.users.size(), data.items.size(), report);
      const Ids expected = brute_force(pairs_of(all), filter);
      EXPECT_EQ(pairs_of(kept), expected) << "seed " << seed << " distinct " << distinct;
      std::set<std::size_t> users, items;
      for (const auto& [u, i] : expected) users.insert(u), items.insert(i);
      EXPECT_EQ(report.events_before, all.size());
      EXPECT_EQ(report.events_after, expected.size());
      EXPECT_EQ(report.users_after, users.size());
      EXPECT_EQ(report.items_after, items.size());
      EXPECT_EQ(report.users_before, data.users.size());
      passes.insert(report.passes);
    }
  }
  EXPECT_GE(*passes.rbegin(), 3) << "no case needs to be iterated, so this test tests nothing";
}

TEST(KCore, DistinctCountsPartnersRatherThanEvents) {
  // a hears x four times; b hears x and y.
  const Dataset data =
      test::dataset_of({{"a", "x", 1}, {"a", "x", 2}, {"a", "x", 3}, {"a", "x", 4}, {"b", "x", 1}, {"b", "y", 1}});
  FilterReport report;
  FilterSpec filter{.min_user_events = 2, .min_item_events = 0, .scope = "train", .distinct = true};
  EXPECT_EQ(k_core(data.events.rows(), filter, 2, 2, report).size(), 2u);  // b's
  filter.distinct = false;
  FilterReport all;
  EXPECT_EQ(k_core(data.events.rows(), filter, 2, 2, all).size(), 6u);
  EXPECT_EQ(all.passes, 0);
}

// Every facet and a given split; item i<n> by artist r<n mod 2>, tagged, titled and so on after itself.
Dataset rich() {
  DatasetBuilder b("rich", "Rich");
  test::add_rows(b, {{"a", "i0", 1}, {"a", "i2", 2}, {"b", "i1", 3}, {"c", "i2", 4}, {"c", "i3", 5}});
  b.declare_item("new release");
  for (int i = 0; i < 4; ++i) {
    const std::string id = fmt::format("i{}", i);
    b.set_title(id, "title of " + id);
    b.set_artist(id, fmt::format("r{}", i % 2));
    b.add_tag(id, "tag of " + id, static_cast<float>(i + 1));
    b.add_word(id, "word of " + id, static_cast<float>(i + 1));
    b.set_release(id, 100 + i);
    b.set_audio(id, "audio of " + id);
    b.set_class(id, fmt::format("c{}", i % 2));
    b.set_fold(id, fmt::format("f{}", i));
  }
  b.add_tag_assignment("c", "i2", "by c");
  b.add_tag_assignment("b", "i2", "by b");
  b.add_train("f", {.user = "a", .item = "i2"});
  b.add_train("f", {.user = "b", .item = "i2"});
  b.add_test("f", {.user = "c", .item = "i2"});
  b.add_negative("f", "c", "i0");
  b.add_negative("f", "c", "i3");
  b.add_negative("f", "b", "i3");
  return b.build();
}

TEST(RestrictDataset, RenumbersEveryPart) {
  const Dataset all = rich();
  std::vector<std::uint8_t> users(all.users.size(), 1), items(all.items.size(), 1);
  users[all.users.find("b").value()] = 0;
  items[all.items.find("i0").value()] = 0;
  items[all.items.find("i1").value()] = 0;
  const Dataset some = restrict_dataset(all, users, items);

  EXPECT_THAT(some.users.table().to_vector(), ElementsAre("a", "c"));
  EXPECT_THAT(some.items.table().to_vector(), ElementsAre("i2", "i3", "new release"));
  std::vector<std::string> log;
  for (const Event& e : some.events.rows())
    log.push_back(fmt::format("{} {} {}", some.users[raw(e.user)], some.items[raw(e.item)], e.time));
  EXPECT_THAT(log, ElementsAre("a i2 2", "c i2 4", "c i3 5"));
  EXPECT_EQ(some.facets.names(), all.facets.names());
  EXPECT_EQ(some.facets.dataset_name(), "rich");
  EXPECT_EQ(some.facets.require<ItemText>().titles[1], "title of i3");
  EXPECT_EQ(some.facets.require<ItemAudio>().sources[0], "audio of i2");
  EXPECT_EQ(some.facets.require<ItemRelease>().released[1], 103);
  EXPECT_EQ(some.facets.require<ItemRelease>().released[2], ItemRelease::kUnknown);
  const auto& artist = some.facets.require<ItemArtist>();
  EXPECT_EQ(artist.artists[artist.artist_of[1]], "r1");
  EXPECT_EQ(artist.artist_of[2], kNoArtist);
  const auto& kind = some.facets.require<ItemClass>();
  EXPECT_EQ(kind.classes[kind.class_of[0]], "c0");
  EXPECT_EQ(kind.folds[kind.fold_of[1]], "f3");
  EXPECT_EQ(kind.class_of[2], ItemClass::kNone);
  EXPECT_EQ(kind.fold_of[2], ItemClass::kNone);
  const auto& words = some.facets.require<ItemWords>();
  ASSERT_EQ(words.counts.row_size(0), 1u);
  EXPECT_EQ(words.words[static_cast<std::size_t>(words.counts.indices(0)[0])], "word of i2");
  EXPECT_EQ(words.counts.values(0)[0], 3);
  const auto& tags = some.facets.require<ItemTags>();
  EXPECT_EQ(tags.weights.rows(), 3u);
  EXPECT_EQ(tags.weights.row_size(0), 3u);  // its own, and what b and c gave
  ASSERT_EQ(tags.by_user.size(), 1u);       // b is gone, b's tag still counts
  EXPECT_EQ(some.users[raw(tags.by_user[0])], "c");
  EXPECT_EQ(some.items[raw(tags.by_item[0])], "i2");
  EXPECT_EQ(tags.tags[static_cast<std::size_t>(tags.by_tag[0])], "by c");
  ASSERT_EQ(some.given.size(), 1u);
  EXPECT_EQ(some.given[0].train.size(), 1u);
  EXPECT_EQ(some.given[0].test.size(), 1u);
  ASSERT_EQ(some.given[0].negatives.rows(), 2u);
  EXPECT_EQ(some.given[0].negatives.cols(), 3u);
  EXPECT_THAT(some.given[0].negatives.indices(1), ElementsAre(ItemIdx{1}));
}

TaskSpec task_of(const std::string& scope, int min_user, int min_item) {
  TaskSpec spec;
  spec.filter.scope = scope;
  spec.filter.min_user_events = min_user;
  spec.filter.min_item_events = min_item;
  return spec;
}

TEST(Filter, OnAllEventsMakesASmallerDataSet) {
  // c and z have too little; without z, b's log is too short.
  const test::Log log{{"a", "x", 1}, {"a", "y", 2}, {"a", "w", 3}, {"d", "x", 1}, {"d", "y", 2},
                      {"d", "w", 3}, {"b", "x", 1}, {"b", "y", 2}, {"b", "z", 3}, {"c", "x", 1}};
  const PreparedFold fold = prepare_fold(test::dataset_of(log), task_of("all", 3, 2), "all");
  EXPECT_THAT(fold.users.table().to_vector(), ElementsAre("a", "d"));
  EXPECT_THAT(fold.items.table().to_vector(), ElementsAre("w", "x", "y"));
  EXPECT_EQ(fold.train.size(), 4u);
  EXPECT_EQ(fold.test.size(), 2u);
  EXPECT_EQ(fold.filter.users_before, 4u);
  EXPECT_EQ(fold.filter.users_after, 2u);
  EXPECT_EQ(fold.filter.items_after, 3u);
  EXPECT_EQ(fold.filter.events_after, 6u);
  EXPECT_EQ(fold.filter.passes, 2);
}

TEST(Filter, OnTheTrainingWindowCountsWhatIsLeftToTrainOn) {
  // With one test event each, b keeps one training event, and item y is trained by a alone.
  const test::Log log{{"a", "x", 1}, {"a", "y", 2}, {"a", "w", 3}, {"d", "x", 1}, {"d", "w", 2}, {"d", "y", 3},
                      {"e", "x", 1}, {"e", "w", 2}, {"e", "v", 3}, {"b", "x", 1}, {"b", "y", 2}};
  const PreparedFold fold = prepare_fold(test::dataset_of(log), task_of("train", 2, 2), "all");
  EXPECT_EQ(fold.users.size(), 4u);  // no vocabulary changes
  EXPECT_EQ(fold.items.size(), 4u);
  EXPECT_EQ(fold.train.size(), 4u);  // x and w of d and e; a falls once y is gone
  std::vector<std::string> judged;
  for (const UserIdx u : fold.test.users) judged.emplace_back(fold.users[raw(u)]);
  EXPECT_THAT(judged, ElementsAre("d", "e"));
  EXPECT_EQ(fold.leaks.truth_unreachable, 2u);  // y and v stay in the truth
  EXPECT_EQ(fold.filter.passes, 2);
}

TEST(Filter, AThresholdOfZeroDropsNobody) {
  DatasetBuilder b("toy");
  test::add_rows(b, {{"a", "x", 1}, {"a", "y", 2}, {"b", "x", 1}, {"b", "y", 2}, {"c", "x", 9}});
  b.declare_item("new release");
  const Dataset data = b.build();
  TaskSpec spec = task_of("all", 2, 0);
  spec.split.strategy = "global_time";
  spec.split.at = 2;
  const PreparedFold all = prepare_fold(data, spec, "all");
  EXPECT_THAT(all.items.table().to_vector(), ElementsAre("new release", "x", "y"));
  EXPECT_THAT(all.users.table().to_vector(), ElementsAre("a", "b"));

  spec.filter = task_of("train", 0, 2).filter;  // nothing is asked of users: c is cold, and judged
  const PreparedFold train = prepare_fold(data, spec, "all");
  EXPECT_EQ(train.test.size(), 3u);
  EXPECT_EQ(train.leaks.cold_users, 1u);
  spec.filter.min_user_events = 1;
  EXPECT_EQ(prepare_fold(data, spec, "all").test.size(), 2u);
}

}  // namespace
}  // namespace segue
