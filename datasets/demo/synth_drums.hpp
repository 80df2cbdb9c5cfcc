// The drums of the demo world's music: strokes that are made once for a track, and which of them fall where in a bar.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "framework/base/rng.hpp"

namespace segue::demo {

enum class Stroke { kKick, kSnare, kClap, kHat, kOpenHat, kRide, kCrash, kShaker, kClave, kConga, kBrush, kCount };

// One recording of every stroke, mono.
class DrumKit {
 public:
  // brightness as in the recipe; soft: brushes and felt rather than sticks, 0 to 1; rng: this track's own kit.
  DrumKit(double brightness, double soft, int sample_rate, Rng rng);
  // Adds it to the start of `out`, which should reach over a second: what is beyond is cut.
  void play(Stroke stroke, float velocity, std::span<float> out) const;

 private:
  std::array<std::vector<float>, static_cast<std::size_t>(Stroke::kCount)> strokes_;
};

struct Hit {
  Stroke stroke;
  int step;  // sixteenths from the beginning of the bar
  float velocity;
};

// What is played in one bar. pattern: of the recipe, "none" plays nothing. density: 0 the bare beat, 1 all of it. fill:
// the bar leads into another section. rng: of this bar.
std::vector<Hit> drum_hits(std::string_view pattern, double density, bool fill, Rng rng);

}  // namespace segue::demo
