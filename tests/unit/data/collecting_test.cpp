// What a data set is put together from: growing arrays, texts, events, titles of users.
#include <algorithm>
#include <cstring>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/data/collect.hpp"
#include "framework/data/event_log.hpp"
#include "framework/data/filters.hpp"
#include "framework/data/snapshot.hpp"
#include "framework/data/user_facets.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

TEST(PageVector, KeepsWhatItHoldsWhileItGrows) {
  PageVector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 3'000'000; ++i) values.push_back(i * 7);
  ASSERT_EQ(values.size(), 3'000'000u);
  for (std::uint64_t i = 0; i < values.size(); i += 997) ASSERT_EQ(values[i], i * 7);
  PageVector<std::uint64_t> other = std::move(values);
  EXPECT_EQ(values.size(), 0u);
  EXPECT_EQ(other[2'999'999], 2'999'999u * 7);
  const std::uint64_t* zeros = other.extend(1000);
  EXPECT_TRUE(std::all_of(zeros, zeros + 1000, [](std::uint64_t z) { return z == 0; }));
  other.clear();
  EXPECT_EQ(other.size(), 0u);
  other.resize(5, 3);
  EXPECT_EQ(other[4], 3u);
}

// Against a map, with texts of every length, also with those that share a hash's place.
TEST(Interner, AgreesWithAMap) {
  Interner interner;
  std::map<std::string, std::uint32_t> known;
  Rng rng(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string text(rng.below(40), 'x');
    for (char& c : text) c = static_cast<char>('a' + rng.below(3));
    if (rng.below(4) == 0) text += '\0';
    const auto [it, is_new] = known.emplace(text, static_cast<std::uint32_t>(known.size()));
    const std::uint32_t hash = Interner::hash_of(text);
    interner.fetch_slot(hash);
    interner.fetch_text(hash);
    ASSERT_EQ(interner.find(text), is_new ? Interner::kNone : it->second);
    ASSERT_EQ(i % 2 == 0 ? interner.intern(text) : interner.intern(text, hash), it->second);
  }
  ASSERT_EQ(interner.size(), known.size());
  interner.seal();
  for (const auto& [text, number] : known) ASSERT_EQ(interner[number], text);
}

TEST(CanonicalOrder, IsThatOfTheVocabulary) {
  Interner interner;
  std::vector<std::uint32_t> numbers;
  Rng rng(2);
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::uint64_t n = 1 + rng.below(12); n > 0; --n) text += "019aZ\xC3\xA9 "[rng.below(8)];
    if (i % 3 == 0) text = std::to_string(rng.next_u64() >> rng.below(64));
    if (i % 300 == 0) text = std::string(100 + rng.below(60), '1') + std::to_string(i);  // longer than a key can say
    numbers.push_back(interner.intern(text));
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::vector<std::uint32_t> expected = numbers;
  std::sort(expected.begin(), expected.end(), [&](auto a, auto b) { return canonical_less(interner[a], interner[b]); });
  EXPECT_EQ(canonical_order(interner, numbers), expected);
}

TEST(EventLog, StandsInTheOrderOfEvents) {
  Rng rng(3);
  std::vector<Event> rows;
  EventLog log;
  for (int i = 0; i < 100'000; ++i) {
    rows.push_back({user_at(rng.below(300)), item_at(rng.below(50)), static_cast<std::int64_t>(rng.below(40)) - 20,
                    static_cast<EventKind>(rng.below(6)), static_cast<float>(rng.below(3)), static_cast<std::uint32_t>(rng.below(3))});
    log.add(rows.back());
  }
  std::size_t visited = 0;
  log.each([&](Event& e) {
    EXPECT_EQ(e.item, rows[visited].item);
    e.session = rows[visited++].session += 1;
  });
  const Events expected(rows), got = log.finish(301);
  ASSERT_EQ(got.size(), expected.size());
  EXPECT_EQ(log.size(), 0u);
  const auto same = [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  EXPECT_TRUE(same(got.users(), expected.users()));
  EXPECT_TRUE(same(got.items(), expected.items()));
  EXPECT_TRUE(same(got.times(), expected.times()));
  EXPECT_TRUE(same(got.kinds(), expected.kinds()));
  EXPECT_TRUE(same(got.values(), expected.values()));
  EXPECT_TRUE(same(got.sessions(), expected.sessions()));
  EXPECT_EQ(EventLog().finish(0).size(), 0u);
}

std::vector<std::string> titles_of(const Facets& facets) { return facets.require<UserText>().titles.to_vector(); }

TEST(UserText, GoesWhereItsUsersGo) {
  Dataset data = test::dataset_of({{"a", "1", 0}, {"a", "2", 1}, {"b", "1", 0}, {"c", "2", 0}, {"c", "1", 2}});
  const std::string without = data.fingerprint();
  UserTitles titles;
  titles.set("c", "summer");
  titles.set("z", "of nobody");
  titles.set("c", "autumn");
  titles.set("a", "");
  titles.set("a", "chill");
  titles.place(data);
  EXPECT_THAT(titles_of(data.facets), ElementsAre("chill", "", "autumn"));
  const std::string with = data.fingerprint();
  EXPECT_NE(with, without);
  EXPECT_THAT(titles_of(restrict_dataset(data, {0, 1, 1}, {1, 1}).facets), ElementsAre("", "autumn"));
  TaskSpec task;
  const test::TempFolder folder;
  write_snapshot(prepare_fold(data, task, "all"), folder / "fold");
  EXPECT_THAT(titles_of(map_snapshot(folder / "fold").facets), ElementsAre("chill", "", "autumn"));
  titles.set("a", "a title that comes first");
  titles.place(data);
  EXPECT_NE(data.fingerprint(), with);
}

}  // namespace
}  // namespace segue
