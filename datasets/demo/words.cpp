#include "datasets/demo/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace segue::demo {
namespace {

std::string_view one_of(const std::vector<std::string_view>& options, Rng& rng) {
  return options[rng.below(options.size())];
}

std::string_view mood_tag(const Track& track, Rng& rng) {
  static const auto kCalm = split("chill|calm|mellow|relaxing|Chillout|sleep", '|');
  static const auto kEven = split("easy listening|groovy|feel good|driving|catchy", '|');
  static const auto kWild = split("energetic|party|intense|workout|Energetic|high energy", '|');
  const double energy = track.recipe.energy;
  return one_of(energy < 0.35 ? kCalm : energy < 0.65 ? kEven : kWild, rng);
}

int year_of(std::int64_t time) {
  const std::chrono::sys_days day{std::chrono::days{time / kDay - (time % kDay < 0 ? 1 : 0)}};
  return static_cast<int>(std::chrono::year_month_day{day}.year());
}

std::string decade_tag(const Track& track, Rng& rng) {
  const int decade = year_of(track.released) / 10 * 10;
  if (rng.uniform() < 0.5 && decade < 2000) return fmt::format("{}s", decade % 100);
  return fmt::format("{}s", decade);
}

// The trait on which the track is most (or by chance next) pronounced, and which end.
std::pair<std::size_t, std::size_t> character(const Track& track, Rng& rng) {
  Cumulative table;
  for (const double x : track.style) table.add(x * x + 1e-9);
  const std::size_t trait = table.pick(rng);
  return {trait, track.style[trait] > 0 ? 1 : 0};
}

std::string_view character_tag(const Track& track, Rng& rng) {
  const auto [trait, side] = character(track, rng);
  return one_of(split(pole(trait, side).tags, '|'), rng);
}

std::string genre_spelling(std::size_t genre, Rng& rng) {
  const Genre& g = genres()[genre];
  return std::string(rng.uniform() < 0.45 ? g.name : one_of(split(g.spellings, '|'), rng));
}

std::size_t neighbour(std::size_t genre, Rng& rng) {
  Cumulative table;
  for (std::size_t h = 0; h < kGenres; ++h) table.add(h == genre ? 0 : genre_kinship()[genre][h]);
  return table.pick(rng);
}

void misspell(std::string& tag, Rng& rng) {
  if (tag.size() < 4) return;
  const std::size_t at = 1 + rng.below(tag.size() - 2);
  switch (rng.below(3)) {
    case 0:
      std::swap(tag[at], tag[at + 1]);
      break;
    case 1:
      tag.erase(at, 1);
      break;
    default:
      tag.insert(at, 1, tag[at]);
  }
}

void recase(std::string& tag, Rng& rng) {
  const bool all = rng.uniform() < 0.4;
  bool start = true;
  for (char& c : tag) {
    const auto byte = static_cast<unsigned char>(c);
    if ((all || start) && byte < 128) c = static_cast<char>(std::toupper(byte));
    start = c == ' ';
  }
}

}  // namespace

std::string noisy_tag(const World& world, const Track& track, Rng& rng) {
  static const auto kNoise = split(
      "seen live|favourites|favorites|albums I own|check out|awesome|love at first listen|under 2000 listeners|my "
      "playlist|"
      "good|2listen|vinyl|heard on radio",
      '|');
  const Artist& artist = world.artists[track.artist];
  const double u = rng.uniform();
  std::string tag;
  if (u < 0.42)
    tag = genre_spelling(track.genre, rng);
  else if (u < 0.48)
    tag = genre_spelling(artist.side_genre, rng);
  else if (u < 0.53)
    tag = genre_spelling(neighbour(track.genre, rng), rng);
  else if (u < 0.65)
    tag = mood_tag(track, rng);
  else if (u < 0.81)
    tag = character_tag(track, rng);
  else if (u < 0.87)
    tag = decade_tag(track, rng);
  else if (u < 0.89)
    tag = artist.name;
  else
    tag = one_of(kNoise, rng);
  if (rng.uniform() < 0.06) recase(tag, rng);
  if (rng.uniform() < 0.04) misspell(tag, rng);
  return tag;
}

std::vector<Weighted> label_tags(const World& world, const Track& track, Rng& rng) {
  std::map<std::string, float> tags;
  tags[std::string(genres()[track.genre].name)] = 1;
  tags[std::string(mood_tag(track, rng))] = 1;
  tags[std::string(character_tag(track, rng))] = 1;
  const Artist& artist = world.artists[track.artist];
  if (artist.side_genre != track.genre && rng.uniform() < 0.3) tags[std::string(genres()[artist.side_genre].name)] = 1;
  std::vector<Weighted> out;
  for (const auto& [tag, weight] : tags) out.push_back({tag, weight});
  return out;
}

std::vector<Weighted> lyrics(const World& world, const Track& track, Rng& rng) {
  // Function words and the words of every song, commonest first: drawn by Zipf's law.
  static const auto kCommon = split(
      "you the i and me it a to my we in love know is on that no oh time your now yeah all night go so like can be "
      "just let "
      "never heart way come feel day world eyes life one down want back take home say see light gone away still tell "
      "run long "
      "hold mind find turn leave new old hand name fall dream fire stay wait",
      ' ');
  static const Cumulative kZipf = [] {
    Cumulative table;
    for (std::size_t rank = 1; rank <= kCommon.size(); ++rank) table.add(1.0 / static_cast<double>(rank));
    return table;
  }();
  const auto own = split(genres()[track.genre].words, ' ');
  const std::string& home = world.artists[track.artist].home;
  std::map<std::string, float> bag;
  const std::size_t length = track.recipe.vocal ? 40 + rng.below(80) : 6 + rng.below(8);
  for (std::size_t i = 0; i < length; ++i) {
    const double u = rng.uniform();
    std::string word;
    if (u < (track.recipe.vocal ? 0.45 : 0.1)) {
      word = kCommon[kZipf.pick(rng)];
    } else if (u < 0.75) {
      word = one_of(own, rng);
    } else if (u < 0.81) {
      word = one_of(split(genres()[neighbour(track.genre, rng)].words, ' '), rng);
    } else if (u < 0.98) {
      const auto [trait, side] = character(track, rng);
      word = one_of(split(pole(trait, side).words, ' '), rng);
    } else {
      word = home;
      word[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(word[0])));
    }
    ++bag[word];
  }
  std::vector<Weighted> out;
  for (const auto& [word, count] : bag) out.push_back({word, count});
  return out;
}

}  // namespace segue::demo
