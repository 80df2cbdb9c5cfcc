#include <array>
#include <cctype>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "datasets/demo/words.hpp"

namespace segue::demo {
namespace {

using Strings = std::span<const std::string_view>;

std::string_view one_of(Strings options, Rng& rng) { return options[rng.below(options.size())]; }

std::string capital(std::string_view word) {
  std::string out(word);
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

// Joins parts with blanks. Braces draw them from left to right; a call's arguments would come in the compiler's order.
std::string phrase(std::initializer_list<std::string> parts) { return fmt::format("{}", fmt::join(parts, " ")); }

std::string invented(Rng& rng, std::size_t syllables) {
  static constexpr std::array<std::string_view, 24> kOnsets{"b",  "br", "d",  "dr", "f", "g", "gr", "h",
                                                            "k",  "kl", "l",  "m",  "n", "p", "r",  "s",
                                                            "sh", "t",  "tr", "v",  "w", "y", "z",  "st"};
  static constexpr std::array<std::string_view, 9> kVowels{"a", "e", "i", "o", "u", "ai", "ei", "ou", "ia"};
  static constexpr std::array<std::string_view, 10> kCodas{"", "", "", "n", "l", "r", "s", "k", "m", "nd"};
  std::string out;
  for (std::size_t i = 0; i < syllables; ++i) {
    out += one_of(kOnsets, rng);
    out += one_of(kVowels, rng);
    if (i + 1 == syllables || rng.uniform() < 0.25) out += one_of(kCodas, rng);
  }
  return capital(out);
}

std::string person(Rng& rng) {
  static constexpr std::array<std::string_view, 40> kFirst{
      "Mara",  "Jonas",  "Ada",  "Elias",  "Nia",   "Tomas",  "Ife",   "Leon",  "Yuki", "Omar",
      "Clara", "Diego",  "Sefa", "Anton",  "Lucia", "Kofi",   "Petra", "Hugo",  "Zola", "Marek",
      "Iris",  "Samuel", "Tove", "Rafael", "Amina", "Viktor", "Noor",  "Felix", "Ruth", "Bola",
      "Greta", "Milan",  "Esra", "Oskar",  "Lena",  "Tunde",  "June",  "Caleb", "Hana", "Silas"};
  return phrase({std::string(one_of(kFirst, rng)), invented(rng, 2)});
}

std::string adjective(Rng& rng) {
  static constexpr std::array<std::string_view, 40> kAll{
      "Hollow",   "Paper",   "Velvet",  "Broken", "Electric", "Silent",  "Golden", "Crooked", "Distant", "Wild",
      "Northern", "Pale",    "Burning", "Secret", "Lost",     "Second",  "Heavy",  "Gentle",  "Copper",  "Violet",
      "Midnight", "Open",    "Frozen",  "Faded",  "Little",   "Foreign", "Early",  "Empty",   "Bright",  "Slow",
      "Glass",    "Plastic", "Salt",    "Winter", "Quiet",    "Double",  "Holy",   "Rusty",   "Blind",   "Tall"};
  return std::string(one_of(kAll, rng));
}

std::string noun(Rng& rng) {
  static constexpr std::array<std::string_view, 44> kAll{
      "Lanterns", "Foxes",   "Antlers",  "Harbour",  "Mirrors", "Parade",  "Sisters", "Wolves",  "Gardens",
      "Engines",  "Saints",  "Pilots",   "Letters",  "Tigers",  "Islands", "Radios",  "Ghosts",  "Swimmers",
      "Captains", "Comets",  "Orchards", "Kites",    "Ravens",  "Motels",  "Sailors", "Windows", "Magnets",
      "Ladders",  "Bridges", "Deserts",  "Machines", "Hearts",  "Crowns",  "Signals", "Cousins", "Strangers",
      "Arcade",   "Empire",  "Choir",    "Theatre",  "Company", "Atlas",   "Circus",  "Museum"};
  return std::string(one_of(kAll, rng));
}

}  // namespace

std::string artist_name(const Genre& genre, Rng& rng) {
  static constexpr std::array<std::string_view, 6> kEnsembles{"Quartet",   "Trio",    "Ensemble",
                                                              "Orchestra", "Quintet", "Players"};
  const char kind = genre.name_kinds[rng.below(genre.name_kinds.size())];
  const double u = rng.uniform();
  switch (kind) {
    case 'p':
      return person(rng);
    case 'a':
      return u < 0.3 ? "DJ " + invented(rng, 2) : invented(rng, u < 0.7 ? 2 : 3);
    case 'e':
      return phrase({u < 0.5 ? place_name(rng) : invented(rng, 2), std::string(one_of(kEnsembles, rng))});
    case 'm':
      if (u < 0.3) return "MC " + invented(rng, 2);
      return u < 0.6 ? "Lil " + invented(rng, 1) : phrase({adjective(rng), invented(rng, 1)});
    default:
      break;
  }
  if (u < 0.45) return phrase({"The", adjective(rng), noun(rng)});
  if (u < 0.8) return phrase({adjective(rng), noun(rng)});
  return phrase({invented(rng, 2), "& the", noun(rng)});
}

std::string place_name(Rng& rng) {
  static constexpr std::array<std::string_view, 6> kEndings{"ville", "holm", "ford", "port", "mouth", "berg"};
  std::string out = invented(rng, 2);
  return out += one_of(kEndings, rng);
}

std::string roman(int number) {
  static constexpr std::array<std::pair<int, std::string_view>, 9> kDigits{
      {{100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}}};
  std::string out;
  for (const auto& [value, digits] : kDigits) {
    for (; number >= value; number -= value) out += digits;
  }
  return out;
}

std::string track_title(const Genre& genre, Rng& rng) {
  static constexpr std::array<std::string_view, 6> kForms{"Sonata",         "Nocturne", "Prelude",
                                                          "String Quartet", "Etude",    "Romance"};
  const auto words = split(genre.words, ' ');
  const std::string word = capital(one_of(words, rng));
  const double u = rng.uniform();
  if (genre.slug == "classical" && u < 0.7) {
    return phrase({std::string(one_of(kForms, rng)), fmt::format("No. {},", 1 + rng.below(9)),
                   fmt::format("Op. {}", 1 + rng.below(120))});
  }
  if (u < 0.22) return phrase({adjective(rng), word});
  if (u < 0.36) return phrase({word, "of", noun(rng)});
  if (u < 0.48) return phrase({word, capital(one_of(words, rng))});
  if (u < 0.58) return phrase({"No More", word});
  if (u < 0.68) return phrase({word, "in", place_name(rng)});
  if (u < 0.78) return phrase({adjective(rng), "and", adjective(rng)});
  if (u < 0.88) return phrase({"My", adjective(rng), word});
  return phrase({word, std::to_string(2 + rng.below(98))});
}

}  // namespace segue::demo
