// The tempo of a recording from what repeats in its onset envelope as a whole.
#pragma once

#include <span>

#include "framework/audio/rhythm.hpp"

namespace segue::audio {

enum class TempoMethod {
  kMetre,   // estimate_tempo()
  kLibrosa  // tempo_librosa()
};

struct Tempo {
  double bpm = 0;  // beats a minute; 0 where nothing repeats
  // 1 - s2 / s1, in [0, 1]: s1 its score, s2 the best score of a tempo that is not 2, 3 or 4 times it or such a part.
  double confidence = 0;
};

// The period p between 30 and 300 beats a minute whose metre repeats: largest mean of the envelope's autocorrelation at
// p, 2p, 4p and 8p, times how usual the tempo is (log-normal around 120 with a standard deviation of an octave, after
// van Noorden & Moelants 1999, "Resonance in the perception of musical pulse"). A comb whose teeth are metrical levels:
// it tells a beat from its dotted neighbours, which agree with its odd multiples only, and its long teeth tell periods
// more finely than frames do. Of the comb: Klapuri, Eronen & Astola 2006, "Analysis of the meter of acoustic musical
// signals".
Tempo estimate_tempo(std::span<const double> envelope, FrameRate rate);

}  // namespace segue::audio
