#include "datasets/demo/synth_drums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/demo/synth_voices.hpp"

namespace segue::demo {
namespace {

struct Line {
  Stroke stroke;
  const char* steps;  // sixteen: '#' accent, 'x' stroke, '-' soft, '.' none
  float level;
  double from_density;  // left out below
};

struct Pattern {
  std::string_view name;
  std::vector<Line> lines;
};

const std::vector<Pattern>& patterns() {
  using enum Stroke;
  static const std::vector<Pattern> kPatterns{{"four_floor",
                                               {{kKick, "#...#...#...#...", 1.0f, 0},
                                                {kOpenHat, "..x...x...x...x.", 0.5f, 0.3},
                                                {kClap, "....x.......x...", 0.6f, 0.35},
                                                {kHat, "x-x-x-x-x-x-x-x-", 0.3f, 0.55}}},
                                              {"backbeat",
                                               {{kKick, "#.......#.x.....", 0.9f, 0},
                                                {kSnare, "....#.......#...", 0.8f, 0},
                                                {kHat, "x.-.x.-.x.-.x.-.", 0.4f, 0.2},
                                                {kOpenHat, "..............x.", 0.35f, 0.6}}},
                                              {"boom_bap",
                                               {{kKick, "#.....x...x..-..", 1.0f, 0},
                                                {kSnare, "....#.......#...", 0.9f, 0},
                                                {kHat, "x.-.x.-.x.-.x.--", 0.35f, 0.2}}},
                                              {"breakbeat",
                                               {{kKick, "#.x.......x.....", 0.9f, 0},
                                                {kSnare, "....#..-.-..#..-", 0.9f, 0},
                                                {kHat, "x.-.x.-.x.-.x.-.", 0.4f, 0.2},
                                                {kRide, "x...x...x...x...", 0.25f, 0.6}}},
                                              {"half_time",
                                               {{kKick, "#...x.....x.x...", 1.0f, 0},
                                                {kSnare, "........#.......", 1.0f, 0},
                                                {kHat, "#...#...#...#...", 0.8f, 0},
                                                {kCrash, "x...............", 0.35f, 0.75}}},
                                              {"swing_ride",
                                               {{kRide, "x...#.-.x...#.-.", 0.6f, 0},
                                                {kHat, "....x.......x...", 0.5f, 0},
                                                {kKick, "-...-...-...-...", 0.4f, 0.3},
                                                {kSnare, "......-.......-.", 0.35f, 0.5}}},
                                              {"brushed",
                                               {{kBrush, "x.-.#.-.x.-.#.-.", 0.5f, 0},
                                                {kKick, "x.......x.......", 0.5f, 0},
                                                {kShaker, "x.x.x.x.x.x.x.x.", 0.15f, 0.5}}},
                                              {"afro_clave",
                                               {{kClave, "x..x..x...x.x...", 0.25f, 0},
                                                {kKick, "#...x...#...x...", 0.8f, 0},
                                                {kShaker, "#-x-#-x-#-x-#-x-", 0.6f, 0.2},
                                                {kConga, "..x...xx..x...xx", 0.5f, 0.3},
                                                {kSnare, "....-.......-..-", 0.5f, 0.5}}},
                                              {"none", {}}};
  return kPatterns;
}

float strength(char step) { return step == '#' ? 1.f : step == 'x' ? 0.75f : 0.4f; }

// Strokes as a decaying tone that may fall in pitch, and decaying noise between two frequencies.
struct Sound {
  double tone, hz, fall_hz, fall;  // amplitude, final pitch, how far above it begins, and the time constant of the fall
  double tone_decay;               // seconds
  double noise, low, high, noise_decay;  // amplitude, Hz, Hz, seconds
  double seconds;
};

std::vector<float> make(const Sound& s, int rate, std::size_t place) {
  std::vector<float> out(static_cast<std::size_t>(s.seconds * rate));
  const std::span<const float> noise = white_noise();
  const double second = 1.0 / rate, pi2 = 2 * std::numbers::pi;
  const double nyquist = 0.45 * rate;
  const double low = 1 - std::exp(-pi2 * std::min(s.low, nyquist) * second);
  const double high = 1 - std::exp(-pi2 * std::min(s.high, nyquist) * second);
  const double tone_fall = std::exp(-second / s.tone_decay), noise_fall = std::exp(-second / s.noise_decay);
  const double pitch_fall = std::exp(-second / s.fall);
  double phase = 0, tone = s.tone, hiss = s.noise, above = s.fall_hz, below_low = 0, below_high = 0;
  const std::span<const float> sine = sine_table();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double x = noise[(place + i) % noise.size()];
    below_high += high * (x - below_high);
    below_low += low * (below_high - below_low);
    const double rise = std::min(1.0, static_cast<double>(i) * second / 0.0008);
    const double left = static_cast<double>(out.size() - i) * second;
    const double end = std::min(1.0, left / 0.01);
    out[i] = static_cast<float>(
        rise * end * (tone * sine[static_cast<std::size_t>(phase * Wave::kSize)] + hiss * (below_high - below_low)));
    phase += (s.hz + above) * second;
    phase -= std::floor(phase);
    tone *= tone_fall, hiss *= noise_fall, above *= pitch_fall;
  }
  return out;
}

}  // namespace

DrumKit::DrumKit(double brightness, double soft, int sample_rate, Rng rng) {
  const auto around = [&rng](double x, double spread) { return x * std::exp(spread * rng.normal()); };
  const double air = 1800 * std::exp2(3 * brightness);  // Hz: where cymbals and skins lose their highs
  const auto put = [&](Stroke stroke, const Sound& sound) {
    strokes_[static_cast<std::size_t>(stroke)] = make(sound, sample_rate, 4001 * static_cast<std::size_t>(stroke));
  };
  using enum Stroke;
  const double sharp = 1 - 0.7 * soft;
  put(kKick,
      {1.1, around(48, 0.12), around(120, 0.3) * sharp, 0.03, around(0.14, 0.2), 0.25 * sharp, 200, air, 0.008, 0.4});
  put(kSnare, {0.45, around(185, 0.12), 60, 0.02, 0.07, 1.1, 600, air, around(0.09, 0.25), 0.35});
  put(kClap, {0, 1, 0, 1, 1, 1.5, 900, air, around(0.08, 0.2), 0.3});
  put(kHat, {0, 1, 0, 1, 1, 1.6, 5000, 2.5 * air, around(0.025, 0.25), 0.12});
  put(kOpenHat, {0, 1, 0, 1, 1, 1.5, 5000, 2.5 * air, around(0.12, 0.25), 0.35});
  put(kRide, {0.12, around(3100, 0.15), 0, 1, 0.2, 0.9, 4000, 2.2 * air, around(0.16, 0.2), 0.5});
  put(kCrash, {0, 1, 0, 1, 1, 1.2, 2500, 2.5 * air, around(0.35, 0.2), 1.0});
  put(kShaker, {0, 1, 0, 1, 1, 1.4, 4500, 2 * air, around(0.03, 0.2), 0.12});
  put(kClave, {1, around(1900, 0.1), 0, 1, 0.03, 0.1, 900, air, 0.005, 0.15});
  put(kConga, {0.9, around(230, 0.15), 40, 0.02, around(0.1, 0.2), 0.2, 400, air, 0.01, 0.3});
  put(kBrush, {0.1, around(180, 0.1), 0, 1, 0.04, 1.1, 1200, air, around(0.08, 0.2), 0.25});
}

void DrumKit::play(Stroke stroke, float velocity, std::span<float> out) const {
  const std::vector<float>& sound = strokes_[static_cast<std::size_t>(stroke)];
  const std::size_t n = std::min(sound.size(), out.size());
  for (std::size_t i = 0; i < n; ++i) out[i] += velocity * sound[i];
}

std::vector<Hit> drum_hits(std::string_view pattern, double density, bool fill, Rng rng) {
  std::vector<Hit> out;
  const auto found = std::ranges::find(patterns(), pattern, &Pattern::name);
  if (found == patterns().end()) return out;
  for (const Line& line : found->lines) {
    if (line.from_density > density) continue;
    for (int step = 0; step < 16; ++step) {
      const char sign = line.steps[step];
      const bool ghost = sign == '.' && line.stroke == Stroke::kSnare && step % 2 == 1 && density > 0.6;
      const double u = rng.uniform();
      const auto touch = static_cast<float>(1 + 0.12 * rng.normal());
      if (fill && step >= 12 && line.stroke == Stroke::kSnare) {
        out.push_back({Stroke::kSnare, step, line.level * (0.4f + 0.1f * static_cast<float>(step - 12))});
      } else if (sign != '.') {
        out.push_back({line.stroke, step, line.level * strength(sign) * std::clamp(touch, 0.6f, 1.3f)});
      } else if (ghost && u < 0.12) {
        out.push_back({line.stroke, step, 0.2f * line.level});
      }
    }
  }
  return out;
}

}  // namespace segue::demo
