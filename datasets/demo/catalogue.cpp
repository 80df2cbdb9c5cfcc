// Artists and tracks.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "datasets/demo/words.hpp"
#include "datasets/demo/world.hpp"

namespace segue::demo {
namespace {

double bounded(double x, double low = 0, double high = 1) { return std::clamp(x, low, high); }
double rounded(double x, double steps) { return std::round(x * steps) / steps; }

std::int64_t new_year(int year) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / January / 1}.time_since_epoch().count() * kDay;
}

std::size_t kin(std::size_t genre, Rng& rng) {
  Cumulative table;
  for (const double share : genre_kinship()[genre]) table.add(share);
  return table.pick(rng);
}

// How many tracks each artist has: one each, the rest by popularity, flattened, so that stars have larger catalogues.
std::vector<std::size_t> catalogue_sizes(const World& world, const Rng& rng) {
  std::vector<std::size_t> sizes(world.artists.size(), 1);
  Cumulative table;
  for (const Artist& artist : world.artists) table.add(0.3 + std::pow(artist.popularity, 0.4));
  Rng draw = rng.stream("catalogue sizes");
  for (std::size_t i = world.artists.size(); i < static_cast<std::size_t>(world.params.tracks); ++i)
    ++sizes[table.pick(draw)];
  return sizes;
}

// Most of a catalogue is older than the period; of artists still active, some tracks come out within it, and a few so
// late that nobody has heard them. An artist's first track is always an old one, so that everyone can be played at any
// time.
void set_release(Track& track, const Artist& artist, const DemoParams& params, Rng& rng) {
  const double u = rng.uniform();
  const bool active = artist.last_year >= 2024 && track.position > 0;
  if (active && u < 0.085) {
    track.unheard = true;
    track.released = params.period_end() - static_cast<std::int64_t>(1 + rng.below(7)) * kDay;
  } else if (active && u < 0.26) {
    const auto days = static_cast<std::uint64_t>(params.days);
    track.released = kPeriodStart + static_cast<std::int64_t>(1 + rng.below(days * 9 / 10)) * kDay;
  } else {
    const int last = std::min(artist.last_year, 2023);
    const double back = rng.uniform() * rng.uniform() * (last - artist.first_year + 1);  // recent years are fuller
    track.released = new_year(last - static_cast<int>(back)) + static_cast<std::int64_t>(rng.below(365)) * kDay;
  }
}

AudioRecipe make_recipe(const Track& track, const Genre& genre, Rng& rng) {
  const Style& s = track.style;
  AudioRecipe r;
  r.genre = genre.slug;
  r.bpm = rounded(bounded(genre.bpm + genre.bpm_spread * (0.85 * rng.normal() + 0.35 * s[1]), 50, 210), 10);
  r.key = static_cast<int>(rng.below(12));
  r.minor = rng.uniform() < bounded(genre.minor - 0.12 * s[1], 0.05, 0.95);
  r.swing = rounded(bounded(genre.swing * std::exp(0.2 * rng.normal())), 1000);
  r.energy = rounded(bounded(genre.energy + 0.08 * rng.normal() + 0.06 * s[1] - 0.04 * s[0], 0.02, 0.98), 1000);
  r.brightness = rounded(bounded(genre.brightness + 0.05 * rng.normal() + 0.09 * s[2] + 0.03 * s[0], 0.02, 0.98), 1000);
  r.noise = rounded(bounded(genre.noise + 0.04 * rng.normal() - 0.08 * s[0], 0, 0.98), 1000);
  r.drums = genre.drums;
  const auto structures = split(genre.structures, '|');
  r.structure = structures[rng.below(structures.size())];
  r.duration = static_cast<int>(bounded(genre.seconds * std::exp(0.2 * rng.normal()), 60, 900));
  r.vocal = rng.uniform() >= genre.instrumental;
  r.seed = rng.next_u64();
  return r;
}

// Two tracks mix well when tempo (or half, or double) and key fit, and energy and character are near.
double mix_quality(const Track& from, const Track& to) {
  const double octaves = std::log2(to.recipe.bpm / from.recipe.bpm);
  const double tempo = std::min({std::abs(octaves), std::abs(octaves - 1), std::abs(octaves + 1)});
  const int fifths = (to.recipe.key - from.recipe.key) * 7 % 12;  // steps on the circle of fifths
  const int apart = std::min((fifths + 12) % 12, (12 - fifths) % 12);
  double gap = 0;
  for (std::size_t d = 0; d < kTraits; ++d) gap += (from.style[d] - to.style[d]) * (from.style[d] - to.style[d]);
  return -8 * tempo - 0.15 * apart - 2 * std::abs(to.recipe.energy - from.recipe.energy) - 0.25 * gap +
         0.25 * std::log(to.popularity);
}

void link_tracks(World& world, const Rng& rng) {
  constexpr std::size_t kDraws = 40;
  constexpr std::size_t kLinks = 4;
  std::array<std::vector<std::uint32_t>, kGenres> members;
  std::array<Cumulative, kGenres> tables;
  for (std::size_t t = 0; t < world.tracks.size(); ++t) {
    const Track& track = world.tracks[t];
    if (track.unheard) continue;
    members[track.genre].push_back(static_cast<std::uint32_t>(t));
    tables[track.genre].add(std::sqrt(track.popularity));
  }
  for (std::size_t t = 0; t < world.tracks.size(); ++t) {
    Track& track = world.tracks[t];
    Rng draw = rng.stream("mixes", t);
    std::map<std::uint32_t, double> candidates;
    for (std::size_t i = 0; i < kDraws; ++i) {
      const std::size_t genre = draw.uniform() < 0.5 ? track.genre : kin(track.genre, draw);
      if (tables[genre].empty()) continue;
      const std::uint32_t other = members[genre][tables[genre].pick(draw)];
      if (other != t && world.tracks[other].artist != track.artist)
        candidates[other] = mix_quality(track, world.tracks[other]);
    }
    std::vector<std::pair<double, std::uint32_t>> ranked;
    for (const auto& [other, quality] : candidates) ranked.emplace_back(-quality, other);
    std::sort(ranked.begin(), ranked.end());
    for (std::size_t i = 0; i < std::min(kLinks, ranked.size()); ++i) track.follows.push_back(ranked[i].second);
  }
}

std::string unique_title(const Artist& artist, const World& world, const Track& track, Rng& rng) {
  const auto taken = [&](const std::string& title) {
    return std::ranges::any_of(artist.tracks.begin(), artist.tracks.begin() + track.position,
                               [&](std::uint32_t t) { return world.tracks[t].title == title; });
  };
  std::string title = track_title(genres()[track.genre], rng);
  for (int part = 2; taken(title); ++part)
    title = fmt::format("{} (Part {})", track_title(genres()[track.genre], rng), roman(part));
  return title;
}

}  // namespace

void make_artists(World& world, const Rng& rng) {
  const auto n = static_cast<std::size_t>(world.params.artists);
  Cumulative by_weight;
  for (const Genre& genre : genres()) by_weight.add(genre.weight);
  std::vector<std::size_t> ranks(n);
  for (std::size_t a = 0; a < n; ++a) ranks[a] = a + 1;
  Rng order = rng.stream("popularity");
  order.shuffle(std::span<std::size_t>(ranks));
  std::set<std::string> names;
  for (std::size_t a = 0; a < n; ++a) {
    Rng draw = rng.stream("artist", a);
    Artist artist;
    artist.genre = a < kGenres ? a : by_weight.pick(draw);
    artist.side_genre = kin(artist.genre, draw);
    const Genre& genre = genres()[artist.genre];
    artist.popularity = 8 * std::pow(static_cast<double>(ranks[a]), -0.5);
    const int span = 2023 - genre.first_year;
    const double u = draw.uniform();
    artist.first_year = 2023 - static_cast<int>(std::sqrt(u) * draw.uniform() * span);  // most are young
    const auto career = static_cast<std::uint64_t>(2024 - artist.first_year);
    artist.last_year = draw.uniform() < 0.75 ? 2024 : artist.first_year + static_cast<int>(draw.below(career));
    for (double& x : artist.style) x = draw.normal();
    artist.home = place_name(draw);
    artist.name = artist_name(genre, draw);
    for (int i = 2; !names.insert(artist.name).second; ++i) {
      artist.name = i < 20 ? artist_name(genre, draw) : fmt::format("{} {}", artist_name(genre, draw), roman(i));
    }
    world.artists.push_back(std::move(artist));
  }
}

void make_tracks(World& world, const Rng& rng) {
  const std::vector<std::size_t> sizes = catalogue_sizes(world, rng);
  std::vector<std::uint32_t> owners;
  for (std::size_t a = 0; a < sizes.size(); ++a) owners.insert(owners.end(), sizes[a], static_cast<std::uint32_t>(a));
  Rng order = rng.stream("track ids");  // so that neighbouring ids mean nothing
  order.shuffle(std::span<std::uint32_t>(owners));
  for (const std::uint32_t a : owners) {
    Artist& artist = world.artists[a];
    Track track;
    track.artist = a;
    track.position = static_cast<std::uint32_t>(artist.tracks.size());
    Rng draw = rng.stream("track", a, track.position);
    track.genre = track.position == 0 || draw.uniform() < 0.75 ? artist.genre : artist.side_genre;
    set_release(track, artist, world.params, draw);
    track.popularity = artist.popularity * std::exp(1.3 * draw.normal());
    for (std::size_t d = 0; d < kTraits; ++d) track.style[d] = 0.9 * artist.style[d] + 0.4 * draw.normal();
    track.recipe = make_recipe(track, genres()[track.genre], draw);
    track.title = unique_title(artist, world, track, draw);
    track.label_tags = label_tags(world, track, draw);
    track.words = lyrics(world, track, draw);
    artist.tracks.push_back(static_cast<std::uint32_t>(world.tracks.size()));
    world.tracks.push_back(std::move(track));
  }
  link_tracks(world, rng);
}

}  // namespace segue::demo
