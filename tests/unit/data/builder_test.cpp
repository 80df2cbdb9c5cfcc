#include <cmath>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/rng.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/interner.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

// Every call that describes one small data set; the order of the calls must not matter.
std::vector<std::function<void(DatasetBuilder&)>> statements() {
  std::vector<std::function<void(DatasetBuilder&)>> out;
  Rng rng(11);
  for (int i = 0; i < 300; ++i) {
    const std::string user = fmt::format("u{}", rng.below(20)), item = std::to_string(rng.below(40));
    const DatasetBuilder::Row row{"",
                                  "",
                                  static_cast<std::int64_t>(rng.below(50)),
                                  EventKind::kPlay,
                                  static_cast<float>(rng.below(3)),
                                  static_cast<std::uint32_t>(rng.below(5))};
    const auto with_ids = [=] {
      DatasetBuilder::Row r = row;
      r.user = user;
      r.item = item;
      return r;
    };
    out.push_back([=](DatasetBuilder& b) { b.add(with_ids()); });
    if (i % 3 == 0) out.push_back([=](DatasetBuilder& b) { b.add_train(i % 2 == 0 ? "f2" : "f10", with_ids()); });
    if (i % 7 == 0) out.push_back([=](DatasetBuilder& b) { b.add_test("f2", with_ids()); });
    if (i % 5 == 0) out.push_back([=](DatasetBuilder& b) { b.add_negative("f2", user, item); });
    const float weight = 0.1f * static_cast<float>(i);
    const std::string tag = i % 2 == 0 ? "rock" : std::to_string(i % 11);
    out.push_back([=](DatasetBuilder& b) { b.add_tag(item, tag, weight); });
    out.push_back([=](DatasetBuilder& b) { b.add_word(item, tag + "w", weight); });
    if (i % 4 == 0) out.push_back([=](DatasetBuilder& b) { b.add_tag_assignment(user, item, tag); });
    out.push_back([=](DatasetBuilder& b) { b.set_title(item, "title " + tag); });
    out.push_back([=](DatasetBuilder& b) { b.set_artist(item, "artist " + tag); });
    out.push_back([=](DatasetBuilder& b) { b.set_release(item, i); });
    out.push_back([=](DatasetBuilder& b) { b.set_audio(item, "tone " + tag); });
    out.push_back([=](DatasetBuilder& b) { b.set_class(item, tag); });
    if (i % 3 == 0) out.push_back([=](DatasetBuilder& b) { b.set_fold(item, std::to_string(i % 5)); });
  }
  out.push_back([](DatasetBuilder& b) { b.declare_item("new release"); });
  out.push_back([](DatasetBuilder& b) { b.declare_user("nobody"); });
  return out;
}

Dataset built(std::vector<std::function<void(DatasetBuilder&)>> calls, std::uint64_t shuffle_seed) {
  if (shuffle_seed != 0) Rng(shuffle_seed).shuffle(std::span(calls));
  DatasetBuilder builder("small");
  builder.set_has_sessions(true);
  for (const auto& call : calls) call(builder);
  return builder.build();
}

TEST(DatasetBuilder, OrderOfTheInputDoesNotMatter) {
  const Dataset first = built(statements(), 0);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Dataset other = built(statements(), seed);
    EXPECT_EQ(other.fingerprint(), first.fingerprint()) << "seed " << seed;
    EXPECT_EQ(other.items.table().to_vector(), first.items.table().to_vector());
    EXPECT_THAT(other.facets.require<ItemTags>().tags.to_vector(), first.facets.require<ItemTags>().tags.to_vector());
  }
}

TEST(DatasetBuilder, AnyFactChangesTheFingerprint) {
  const auto calls = statements();
  std::set<std::string> seen{built(calls, 0).fingerprint()};
  const std::vector<std::function<void(DatasetBuilder&)>> facts = {
      [](auto& b) { b.add({.user = "u1", .item = "1"}); },
      [](auto& b) { b.add_train("f2", {.user = "u1", .item = "1"}); },
      [](auto& b) { b.add_test("f2", {.user = "u1", .item = "1"}); },
      [](auto& b) { b.add_test("f3", {.user = "u1", .item = "1"}); },
      [](auto& b) { b.add_negative("f2", "u1", "new release"); },
      [](auto& b) { b.declare_item("another"); },
      [](auto& b) { b.declare_user("another"); },
      [](auto& b) { b.set_title("new release", "x"); },
      [](auto& b) { b.set_artist("new release", "x"); },
      [](auto& b) { b.add_tag("new release", "rock"); },
      [](auto& b) { b.add_tag_assignment("nobody", "new release", "rock"); },
      [](auto& b) { b.add_word("new release", "rockw"); },
      [](auto& b) { b.set_release("new release", 1); },
      [](auto& b) { b.set_audio("new release", "x"); },
      [](auto& b) { b.set_class("new release", "rock"); },
      [](auto& b) { b.set_class("new release", "another"); },
      [](auto& b) { b.set_fold("new release", "1"); },
      [](auto& b) { b.set_fold("new release", "2"); },
      [](auto& b) { b.set_has_times(false); },
      [](auto& b) { b.set_has_ratings(true); },
      [](auto& b) { b.set_has_sessions(false); },
  };
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto more = calls;
    more.push_back(facts[i]);
    EXPECT_TRUE(seen.insert(built(more, 0).fingerprint()).second) << "fact " << i << " left no trace";
  }
}

TEST(DatasetBuilder, KeepsEqualRowsAsSeparateEvents) {
  DatasetBuilder builder("d");
  for (int i = 0; i < 3; ++i) builder.add({.user = "a", .item = "x", .time = 5});
  EXPECT_EQ(builder.n_events(), 3u);
  EXPECT_EQ(builder.build().events.size(), 3u);
  EXPECT_EQ(builder.n_events(), 0u);  // build() leaves it empty
  EXPECT_EQ(builder.build().items.size(), 0u);
}

TEST(DatasetBuilder, PutsIdsIntoCanonicalOrder) {
  DatasetBuilder builder("d", "A data set");
  builder.add({.user = "10", .item = "b", .time = 2, .kind = EventKind::kPlay, .value = 3});
  builder.add({.user = "9", .item = "a", .time = 1, .kind = EventKind::kPlay, .value = -0.f});
  const Dataset data = builder.build();
  EXPECT_EQ(data.title, "A data set");
  EXPECT_THAT(data.users.table().to_vector(), ElementsAre("9", "10"));
  ASSERT_EQ(data.events.size(), 2u);
  EXPECT_EQ(data.events[1].user, user_at(1));
  EXPECT_EQ(data.events[1].item, item_at(1));
  EXPECT_EQ(data.events[1].value, 3.f);
  EXPECT_FALSE(std::signbit(data.events[0].value));
  EXPECT_TRUE(data.facets.names().empty());
  EXPECT_TRUE(data.given.empty());
}

TEST(DatasetBuilder, FactsAboutUnknownItemsLeaveNoTrace) {
  DatasetBuilder plain("d"), talkative("d");
  for (DatasetBuilder* b : {&plain, &talkative}) {
    b->add({.user = "u", .item = "x"});
    b->add_tag("x", "pop", 2);
  }
  talkative.set_title("ghost", "Ghost");
  talkative.set_artist("ghost", "Ghosts");
  talkative.add_tag("ghost", "haunted");
  talkative.add_tag_assignment("u", "ghost", "haunted");
  talkative.add_word("ghost", "boo");
  talkative.set_release("ghost", 3);
  talkative.set_audio("ghost", "boo.ogg");
  talkative.set_class("ghost", "horror");
  talkative.set_fold("ghost", "13");
  EXPECT_EQ(plain.build().fingerprint(), talkative.build().fingerprint());
}

TEST(DatasetBuilder, WeighsTags) {
  DatasetBuilder builder("d");
  builder.set_title("2", "Two");
  builder.add({.user = "u1", .item = "1"});
  builder.add({.user = "u2", .item = "2"});
  builder.add_tag("2", "rock", 2.5f);
  builder.add_tag("2", "", 9);
  builder.add_tag_assignment("u2", "2", "rock");
  builder.add_tag_assignment("u2", "2", "rock");        // said twice by one person
  builder.add_tag_assignment("stranger", "2", "rock");  // no user, yet a person
  builder.add_tag_assignment("u1", "2", "70s");
  builder.add_tag_assignment("u1", "1", "ambient");
  const Dataset data = builder.build();
  const ItemTags& tags = data.facets.require<ItemTags>();
  EXPECT_THAT(tags.tags.to_vector(), ElementsAre("70s", "ambient", "rock"));
  ASSERT_EQ(tags.weights.rows(), 2u);
  EXPECT_EQ(tags.weights.cols(), 3u);
  EXPECT_THAT(tags.weights.indices(1), ElementsAre(TermIdx{0}, TermIdx{2}));
  EXPECT_THAT(tags.weights.values(1), ElementsAre(1.f, 4.5f));
  EXPECT_THAT(tags.by_user.span(), ElementsAre(user_at(0), user_at(0), user_at(1)));
  EXPECT_THAT(tags.by_item.span(), ElementsAre(item_at(0), item_at(1), item_at(1)));
  EXPECT_THAT(tags.by_tag.span(), ElementsAre(TermIdx{1}, TermIdx{0}, TermIdx{2}));
  EXPECT_THAT(data.facets.require<ItemText>().titles.to_vector(), ElementsAre("", "Two"));
}

TEST(DatasetBuilder, ArtistsReleasesAndAudio) {
  DatasetBuilder builder("d");
  for (const char* item : {"1", "2", "3"}) builder.declare_item(item);
  builder.set_artist("3", "Björk");
  builder.set_artist("1", "ABBA");
  builder.set_release("2", 100);
  builder.set_release("2", 50);
  builder.set_audio("3", "3.ogg");
  const Dataset data = builder.build();
  const ItemArtist& artist = data.facets.require<ItemArtist>();
  EXPECT_THAT(artist.artists.to_vector(), ElementsAre("ABBA", "Björk"));
  EXPECT_THAT(artist.artist_of.span(), ElementsAre(0u, kNoArtist, 1u));
  EXPECT_THAT(data.facets.require<ItemRelease>().released.span(),
              ElementsAre(ItemRelease::kUnknown, 50, ItemRelease::kUnknown));
  EXPECT_THAT(data.facets.require<ItemAudio>().sources.to_vector(), ElementsAre("", "", "3.ogg"));
  EXPECT_THROW(data.facets.require<ItemTags>(), DataError);
}

TEST(DatasetBuilder, ClassesAndFolds) {
  DatasetBuilder builder("d");
  for (const char* item : {"1", "2", "3"}) builder.declare_item(item);
  builder.set_class("3", "rain");
  builder.set_class("1", "dog");
  builder.set_fold("2", "10");
  builder.set_fold("3", "9");
  const Dataset data = builder.build();
  const auto& kind = data.facets.require<ItemClass>();
  EXPECT_THAT(kind.classes.to_vector(), ElementsAre("dog", "rain"));
  EXPECT_THAT(kind.class_of.span(), ElementsAre(0u, ItemClass::kNone, 1u));
  EXPECT_THAT(kind.folds.to_vector(), ElementsAre("9", "10"));
  EXPECT_THAT(kind.fold_of.span(), ElementsAre(ItemClass::kNone, 1u, 0u));
  DatasetBuilder without("d");
  without.declare_item("1");
  without.set_class("1", "dog");
  const Dataset unfolded = without.build();
  EXPECT_EQ(unfolded.facets.require<ItemClass>().folds.size(), 0u);
  EXPECT_THAT(unfolded.facets.require<ItemClass>().fold_of.span(), ElementsAre(ItemClass::kNone));
}

// The same recordings in another place are the same data set; others are another.
TEST(DatasetBuilder, WhereSoundFilesLieIsNoContent) {
  const auto fingerprint = [](const std::vector<std::string>& sources) {
    DatasetBuilder builder("d");
    for (std::size_t i = 0; i < sources.size(); ++i) {
      builder.declare_item(std::to_string(i));
      builder.set_audio(std::to_string(i), sources[i]);
    }
    return builder.build().fingerprint();
  };
  const std::string here = fingerprint({"/home/me/music/a/1.ogg", "", "/home/me/music/b/2.ogg"});
  EXPECT_EQ(fingerprint({"/data/a/1.ogg", "", "/data/b/2.ogg"}), here);
  EXPECT_EQ(fingerprint({"/a/1.ogg", "", "/b/2.ogg"}), here);
  EXPECT_NE(fingerprint({"/home/me/music/a/1.ogg", "", "/home/me/music/a/2.ogg"}), here);
  EXPECT_NE(fingerprint({"/home/me/music/ab/1.ogg", "", "/home/me/music/ac/2.ogg"}), here);  // whole folders only
  EXPECT_NE(fingerprint({"a/1.ogg", "", "/b/2.ogg"}), fingerprint({"a/1.ogg", "", "/c/b/2.ogg"}));
  EXPECT_EQ(fingerprint({"/x/1.ogg"}), fingerprint({"/y/1.ogg"}));
}

TEST(DatasetBuilder, GivenSplitsStandApartFromTheLog) {
  DatasetBuilder builder("d");
  builder.add_train("u2", {.user = "a", .item = "x"});
  builder.add_test("u1", {.user = "a", .item = "y"});
  builder.add_negative("u1", "b", "z");
  builder.add_negative("u1", "b", "w");
  builder.add_negative("u1", "b", "z");
  const Dataset data = builder.build();
  EXPECT_TRUE(data.events.empty());
  EXPECT_EQ(data.items.size(), 4u);
  ASSERT_EQ(data.given.size(), 2u);
  EXPECT_EQ(data.given[0].name, "u1");
  EXPECT_EQ(data.given[0].test.size(), 1u);
  ASSERT_EQ(data.given[0].negatives.rows(), 2u);
  EXPECT_EQ(data.given[0].negatives.cols(), 4u);
  EXPECT_EQ(data.given[0].negatives.row_size(0), 0u);
  EXPECT_THAT(data.given[0].negatives.indices(1), ElementsAre(item_at(0), item_at(3)));
  EXPECT_EQ(data.given[1].negatives.rows(), 0u);
}

TEST(DatasetBuilder, SessionsAreNumberedByTheirBeginning) {
  DatasetBuilder builder("d");
  builder.set_has_sessions(true);
  builder.add({.user = "a", .item = "x", .time = 30, .session = 4});
  builder.add({.user = "a", .item = "x", .time = 10, .session = 9});
  builder.add({.user = "a", .item = "y", .time = 40, .session = 9});
  builder.add({.user = "b", .item = "y", .time = 20, .session = 9});
  builder.add_test("t", {.user = "a", .item = "y", .time = 50, .session = 2});
  const Dataset data = builder.build();
  EXPECT_THAT(data.events.sessions().span(), ElementsAre(0u, 1u, 0u, 0u));
  EXPECT_THAT(data.given[0].test.sessions().span(), ElementsAre(2u));
}

TEST(DatasetBuilder, RefusesWhatLoadersMustHaveCaught) {
  DatasetBuilder builder("d");
  EXPECT_THROW(builder.add({.user = "", .item = "x"}), LogicError);
  EXPECT_THROW(builder.add({.user = "u", .item = "x", .value = NAN}), LogicError);
}

struct Mystery : Facet {
  std::string_view name() const override { return "mystery"; }
};

TEST(Fingerprint, AFacetItDoesNotKnowIsABug) {
  Dataset data;
  data.facets.add(std::make_shared<Mystery>());
  EXPECT_THROW(data.fingerprint(), LogicError);
}

TEST(Interner, GivesEachTextOneNumber) {
  Interner interner;
  EXPECT_EQ(interner.find("a"), Interner::kNone);
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_EQ(interner.intern(std::to_string(i)), i);
  }
  EXPECT_EQ(interner.size(), 5000u);
  EXPECT_EQ(interner[4321], "4321");
  EXPECT_EQ(interner.find("4999"), 4999u);
  EXPECT_EQ(interner.find("5000"), Interner::kNone);
  EXPECT_EQ(interner.intern(""), 5000u);
}

}  // namespace
}  // namespace segue
