// The instruments of the demo world's music: a note of one of them, from its first sample to its last.
//
// Three ways of making a tone, all of them functions of the note alone, so that a note sounds the same wherever an
// excerpt begins:
//   tables   one period of additive synthesis, band-limited for its pitch, read with linear interpolation; a bright
//            table fades into a dull one, which is what a closing filter would do
//   FM       one sine modulating another's phase: Chowning 1973, "The synthesis of complex audio spectra by means of
//            frequency modulation"
//   strings  a delay line that is averaged each time round: Karplus & Strong 1983, "Digital synthesis of plucked-string
//            and drum timbres", with three taps, so that it is in tune
//   noise    white, through a one-pole low-pass
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "framework/base/rng.hpp"

namespace segue::demo {

// White noise, uniform on [-1, 1), the same for every sound; read round from any place. 2^16 samples.
std::span<const float> white_noise();
// One period, 1024 samples and the first once more.
std::span<const float> sine_table();

double hertz(double pitch);  // of a MIDI number: 69 is A4, 440 Hz

// One period of a harmonic tone for every quarter octave, made when first asked for. One object a thread.
class Wave {
 public:
  static constexpr std::size_t kSize = 1024;
  using Spectrum = std::function<double(int harmonic, double hz)>;  // amplitude of a harmonic that sounds at hz

  Wave() = default;
  Wave(Spectrum spectrum, int sample_rate) : spectrum_(std::move(spectrum)), sample_rate_(sample_rate) {}
  // kSize + 1 numbers of root mean square 0.35, without harmonics above 0.45 of the sample rate.
  const float* at(double hz);

 private:
  static constexpr std::size_t kZones = 48;
  Spectrum spectrum_;
  int sample_rate_ = 0;
  std::array<std::vector<float>, kZones> zones_;
};

enum class Kind {
  kSaw,
  kPad,
  kStrings,
  kOrgan,
  kReed,
  kBrass,
  kFlute,
  kSub,
  kPickedBass,
  kPiano,
  kElectricPiano,
  kBell,
  kGuitar,
  kNylon,
  kUpright,
  kVoice,
  kShout,
  kHiss
};

class Instrument {
 public:
  // brightness as in the recipe; rng: what makes this track's instrument its own.
  Instrument(Kind kind, double brightness, int sample_rate, Rng rng);

  // Adds a note that is held for `seconds`, then released, to the start of `out`; where `out` is shorter the release
  // comes earlier. velocity: 0 to 1, amplitude. variant: which of many equal notes this is.
  void play(double pitch, double seconds, float velocity, std::uint32_t variant, std::span<float> out);

 private:
  enum class Engine { kTables, kFm, kString, kNoise };
  void shape(Kind kind, double brightness, Rng& rng);
  void add_tables(double hz, std::uint32_t start, double detune, float gain, std::span<float> out);
  void add_fm(double hz, float gain, std::span<float> out);
  void add_string(double hz, std::uint32_t variant, float gain, std::span<float> out);
  void add_noise(std::uint32_t variant, float gain, std::span<float> out);
  template <class Sample>
  void add_blocks(float gain, std::span<float> out, Sample sample);

  int rate_;
  Engine engine_ = Engine::kTables;
  // Seconds. The level rises for attack_, then falls to sustain_ with time constant decay_.
  double attack_ = 0.005, decay_ = 1, sustain_ = 1, release_ = 0.06;
  double morph_ = 0.3;                              // time constant in which bright becomes dull
  double vibrato_ = 0, vibrato_hz_ = 5.2;           // semitones to either side
  double detune_ = 0;                               // semitones between two oscillators; 0: one
  double ratio_ = 1, index_ = 1;                    // FM: the modulator's frequency, radians
  double ring_ = 2, damping_ = 0.6, softness_ = 0;  // string: seconds, of the average, of the pluck (0 to 1)
  double cutoff_ = 2000;                            // noise, Hz
  float level_ = 1;
  Wave bright_, dull_;
  std::vector<float> scratch_;
};

}  // namespace segue::demo
