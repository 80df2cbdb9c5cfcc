#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/loader.hpp"
#include "tests/unit/demo/world_fixture.hpp"

void segue_register_dataset_demo(segue::DatasetRegistry& registry);

namespace segue::demo {
namespace {

using ::testing::HasSubstr;

TEST(DemoDataset, HoldsTheWorld) {
  const World world = make_world(test::small());
  const Dataset data = to_dataset(world);
  EXPECT_EQ(data.name, "demo");
  EXPECT_EQ(data.users.size(), world.listeners.size());
  EXPECT_EQ(data.items.size(), world.tracks.size());
  EXPECT_TRUE(data.has_times && data.has_sessions && !data.has_ratings);
  ASSERT_FALSE(data.notes.empty());
  EXPECT_THAT(data.notes[0], HasSubstr("not evidence about real listeners"));

  // The event log, back under the world's own numbers.
  using Key = std::tuple<std::string, std::string, std::int64_t, EventKind, std::uint32_t>;
  std::multiset<Key> expected, found;
  for (const Listen& e : world.events) {
    expected.insert({user_id(e.user), track_id(e.track), e.time, e.kind, e.session});
  }
  for (std::size_t i = 0; i < data.events.size(); ++i) {
    const Event e = data.events[i];
    EXPECT_EQ(e.value, 1.f);
    found.insert(
        {std::string(data.users[raw(e.user)]), std::string(data.items[raw(e.item)]), e.time, e.kind, e.session});
  }
  EXPECT_EQ(found, expected);
}

TEST(DemoDataset, EveryTrackHasItsSideData) {
  const World world = make_world(test::small());
  const Dataset data = to_dataset(world);
  const auto& text = data.facets.require<ItemText>();
  const auto& artist = data.facets.require<ItemArtist>();
  const auto& tags = data.facets.require<ItemTags>();
  const auto& words = data.facets.require<ItemWords>();
  const auto& release = data.facets.require<ItemRelease>();
  const auto& audio = data.facets.require<ItemAudio>();
  std::size_t unheard = 0;
  for (std::size_t t = 0; t < world.tracks.size(); ++t) {
    const Track& track = world.tracks[t];
    const std::size_t i = data.items.find(track_id(t)).value();
    EXPECT_EQ(text.titles[i], track.title);
    EXPECT_EQ(artist.artists[artist.artist_of[i]], world.artists[track.artist].name);
    EXPECT_EQ(release.released[i], track.released);
    EXPECT_EQ(parse_recipe(audio.sources[i]), track.recipe);
    EXPECT_EQ(words.counts.row_size(i), track.words.size());
    EXPECT_GE(tags.weights.row_size(i), track.label_tags.size()) << "also tracks that nobody has played have tags";
    unheard += track.unheard ? 1 : 0;
  }
  EXPECT_GT(unheard, 0u);
  EXPECT_EQ(tags.by_user.size(), world.tags.size());
}

TEST(DemoDataset, IsLoadedByNameWithCheckedParameters) {
  DatasetRegistry registry;
  segue_register_dataset_demo(registry);
  const auto loader = registry.find("demo").make();
  const auto params = [](std::int64_t tracks) {
    Value out = Value::map();
    out.set("users", Value::integer(20));
    out.set("artists", Value::integer(30));
    out.set("tracks", Value::integer(tracks));
    out.set("days", Value::integer(30));
    return out;
  };
  EXPECT_TRUE(loader->files(params(100), {}).empty());
  const Dataset data = loader->load(params(100), {});
  EXPECT_EQ(data.users.size(), 20u);
  EXPECT_EQ(data.items.size(), 100u);
  EXPECT_EQ(data.fingerprint(), loader->load(params(100), {}).fingerprint());
  Value other = params(100);
  other.set("seed", Value::integer(2));
  EXPECT_NE(data.fingerprint(), loader->load(other, {}).fingerprint());

  const auto message = [&](const Value& given) -> std::string {
    try {
      loader->load(given, {});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message(params(20)), HasSubstr("tracks = 20 is less than artists = 30"));
  Value unknown = params(100);
  unknown.set("user", Value::integer(5));
  EXPECT_THAT(message(unknown), HasSubstr("did you mean 'users'?"));
  Value few = params(100);
  few.set("days", Value::integer(3));
  EXPECT_THAT(message(few), HasSubstr("days = 3 is out of range"));
}

TEST(DemoDataset, EveryParameterIsDocumented) {
  DatasetRegistry registry;
  segue_register_dataset_demo(registry);
  const auto& fields = registry.find("demo").schema.fields();
  EXPECT_EQ(fields.size(), 8u);
  for (const FieldInfo& field : fields) EXPECT_FALSE(field.doc.empty()) << field.name;
}

}  // namespace
}  // namespace segue::demo
