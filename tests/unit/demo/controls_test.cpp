// The negative controls: what they leave alone, what they keep of the content, and that nothing is to be learned from
// it about who hears a track.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/demo/words.hpp"
#include "framework/data/dataset.hpp"
#include "tests/unit/demo/world_fixture.hpp"

namespace segue::demo {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

DemoParams control(bool sound, bool tags) {
  DemoParams params;
  params.taste_sound = sound;
  params.taste_tags = tags;
  return params;
}

std::string listening(World world) {  // all but what the controls permute
  for (Track& track : world.tracks) track.recipe = {}, track.label_tags.clear(), track.words.clear();
  world.tags.clear();
  return world.fingerprint();
}

std::multiset<std::string> recipes(const World& world) {
  std::multiset<std::string> out;
  for (const Track& track : world.tracks) out.insert(to_text(track.recipe));
  return out;
}

std::string text(const std::vector<Weighted>& terms) {
  std::string out;
  for (const Weighted& term : terms) out += fmt::format("{}:{} ", term.text, term.weight);
  return out;
}

// All that is written about one track.
std::multiset<std::string> writings(const World& world) {
  std::vector<std::string> each(world.tracks.size());
  for (std::size_t t = 0; t < each.size(); ++t)
    each[t] = text(world.tracks[t].label_tags) + text(world.tracks[t].words);
  for (const TagGiven& tag : world.tags) each[tag.track] += fmt::format("{}:{} ", tag.user, tag.tag);
  return {each.begin(), each.end()};
}

// Share of plays whose track says a genre that the listener has at least a fifth of his taste in.
template <class Says>
double heard_as_liked(const World& world, Says says) {
  double liked = 0, all = 0;
  for (const Listen& e : world.events) {
    const std::size_t genre = says(world.tracks[e.track]);
    if (e.kind != EventKind::kPlay || genre == kGenres) continue;
    liked += world.listeners[e.user].taste_before[genre] > 0.2 ? 1 : 0;
    ++all;
  }
  return liked / all;
}

std::size_t genre_of_sound(const Track& track) {
  std::size_t g = 0;
  while (g < kGenres && genres()[g].slug != track.recipe.genre) ++g;
  return g;
}

std::size_t genre_of_tags(const Track& track) {
  for (const Weighted& tag : track.label_tags) {
    for (std::size_t g = 0; g < kGenres; ++g) {
      if (genres()[g].name == tag.text) return g;
    }
  }
  return kGenres;
}

TEST(Controls, AreOffByDefaultAndChangeNothingElse) {
  const World& world = test::default_world();
  const World silent = make_world(control(false, true));
  const World mute = make_world(control(true, false));
  EXPECT_EQ(listening(silent), listening(world));
  EXPECT_EQ(listening(mute), listening(world));
  EXPECT_EQ(writings(silent), writings(world));
  for (std::size_t t = 0; t < world.tracks.size(); ++t) {
    ASSERT_EQ(mute.tracks[t].recipe, world.tracks[t].recipe);
    ASSERT_EQ(text(silent.tracks[t].words), text(world.tracks[t].words));
  }
}

TEST(Controls, KeepWhatIsThereAndTakeAwayWhatItTells) {
  const World& world = test::default_world();
  const World control_world = make_world(control(false, false));
  EXPECT_EQ(recipes(control_world), recipes(world));
  EXPECT_EQ(writings(control_world), writings(world)) << "a track's tags, words and listeners' tags stay together";
  EXPECT_NE(control_world.fingerprint(), world.fingerprint());

  const double sound = heard_as_liked(world, genre_of_sound), tags = heard_as_liked(world, genre_of_tags);
  // What a track of a random genre would give: every listener has one or two such genres.
  std::size_t moved = 0;
  const double chance =
      heard_as_liked(world, [&](const Track&) { return genre_of_sound(world.tracks[moved++ % 3600]); });
  EXPECT_GT(sound, 3 * chance);
  EXPECT_GT(tags, 2.5 * chance);
  EXPECT_NEAR(heard_as_liked(control_world, genre_of_sound), chance, 0.25 * chance);
  EXPECT_NEAR(heard_as_liked(control_world, genre_of_tags), chance, 0.25 * chance);

  // Nor do sound and words tell of each other any more.
  double agree = 0;
  for (const Track& track : control_world.tracks) agree += genre_of_sound(track) == genre_of_tags(track) ? 1 : 0;
  EXPECT_LT(agree / static_cast<double>(world.tracks.size()), 0.15);
}

TEST(Controls, AreSaidInTheNotes) {
  DemoParams params = test::small();
  EXPECT_THAT(to_dataset(make_world(params)).notes, Not(Contains(HasSubstr("negative control"))));
  params.taste_sound = params.taste_tags = false;
  const Dataset data = to_dataset(make_world(params));
  EXPECT_THAT(data.notes, Contains(HasSubstr("the audio recipes are permuted")));
  EXPECT_THAT(data.notes, Contains(HasSubstr("tags and words are permuted")));
}

}  // namespace
}  // namespace segue::demo
