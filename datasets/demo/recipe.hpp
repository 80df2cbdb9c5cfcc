// What an item's sound is made from, as the text that stands in ItemAudio. The grammar is in README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segue::demo {

struct AudioRecipe {
  std::string genre;  // slug of a genre: "drum_and_bass"
  double bpm = 120;   // beats a minute, one decimal
  int key = 0;        // 0 = C, 1 = C#, ... 11 = B
  bool minor = false;
  double swing = 0;         // 0 straight ... 1 full triplets; three decimals, as the next three
  double energy = 0.5;      // 0 quiet and sparse ... 1 loud and dense
  double brightness = 0.5;  // 0 dark ... 1 bright: centre of the spectrum
  double noise = 0;         // 0 clean ... 1 distorted
  std::string drums;        // pattern name
  std::string structure;    // one capital letter a section
  int duration = 180;       // seconds
  bool vocal = true;        // a voice-like lead
  std::uint64_t seed = 0;   // of everything that the fields above leave open

  bool operator==(const AudioRecipe&) const = default;
};

// "demo:genre=techno;bpm=128.0;key=A;mode=minor;...". The numbers keep the decimals named above.
std::string to_text(const AudioRecipe& recipe);
// The inverse: every field exactly once, in any order. DataError naming the field for anything else.
AudioRecipe parse_recipe(std::string_view text);
// True for texts that begin as recipes do; anything else in ItemAudio is a file path.
bool is_recipe(std::string_view text);

}  // namespace segue::demo
