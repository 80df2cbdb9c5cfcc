// What the bands of the twelve genres play, and on what: constants.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "datasets/demo/synth_voices.hpp"

namespace segue::demo {

// Patterns have sixteen steps. Chords: 'x' all notes, '-' softly, 'P' held for the bar, 'a' the next note of an
// arpeggio, 'b' now and then a note. Bass: '1' root, '5' fifth, '8' octave, 'w' the next step of a walk, '_' the root
// held for half a bar, 'H' for all of it.
struct Band {
  std::string_view genre;
  std::array<Kind, 2> bass, chords, texture, lead;  // the first in two of three tracks
  std::array<const char*, 2> comp, bassline, textures;
  int voices;                         // notes of a chord; 2: root and fifth
  int bass_low, chord_low, lead_low;  // lowest pitches
  double hold;                        // steps for which a chord is held
  double lead_notes;                  // share of steps on which the lead begins a note
  int lead_grid;                      // steps between places where it may
  double drive, softness, hiss;       // before the recipe's noise
  float bass_mix, chord_mix, texture_mix, lead_mix, drum_mix;
};

// One for every genre.
const std::vector<Band>& bands();

}  // namespace segue::demo
