#include "datasets/demo/world.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue::demo {

std::size_t Cumulative::pick(Rng& rng) const {
  SEGUE_CHECK(!empty(), "drawing from a table without weight");
  const double u = rng.uniform() * sums_.back();
  const auto at = std::upper_bound(sums_.begin(), sums_.end(), u);
  return std::min(static_cast<std::size_t>(at - sums_.begin()), sums_.size() - 1);
}

World make_world(const DemoParams& params) {
  SEGUE_CHECK(params.users >= 1 && params.days >= 14 && params.sessions >= 1, "the demo world is too small");
  SEGUE_CHECK(params.artists >= static_cast<int>(kGenres) && params.tracks >= params.artists,
              "the demo world needs at least {} artists and a track each", kGenres);
  World world;
  world.params = params;
  const Rng rng = Rng(params.seed).stream("demo");
  make_artists(world, rng);
  make_tracks(world, rng);
  make_listeners(world, rng);
  make_events(world, rng);
  if (!params.taste_sound) uncouple_sound(world, rng);
  if (!params.taste_tags) uncouple_tags(world, rng);
  return world;
}

std::string user_id(std::size_t user) { return fmt::format("u{:04}", user + 1); }
std::string track_id(std::size_t track) { return fmt::format("t{:05}", track + 1); }

std::string World::fingerprint() const {
  Hasher hash;
  for (const Artist& a : artists) hash.add(a.name).add(a.home).add(a.genre).add(a.side_genre).add(a.popularity);
  for (const Track& t : tracks) {
    hash.add(t.title).add(t.artist).add(t.released).add(t.unheard).add(to_text(t.recipe));
    for (const Weighted& tag : t.label_tags) hash.add(tag.text).add(tag.weight);
    for (const Weighted& word : t.words) hash.add(word.text).add(word.weight);
    for (const std::uint32_t next : t.follows) hash.add(next);
  }
  for (const Listener& l : listeners) {
    for (const double share : l.taste_before) hash.add(share);
    for (const double share : l.taste_after) hash.add(share);
  }
  for (const Listen& e : events) hash.add(e.user).add(e.track).add(e.time).add(e.kind).add(e.session);
  for (const TagGiven& t : tags) hash.add(t.user).add(t.track).add(t.tag);
  return hash.hex();
}

}  // namespace segue::demo
