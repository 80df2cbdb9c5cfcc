// The twelve genres of the demo world and how near they stand to each other. Constants, not drawn: every seed gives
// other artists, tracks and listeners in the same twelve genres.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace segue::demo {

inline constexpr std::size_t kGenres = 12;

// Four traits that artists, tracks and listeners share; about standard normal. Each end of a trait has tags and lyrics
// words of its own and leaves a mark on the sound, so that content tells something about who will like a track.
inline constexpr std::size_t kTraits = 4;
using Style = std::array<double, kTraits>;

struct Genre {
  std::string_view slug;       // in audio recipes: "hip_hop"
  std::string_view name;       // the tag as a label would write it: "hip-hop"
  std::string_view spellings;  // what people write instead, parted by '|'
  int first_year;
  double weight;                            // share of artists, up to a factor
  double bpm, bpm_spread;                   // mean and standard deviation of the tempo
  double minor;                             // share of tracks in a minor key
  double energy, brightness, noise, swing;  // centres, 0 to 1
  double seconds;                           // median duration
  double instrumental;                      // share of tracks without singing
  std::string_view drums;                   // pattern name, see README.md
  std::string_view structures;              // sections in order, parted by '|'
  std::string_view name_kinds;              // b band, p person, a alias, e ensemble, m rapper; drawn uniformly
  std::array<double, 3> place;              // electronic, aggressive, groove: distances make neighbours
  std::string_view words;                   // lyrics and titles, parted by ' '
};

struct Pole {              // one end of a trait
  std::string_view tags;   // parted by '|'
  std::string_view words;  // parted by ' '
};

const std::array<Genre, kGenres>& genres();
// pole(trait, 0) is the negative end, pole(trait, 1) the positive one.
const Pole& pole(std::size_t trait, std::size_t side);
// Row g: how readily a listener of genre g also takes to genre h; rows sum to one, the diagonal is largest.
const std::array<std::array<double, kGenres>, kGenres>& genre_kinship();

std::vector<std::string_view> split(std::string_view text, char by);

}  // namespace segue::demo
