// What is played in a track of the demo world: form, harmony, melody, bass and patterns, worked out bar by bar from the
// recipe. A bar is four beats, sixteen steps. Sections of the same letter have the same chords and melodies; only touch
// differs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "datasets/demo/recipe.hpp"
#include "datasets/demo/synth_drums.hpp"
#include "datasets/demo/synth_voices.hpp"
#include "framework/base/rng.hpp"

namespace segue::demo {

enum class Part { kBass, kChords, kTexture, kLead, kHiss, kCount };
inline constexpr std::size_t kParts = static_cast<std::size_t>(Part::kCount);

struct Note {
  Part part;
  double step, steps;  // from the beginning of the bar, and how long it is held; straight, before swing
  double pitch;        // MIDI number
  float velocity;
};

struct Band;  // what a genre plays and on what; in synth_bands.hpp

class Score {
 public:
  // UsageError for a genre that there is not.
  explicit Score(const AudioRecipe& recipe);

  std::size_t bars() const { return bars_; }  // the last one may be cut by the end of the track
  double bar_seconds() const { return 240 / recipe_.bpm; }
  char letter(std::size_t bar) const;              // of its section
  std::vector<Note> notes(std::size_t bar) const;  // in a fixed order
  std::vector<Hit> hits(std::size_t bar) const;    // likewise
  // Where a step stands, in steps: swing moves every second eighth (in jazz and folk) or sixteenth towards a triplet's.
  double swung(double step) const;

  Kind instrument(Part part) const { return kinds_[static_cast<std::size_t>(part)]; }
  float level(Part part) const { return levels_[static_cast<std::size_t>(part)]; }  // in the mix
  float drum_level() const { return drum_level_; }
  double drive() const { return drive_; }        // distortion of bass and chords; 0 none
  double softness() const { return softness_; }  // of the drums
  static bool full(char letter);                 // whether most of the band plays in sections of this letter

 private:
  struct Place {
    std::size_t section, bar, bars;  // bar within the section, and how many it has
    char letter;
  };
  struct Plan {  // who plays in sections of a letter
    bool bass, chords, texture, lead, drums;
    double density;  // about 1 where all play
  };
  Place place(std::size_t bar) const;
  Plan plan(const Place& place) const;
  int scale_pitch(int degree, int low) const;
  std::vector<int> chord(char letter, std::size_t bar, int low, int voices) const;
  int root_degree(char letter, std::size_t bar) const;
  void add_bass(const Place& at, std::vector<Note>& out) const;
  void add_chords(Part part, const char* pattern, const Place& at, int low, int voices, std::vector<Note>& out) const;
  void add_lead(const Place& at, std::vector<Note>& out) const;

  AudioRecipe recipe_;
  Rng rng_;
  const Band* band_;
  std::size_t bars_;
  std::vector<std::size_t> starts_;  // of sections, in bars, and the end
  std::array<Kind, kParts> kinds_{};
  std::array<float, kParts> levels_{};
  float drum_level_ = 1;
  double drive_ = 0, softness_ = 0;
  const char* comp_ = nullptr;  // patterns chosen for this track
  const char* bassline_ = nullptr;
  const char* texture_ = nullptr;
};

}  // namespace segue::demo
