// How right an estimated tempo is: the two measures of Gouyon et al. 2006, "An experimental comparison of audio tempo
// induction algorithms".
#pragma once

namespace segue::audio {

inline constexpr double kTempoTolerance = 0.04;  // of the tempo

struct TempoAccuracy {
  bool first = false;   // within 4 % of the tempo
  bool second = false;  // or of its double, triple, half or third
};
// bpm 0, where nothing repeats, is never right. truth: above 0.
TempoAccuracy tempo_accuracy(double bpm, double truth);

}  // namespace segue::audio
