#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/unit/demo/world_fixture.hpp"

namespace segue::demo {
namespace {

using test::default_world;
using test::small;

bool same(const Listen& a, const Listen& b) {
  return a.user == b.user && a.track == b.track && a.time == b.time && a.kind == b.kind && a.session == b.session;
}

TEST(World, IsAFunctionOfItsSeed) {
  const std::string first = make_world(small(1)).fingerprint();
  EXPECT_EQ(first, make_world(small(1)).fingerprint());
  EXPECT_NE(first, make_world(small(2)).fingerprint());
}

// Stored results and published figures of this data set mean one world: whoever changes it, on purpose, changes the
// loader's version with it.
TEST(World, TheDefaultWorldIsFrozen) { EXPECT_EQ(default_world().fingerprint(), "b55b953e6bba537bd0d6b7706129bb94"); }

TEST(World, MoreListenersLeaveTheOthersAlone) {
  const World few = make_world(small(1, 20));
  const World many = make_world(small(1, 30));
  ASSERT_LT(few.events.size(), many.events.size());
  EXPECT_TRUE(std::equal(few.events.begin(), few.events.end(), many.events.begin(), same));
  EXPECT_EQ(many.events[few.events.size()].user, 20u);
}

TEST(World, WorksAtItsSmallest) {
  DemoParams params;
  params.users = 1;
  params.artists = params.tracks = static_cast<int>(kGenres);
  params.days = 14;
  params.sessions = 1;
  const World world = make_world(params);
  EXPECT_EQ(world.tracks.size(), kGenres);
  EXPECT_FALSE(world.events.empty());
  params.tracks = 5;
  EXPECT_THROW(make_world(params), LogicError);
}

TEST(World, KinshipIsADistributionWithNeighbours) {
  const auto& kin = genre_kinship();
  std::map<std::string_view, std::size_t> at;
  for (std::size_t g = 0; g < kGenres; ++g) {
    at[genres()[g].slug] = g;
    EXPECT_NEAR(std::accumulate(kin[g].begin(), kin[g].end(), 0.0), 1, 1e-12);
    EXPECT_EQ(std::max_element(kin[g].begin(), kin[g].end()) - kin[g].begin(), static_cast<std::ptrdiff_t>(g));
  }
  EXPECT_GT(kin[at["techno"]][at["drum_and_bass"]], 5 * kin[at["techno"]][at["folk"]]);
  EXPECT_GT(kin[at["folk"]][at["classical"]], 5 * kin[at["folk"]][at["nu_metal"]]);
}

TEST(World, NamesAreUniqueWhereTheyMustBe) {
  const World& world = default_world();
  std::set<std::string> names;
  std::set<std::pair<std::uint32_t, std::string>> titles;
  for (const Artist& artist : world.artists) EXPECT_TRUE(names.insert(artist.name).second) << artist.name;
  for (const Track& track : world.tracks) EXPECT_TRUE(titles.insert({track.artist, track.title}).second) << track.title;
}

TEST(World, ArtistsAndTracksKnowEachOther) {
  const World& world = default_world();
  for (std::size_t t = 0; t < world.tracks.size(); ++t) {
    const Track& track = world.tracks[t];
    const Artist& artist = world.artists[track.artist];
    ASSERT_EQ(artist.tracks.at(track.position), t);
    EXPECT_TRUE(track.genre == artist.genre || track.genre == artist.side_genre);
    EXPECT_EQ(track.recipe.genre, genres()[track.genre].slug);
    EXPECT_FALSE(track.words.empty());
    for (const std::uint32_t next : track.follows) EXPECT_FALSE(world.tracks[next].unheard);
  }
}

TEST(World, GenresDifferInTempoAndKeyAsTheyShould) {
  const World& world = default_world();
  std::map<std::string, std::vector<double>> bpm;
  std::map<std::string, std::vector<double>> minor;
  for (const Track& track : world.tracks) {
    bpm[track.recipe.genre].push_back(track.recipe.bpm);
    minor[track.recipe.genre].push_back(track.recipe.minor ? 1 : 0);
  }
  const auto mean = [](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  EXPECT_NEAR(mean(bpm["drum_and_bass"]), 174, 2);
  EXPECT_NEAR(mean(bpm["techno"]), 130, 3);
  EXPECT_NEAR(mean(bpm["hip_hop"]), 92, 5);
  EXPECT_GT(mean(minor["nu_metal"]), mean(minor["folk"]) + 0.3);
}

TEST(World, EventsAreInOrderWithinSessionsThatDoNotOverlap) {
  const World& world = default_world();
  const auto& events = world.events;
  for (std::size_t i = 1; i < events.size(); ++i) {
    const Listen& a = events[i - 1];
    const Listen& b = events[i];
    if (a.user != b.user) {
      ASSERT_EQ(b.user, a.user + 1);
      ASSERT_EQ(b.session, 0u);
      continue;
    }
    ASSERT_LE(a.time, b.time);
    ASSERT_TRUE(b.session == a.session || (b.session == a.session + 1 && b.time >= a.time + 1800));
    if (b.kind == EventKind::kLike || b.kind == EventKind::kPlaylistAdd) {
      ASSERT_EQ(a.track, b.track) << "a mark follows the play that earned it";
      ASSERT_LT(b.time - a.time, world.tracks[b.track].recipe.duration);
    }
    if (b.kind == EventKind::kRepeat) {
      ASSERT_EQ(a.track, b.track) << "a repeat is immediate";
    }
    if (a.kind == EventKind::kSkip && b.session == a.session) {
      ASSERT_LT(b.time - a.time, 30) << "a skip is short";
    }
  }
}

TEST(World, NothingIsPlayedBeforeItsRelease) {
  const World& world = default_world();
  std::vector<int> plays(world.tracks.size());
  for (const Listen& e : world.events) {
    ASSERT_GE(e.time, world.tracks[e.track].released);
    ASSERT_GE(e.time, kPeriodStart);
    ASSERT_FALSE(world.tracks[e.track].unheard);
    ++plays[e.track];
  }
  int unheard = 0, fresh = 0, fresh_played = 0;
  for (std::size_t t = 0; t < plays.size(); ++t) {
    const Track& track = world.tracks[t];
    ASSERT_LT(track.released, world.params.period_end());
    unheard += track.unheard;
    if (track.unheard) {
      EXPECT_GE(track.released, world.params.period_end() - 7 * kDay);
    }
    if (track.unheard || track.released < kPeriodStart) continue;
    ++fresh;
    fresh_played += plays[t] > 0;
  }
  const auto n = static_cast<double>(world.tracks.size());
  EXPECT_NEAR(unheard / n, 0.055, 0.02);
  EXPECT_NEAR(fresh / n, 0.12, 0.03);
  EXPECT_GT(fresh_played, fresh * 8 / 10);
}

TEST(World, HasTheShapeOfListeningData) {
  const World& world = default_world();
  std::map<EventKind, double> kinds;
  std::set<std::pair<std::uint32_t, std::uint32_t>> heard, sessions;
  std::vector<double> plays(world.tracks.size());
  double repeats = 0;
  for (const Listen& e : world.events) {
    ++kinds[e.kind];
    sessions.insert({e.user, e.session});
    if (e.kind != EventKind::kPlay) continue;
    ++plays[e.track];
    repeats += heard.insert({e.user, e.track}).second ? 0 : 1;
  }
  const auto n = static_cast<double>(world.events.size());
  const double played = kinds[EventKind::kPlay];
  EXPECT_GT(n, 100'000);
  EXPECT_LT(n, 150'000);
  EXPECT_GT(repeats / played, 0.25);
  EXPECT_LT(repeats / played, 0.40);
  EXPECT_GT(kinds[EventKind::kSkip] / (kinds[EventKind::kSkip] + played), 0.10);
  EXPECT_LT(kinds[EventKind::kSkip] / (kinds[EventKind::kSkip] + played), 0.20);
  EXPECT_NEAR(kinds[EventKind::kLike] / played, 0.07, 0.03);
  EXPECT_NEAR(kinds[EventKind::kPlaylistAdd] / played, 0.035, 0.02);
  EXPECT_NEAR(kinds[EventKind::kRepeat] / played, 0.04, 0.02);
  EXPECT_NEAR(n / static_cast<double>(sessions.size()), 11.5, 3);

  std::sort(plays.begin(), plays.end());
  double weighted = 0, total = 0;
  const auto tracks = static_cast<double>(plays.size());
  for (std::size_t i = 0; i < plays.size(); ++i) {
    weighted += (2 * static_cast<double>(i + 1) - tracks - 1) * plays[i];
    total += plays[i];
  }
  const double gini = weighted / (tracks * total);
  EXPECT_GT(gini, 0.55);
  EXPECT_LT(gini, 0.80);
  EXPECT_GT(plays.back(), 20 * plays[plays.size() / 2]) << "a head, and a long tail";
}

TEST(World, TastesDrift) {
  // The genre that each listener is going to discover, before and after the turn, for those whose taste moves most.
  const World& world = default_world();
  double before = 0, before_all = 0, after = 0, after_all = 0;
  for (const Listen& e : world.events) {
    const Listener& l = world.listeners[e.user];
    std::size_t rising = 0;
    for (std::size_t g = 1; g < kGenres; ++g) {
      if (l.taste_after[g] - l.taste_before[g] > l.taste_after[rising] - l.taste_before[rising]) rising = g;
    }
    if (e.kind != EventKind::kPlay || l.taste_after[rising] - l.taste_before[rising] < 0.15) continue;
    const double day = static_cast<double>(e.time - kPeriodStart) / static_cast<double>(kDay);
    const double hit = world.tracks[e.track].genre == rising ? 1 : 0;
    if (day < l.turn_day - 15) before += hit, ++before_all;
    if (day > l.turn_day + 15) after += hit, ++after_all;
  }
  ASSERT_GT(before_all, 1000);
  ASSERT_GT(after_all, 1000);
  EXPECT_GT(after / after_all, 1.5 * before / before_all);
}

TEST(World, TagsAreAsUntidyAsPeopleAre) {
  const World& world = default_world();
  std::map<std::string, int> tags;
  for (const TagGiven& tag : world.tags) ++tags[tag.tag];
  for (const char* spelling : {"hip-hop", "HipHop", "Hip Hop", "hiphop", "seen live", "2010s"}) {
    EXPECT_GT(tags[spelling], 0) << spelling;
  }
  const auto once = std::count_if(tags.begin(), tags.end(), [](const auto& tag) { return tag.second == 1; });
  EXPECT_GT(once, 100) << "slips of the keyboard";
  std::set<std::pair<std::uint32_t, std::uint32_t>> heard;
  for (const Listen& e : world.events) {
    if (e.kind == EventKind::kPlay) heard.insert({e.user, e.track});
  }
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string>> given;
  for (const TagGiven& tag : world.tags) {
    EXPECT_TRUE(heard.contains({tag.user, tag.track})) << "tagged unheard";
    EXPECT_TRUE(given.insert({tag.user, tag.track, tag.tag}).second) << "given twice: " << tag.tag;
    EXPECT_FALSE(tag.tag.empty());
  }
}

TEST(World, DrawsInProportionToWeight) {
  Cumulative table;
  for (const double weight : {0.0, 1.0, 0.0, 3.0}) table.add(weight);
  Rng rng(3);
  std::array<int, 4> counts{};
  for (int i = 0; i < 4000; ++i) ++counts[table.pick(rng)];
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_NEAR(counts[3], 3000, 120);
  EXPECT_TRUE(Cumulative().empty());
  EXPECT_THROW(Cumulative().pick(rng), LogicError);
}

}  // namespace
}  // namespace segue::demo
