#include "datasets/demo/sound.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "datasets/demo/synth_score.hpp"
#include "framework/base/errors.hpp"

namespace segue::demo {
namespace {

// A note sounds to the end of the bar after its own at the latest, and echoes reach back a bar: so a bar can be heard
// right two bars after the band has begun to play.
constexpr std::size_t kLeadIn = 2;

// Saturation with slope 1 at 0, as hard as a loud amplifier's.
void distort(std::span<float> x, float gain) {
  for (float& v : x) {
    const float y = gain * v;
    v = y / (1 + std::abs(y));
  }
}

// A limiter that leaves quiet sound alone: a Pade approximant of tanh, which meets 1 at 3.
void limit(std::span<float> x, float gain) {
  for (float& v : x) {
    const float y = std::min(2.9f, std::max(-2.9f, gain * v));
    v = y * (27 + y * y) / (27 + 9 * y * y);
  }
}

}  // namespace

struct DemoSound::Studio {
  Studio(const AudioRecipe& r, int sample_rate)
      : recipe(r), rate(sample_rate), score(r), kit(r.brightness, score.softness(), rate, Rng(r.seed).stream("kit")) {
    for (std::size_t p = 0; p < kParts; ++p) {
      const auto part = static_cast<Part>(p);
      band[p].emplace(score.instrument(part), r.brightness, rate, Rng(r.seed).stream("instrument", p));
    }
    total = static_cast<std::uint64_t>(r.duration) * static_cast<std::uint64_t>(rate);
    // Bright masters are sharpened, dark ones dulled, by three taps.
    side = static_cast<float>(std::clamp(0.27 - 0.5 * r.brightness, -0.25, 0.25));
    Rng room = Rng(r.seed).stream("room");
    const double size = 0.6 + 0.8 * room.uniform();
    for (std::size_t e = 0; e < echoes.size(); ++e) {
      constexpr std::array<double, 5> kSeconds{0.0297, 0.0371, 0.0411, 0.0897, 0.1273};  // no common divisor
      echoes[e] = static_cast<std::size_t>(kSeconds[e] * size * rate);
    }
    wet = static_cast<float>(0.08 + 0.2 * (1 - r.energy));
    level();
    seek(0);
  }

  std::uint64_t bar_start(std::size_t bar) const {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(bar) * score.bar_seconds() * rate));
  }
  std::size_t bar_length(std::size_t bar) const {
    return static_cast<std::size_t>(bar_start(bar + 1) - bar_start(bar));
  }

  // Loudness follows from energy, whatever plays: the root mean square of two bars in which most of the band does.
  void level() {
    std::size_t bar = 0;
    const std::size_t bars = score.bars();
    while (bar + 1 < bars && !Score::full(score.letter(bar))) ++bar;
    begin(bar);
    double squares = 0, n = 0;
    for (std::size_t i = 0; i < 2 && next_bar < bars; ++i) {
      next();
      for (const float x : mixed) squares += double{x} * x;
      n += static_cast<double>(mixed.size());
    }
    const double rms = std::sqrt(squares / n);
    const double wanted = 0.04 * std::exp2(2.6 * recipe.energy);  // 0.04 to 0.24
    gain = static_cast<float>(rms > 1e-6 ? wanted / rms : 1);
  }

  // Makes `bar` the one that next() gives.
  void begin(std::size_t bar) {
    for (auto& bus : buses) bus.assign(0, 0.f);
    dry.clear();
    next_bar = bar < kLeadIn ? 0 : bar - kLeadIn;
    while (next_bar < bar) next();
  }

  // Plays next_bar: dry sound into the buses, of which the part that no later bar adds to goes to mixed.
  void next() {
    const std::size_t bar = next_bar++;
    const std::size_t length = bar_length(bar), both = length + bar_length(bar + 1);
    for (auto& bus : buses) bus.resize(both, 0.f);
    const double step_samples = score.bar_seconds() / 16 * rate;
    const auto at = [&](double step) { return static_cast<std::size_t>(score.swung(step) * step_samples); };
    std::uint32_t variant = 0;
    for (const Note& note : score.notes(bar)) {
      const auto p = static_cast<std::size_t>(note.part);
      const bool driven = note.part == Part::kChords || note.part == Part::kBass;
      const std::span<float> bus = buses[driven ? kDriven : kClean];
      const std::size_t begin_at = at(note.step);
      band[p]->play(note.pitch, note.steps / 16 * score.bar_seconds(), note.velocity * score.level(note.part),
                    static_cast<std::uint32_t>(bar) * 64 + ++variant, bus.subspan(begin_at));
    }
    for (const Hit& hit : score.hits(bar)) {
      kit.play(hit.stroke, 0.5f * hit.velocity * score.drum_level(), std::span(buses[kDrums]).subspan(at(hit.step)));
    }
    mix(length);
    for (auto& bus : buses) bus.erase(bus.begin(), bus.begin() + static_cast<std::ptrdiff_t>(length));
  }

  void mix(std::size_t length) {
    const std::span<float> driven = std::span(buses[kDriven]).first(length);
    if (score.drive() > 0.05) {
      const auto drive = static_cast<float>(score.drive());
      distort(driven, 1 + drive);
      const float back = 1 / (1 + 0.5f * drive);
      for (float& x : driven) x *= back;
    }
    // `dry` holds what echoes and the three taps need of the past, then this bar.
    const std::size_t past = std::max(*std::max_element(echoes.begin(), echoes.end()), std::size_t{2});
    if (dry.size() < past) dry.insert(dry.begin(), past - dry.size(), 0.f);
    dry.erase(dry.begin(), dry.end() - static_cast<std::ptrdiff_t>(past));
    dry.resize(past + length);
    float* const now = dry.data() + past;
    for (std::size_t i = 0; i < length; ++i) now[i] = buses[kClean][i] + driven[i] + 0.4f * buses[kDrums][i];
    mixed.assign(length, 0.f);
    for (std::size_t e = 0; e < echoes.size(); ++e) {
      const float share = e % 2 == 0 ? wet : -wet;
      const float* const then = now - echoes[e];
      for (std::size_t i = 0; i < length; ++i) mixed[i] += share * then[i];
    }
    const float middle = 1 - 2 * side;
    for (std::size_t i = 0; i < length; ++i) {
      mixed[i] += side * (now[i] + now[static_cast<std::ptrdiff_t>(i) - 2]) +
                  middle * now[static_cast<std::ptrdiff_t>(i) - 1] + 0.6f * buses[kDrums][i];
    }
  }

  void seek(std::uint64_t sample) {
    std::size_t bar = static_cast<std::size_t>(static_cast<double>(sample) / (score.bar_seconds() * rate));
    while (bar > 0 && bar_start(bar) > sample) --bar;  // bars begin at rounded samples
    while (bar_start(bar + 1) <= sample) ++bar;
    position = std::min(sample, total);
    used = 0;
    ready.clear();
    if (position == total) return;
    begin(bar);
    finish();
    used = static_cast<std::size_t>(sample - bar_start(bar));
  }

  // The next bar as it is heard: at its loudness, faded in and out at the ends of the track.
  void finish() {
    const std::uint64_t start = bar_start(next_bar);
    next();
    ready = mixed;
    limit(ready, gain);
    const double fade_in = 0.01 * rate, fade_out = std::min(3.0, 0.2 * recipe.duration) * rate;
    for (std::size_t i = 0; i < ready.size(); ++i) {
      const std::uint64_t at = start + i;
      if (at >= total) {
        ready.resize(i);
        break;
      }
      const double left = static_cast<double>(total - at) / fade_out;
      const double come = static_cast<double>(at) / fade_in;
      if (left < 1 || come < 1) ready[i] *= static_cast<float>(std::min(1.0, left) * std::min(1.0, come));
    }
    used = 0;
  }

  std::size_t read(std::span<float> out) {
    std::size_t given = 0;
    while (given < out.size() && position < total) {
      if (used == ready.size()) finish();
      const std::size_t n = std::min(out.size() - given, ready.size() - used);
      std::copy_n(ready.begin() + static_cast<std::ptrdiff_t>(used), n,
                  out.begin() + static_cast<std::ptrdiff_t>(given));
      used += n, given += n, position += n;
    }
    return given;
  }

  enum Bus { kClean, kDriven, kDrums, kBuses };

  AudioRecipe recipe;
  int rate;
  Score score;
  DrumKit kit;
  std::array<std::optional<Instrument>, kParts> band;
  std::uint64_t total = 0, position = 0;  // samples
  float side = 0, wet = 0, gain = 1;
  std::array<std::size_t, 5> echoes{};  // samples

  std::size_t next_bar = 0;
  std::array<std::vector<float>, kBuses> buses;  // from the beginning of next_bar
  std::vector<float> dry, mixed, ready;
  std::size_t used = 0;  // of ready
};

DemoSound::DemoSound(const AudioRecipe& recipe, int sample_rate) {
  if (sample_rate < 8000 || sample_rate > 192000)
    throw UsageError("a sample rate of {} Hz: recipes are played at 8000 to 192000 Hz", sample_rate);
  studio_ = std::make_unique<Studio>(recipe, sample_rate);
}
DemoSound::~DemoSound() = default;

int DemoSound::sample_rate() const { return studio_->rate; }
std::size_t DemoSound::read(std::span<float> out) { return studio_->read(out); }
void DemoSound::seek(std::uint64_t sample) { studio_->seek(sample); }
std::uint64_t DemoSound::samples() const { return studio_->total; }

std::vector<float> render(const AudioRecipe& recipe, int sample_rate, double from_seconds, double seconds) {
  DemoSound sound(recipe, sample_rate);
  sound.seek(static_cast<std::uint64_t>(std::llround(std::max(0.0, from_seconds) * sample_rate)));
  std::vector<float> out(static_cast<std::size_t>(std::llround(std::max(0.0, seconds) * sample_rate)));
  out.resize(sound.read(out));
  return out;
}

}  // namespace segue::demo
