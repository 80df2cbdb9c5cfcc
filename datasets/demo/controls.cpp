// Negative controls: worlds in which one kind of content says nothing about who hears a track. Everything else, the
// listening above all, stays bit for bit what it is with the coupling, so that two results differ by the coupling
// alone.
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "datasets/demo/world.hpp"

namespace segue::demo {
namespace {

// from[t]: whose content track t gets. Of all tracks, heard and unheard.
std::vector<std::uint32_t> dealt_out(const World& world, Rng rng) {
  std::vector<std::uint32_t> from(world.tracks.size());
  std::iota(from.begin(), from.end(), 0u);
  rng.shuffle(std::span<std::uint32_t>(from));
  return from;
}

template <class T>
void deal(World& world, const std::vector<std::uint32_t>& from, T Track::*part) {
  std::vector<T> old;
  old.reserve(from.size());
  for (Track& track : world.tracks) old.push_back(std::move(track.*part));
  for (std::size_t t = 0; t < from.size(); ++t) world.tracks[t].*part = std::move(old[from[t]]);
}

}  // namespace

void uncouple_sound(World& world, const Rng& rng) {
  deal(world, dealt_out(world, rng.stream("uncouple sound")), &Track::recipe);
}

void uncouple_tags(World& world, const Rng& rng) {
  // One permutation for all that is written about a track, so that its tags, its words and its listeners' tags still
  // speak of the same music: only of another track's.
  const std::vector<std::uint32_t> from = dealt_out(world, rng.stream("uncouple tags"));
  deal(world, from, &Track::label_tags);
  deal(world, from, &Track::words);
  std::vector<std::uint32_t> to(from.size());
  for (std::size_t t = 0; t < from.size(); ++t) to[from[t]] = static_cast<std::uint32_t>(t);
  for (TagGiven& tag : world.tags) tag.track = to[tag.track];
}

}  // namespace segue::demo
