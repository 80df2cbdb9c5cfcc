#include "datasets/demo/synth_voices.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace segue::demo {
namespace {

constexpr std::size_t kBlock = 32;  // samples between which levels and pitch are straight lines
constexpr double kTurn = 4294967296.0;
constexpr std::uint32_t kFraction = (1u << 22) - 1;

float lookup(const float* table, std::uint32_t phase) {
  const std::uint32_t at = phase >> 22;
  const float fraction = static_cast<float>(static_cast<std::int32_t>(phase & kFraction)) * 0x1p-22f;
  return table[at] + fraction * (table[at + 1] - table[at]);
}

std::uint32_t increment(double hz, int rate) { return static_cast<std::uint32_t>(hz / rate * kTurn); }

// A low-pass of two poles, as an amplitude.
double below(double hz, double cutoff) { return 1 / (1 + (hz / cutoff) * (hz / cutoff)); }
double bump(double hz, double centre, double width) {
  const double x = (hz - centre) / width;
  return 1 / (1 + x * x);
}

struct Vowel {
  double f1, f2,
      f3;  // Hz: Peterson & Barney 1952, "Control methods used in a study of the vowels", between men and women
};
constexpr std::array<Vowel, 5> kVowels{
    {{790, 1180, 2600}, {570, 1950, 2650}, {300, 2500, 3150}, {590, 880, 2550}, {340, 920, 2450}}};

Wave::Spectrum sung(const Vowel& v, double tilt) {
  return [v, tilt](int h, double hz) {
    const double resonance = bump(hz, v.f1, 90) + 0.7 * bump(hz, v.f2, 120) + 0.4 * bump(hz, v.f3, 180) + 0.03;
    return resonance * std::pow(h, -tilt);
  };
}

}  // namespace

std::span<const float> white_noise() {
  static const std::vector<float> kNoise = [] {
    std::vector<float> out(1 << 16);
    Rng rng = Rng(1).stream("white noise");
    for (float& x : out) x = 2 * rng.uniform_float() - 1;
    return out;
  }();
  return kNoise;
}

std::span<const float> sine_table() {
  static const std::vector<float> kSine = [] {
    std::vector<float> out(Wave::kSize + 1);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(std::sin(2 * std::numbers::pi * static_cast<double>(i % Wave::kSize) / Wave::kSize));
    }
    return out;
  }();
  return kSine;
}

double hertz(double pitch) { return 440 * std::exp2((pitch - 69) / 12); }

const float* Wave::at(double hz) {
  const double zone = std::clamp(std::floor(4 * std::log2(hz / 16)), 0.0, static_cast<double>(kZones - 1));
  std::vector<float>& table = zones_[static_cast<std::size_t>(zone)];
  if (!table.empty()) return table.data();
  table.assign(kSize + 1, 0.f);
  const double highest = 16 * std::exp2((zone + 1) / 4), middle = 16 * std::exp2((zone + 0.5) / 4);
  const int harmonics = std::clamp(static_cast<int>(0.45 * sample_rate_ / highest), 1, 80);
  const std::span<const float> sine = sine_table();
  for (int h = 1; h <= harmonics; ++h) {
    const auto amplitude = static_cast<float>(spectrum_(h, h * middle));
    if (std::abs(amplitude) < 1e-5f) continue;
    const auto step = static_cast<std::uint32_t>(h);
    const std::uint32_t start = step * step * 37;  // so that harmonics do not peak together
    for (std::uint32_t i = 0; i < kSize; ++i) table[i] += amplitude * sine[(start + i * step) % kSize];
  }
  double squares = 0;
  for (std::size_t i = 0; i < kSize; ++i) squares += double{table[i]} * table[i];
  const auto scale = static_cast<float>(squares > 0 ? 0.35 / std::sqrt(squares / kSize) : 0);
  for (float& x : table) x *= scale;
  table[kSize] = table[0];
  return table.data();
}

Instrument::Instrument(Kind kind, double brightness, int sample_rate, Rng rng) : rate_(sample_rate) {
  shape(kind, brightness, rng);
}

void Instrument::shape(Kind kind, double brightness, Rng& rng) {
  const auto around = [&rng](double x, double spread) { return x * std::exp(spread * rng.normal()); };
  // Where this track's filters close.
  const double open = around(350 * std::exp2(5 * brightness), 0.2);
  const double tilt = around(1, 0.1) * (1.5 - 0.7 * brightness);
  const auto tables = [&](const auto& source, double bright, double dull) {
    bright_ = Wave([=](int h, double hz) { return source(h) * below(hz, bright); }, rate_);
    dull_ = Wave([=](int h, double hz) { return source(h) * below(hz, dull); }, rate_);
  };
  const auto saw = [tilt](int h) { return std::pow(h, -tilt); };
  const auto pulse = [tilt, width = 0.2 + 0.3 * rng.uniform()](int h) {
    return std::pow(h, -tilt) * std::sin(std::numbers::pi * h * width);
  };
  const auto odd = [tilt](int h) { return std::pow(h, -tilt) * (h % 2 == 1 ? 1 : 0.25); };
  const auto few = [](int h) { return h == 1 ? 1 : 0.3 / (h * h); };
  vibrato_hz_ = around(5.2, 0.1);
  switch (kind) {
    case Kind::kSaw:
      rng.uniform() < 0.5 ? tables(saw, 3 * open, open) : tables(pulse, 3 * open, open);
      attack_ = 0.003, decay_ = around(0.25, 0.4), sustain_ = 0.35, morph_ = around(0.12, 0.4), detune_ = 0.12;
      break;
    case Kind::kPad:
      rng.uniform() < 0.6 ? tables(saw, 1.2 * open, 0.7 * open) : tables(odd, 1.2 * open, 0.7 * open);
      attack_ = around(0.35, 0.4), morph_ = 1.5, release_ = 0.8, detune_ = around(0.14, 0.3);
      break;
    case Kind::kStrings:
      tables(saw, 1.1 * open, 1.8 * open);
      attack_ = around(0.09, 0.3), morph_ = 0.4, release_ = 0.25, vibrato_ = 0.15, detune_ = 0.07;
      break;
    case Kind::kOrgan: {
      const std::array<double, 9> bars{0, 1, rng.uniform(), 0.7 * rng.uniform(), 0.5, 0, 0.4 * rng.uniform(), 0, 0.3};
      tables([bars](int h) { return h < 9 ? bars[static_cast<std::size_t>(h)] : 0.0; }, 4 * open, 3 * open);
      attack_ = 0.006, release_ = 0.05, vibrato_ = 0.06, vibrato_hz_ = 6.4;
      break;
    }
    case Kind::kReed:
      tables(odd, 2.2 * open, 1.1 * open);
      attack_ = 0.035, decay_ = 0.3, sustain_ = 0.8, vibrato_ = 0.22, morph_ = 0.25;
      break;
    case Kind::kBrass:
      tables(saw, 0.6 * open, 2.5 * open);  // it opens as it is blown
      attack_ = 0.03, decay_ = 0.3, sustain_ = 0.75, morph_ = 0.06, detune_ = 0.05;
      break;
    case Kind::kFlute:
      tables(few, 2 * open, 2 * open);
      attack_ = 0.06, vibrato_ = 0.2, release_ = 0.1;
      break;
    case Kind::kSub:
      tables([](int h) { return h == 1 ? 1 : 0.12 / h; }, 400, 250);
      attack_ = 0.006, decay_ = 0.6, sustain_ = 0.7, level_ = 1.5f;
      break;
    case Kind::kPickedBass:
      tables(saw, 1.4 * open, 0.4 * open);
      attack_ = 0.003, decay_ = around(0.4, 0.3), sustain_ = 0.4, morph_ = around(0.15, 0.3), level_ = 1.4f;
      break;
    case Kind::kPiano:
      tables(saw, 2 * open, 0.6 * open);
      attack_ = 0.002, decay_ = around(0.8, 0.2), sustain_ = 0, morph_ = 0.35, release_ = 0.15;
      break;
    case Kind::kElectricPiano:
      engine_ = Engine::kFm, ratio_ = 1, index_ = around(0.7 + 1.6 * brightness, 0.2);
      attack_ = 0.003, decay_ = around(0.9, 0.3), sustain_ = 0.1, morph_ = 0.35, release_ = 0.15;
      break;
    case Kind::kBell:
      engine_ = Engine::kFm, ratio_ = rng.uniform() < 0.5 ? 3.5 : 2.76, index_ = around(0.6 + 2 * brightness, 0.2);
      attack_ = 0.002, decay_ = around(1.1, 0.3), sustain_ = 0, morph_ = 0.6, release_ = 0.8;
      break;
    case Kind::kGuitar:
      engine_ = Engine::kString, ring_ = around(1.6, 0.3), damping_ = 0.52, softness_ = 0.75 - 0.7 * brightness;
      attack_ = 0.001, level_ = 2.2f;
      break;
    case Kind::kNylon:
      engine_ = Engine::kString, ring_ = around(1.1, 0.3), damping_ = 0.75, softness_ = 0.9 - 0.5 * brightness;
      attack_ = 0.002, level_ = 2.8f;
      break;
    case Kind::kUpright:
      engine_ = Engine::kString, ring_ = around(0.9, 0.2), damping_ = 0.9, softness_ = 0.95 - 0.2 * brightness;
      attack_ = 0.004, level_ = 4.f;
      break;
    case Kind::kVoice:
    case Kind::kShout: {
      const std::size_t from = rng.below(kVowels.size()), to = (from + 1 + rng.below(4)) % kVowels.size();
      const double slope = (kind == Kind::kShout ? 0.25 : 1.0) * tilt;
      bright_ = Wave(sung(kVowels[from], slope), rate_);
      dull_ = Wave(sung(kVowels[to], slope), rate_);
      attack_ = 0.04, decay_ = 0.4, sustain_ = 0.8, morph_ = around(0.15, 0.3), release_ = 0.09;
      vibrato_ = kind == Kind::kShout ? 0.5 : around(0.22, 0.4), detune_ = kind == Kind::kShout ? 0.35 : 0;
      level_ = 1.3f;
      break;
    }
    case Kind::kHiss:
      engine_ = Engine::kNoise, cutoff_ = around(400 * std::exp2(4 * brightness), 0.3);
      attack_ = 0.3, release_ = 0.3;
      break;
  }
}

// Calls sample(i, n, morph, slope) for blocks of at most kBlock samples, to be weighted by the envelope: it fills
// block[0 .. n).
template <class Sample>
void Instrument::add_blocks(float gain, std::span<float> out, Sample sample) {
  const std::size_t n = out.size();
  const double seconds = 1.0 / rate_;
  const auto fade = static_cast<double>(std::min<std::size_t>(n / 2, static_cast<std::size_t>(release_ * rate_) + 1));
  const double fall = std::exp(-static_cast<double>(kBlock) * seconds / decay_);
  const double closing = std::exp(-static_cast<double>(kBlock) * seconds / morph_);
  double level = 1, morph = 1;
  const auto envelope = [&](std::size_t i) {
    const double rise = std::min(1.0, static_cast<double>(i) * seconds / attack_);
    const double end = std::min(1.0, static_cast<double>(n - i) / fade);
    return static_cast<float>(rise * end * (sustain_ + (1 - sustain_) * level)) * gain * level_;
  };
  alignas(64) float block[kBlock];
  float before = envelope(0);
  for (std::size_t i = 0; i < n; i += kBlock) {
    const std::size_t count = std::min(kBlock, n - i);
    level *= fall;
    const double next = morph * closing;
    sample(i, count, static_cast<float>(morph), static_cast<float>((next - morph) / kBlock), block);
    morph = next;
    const float after = envelope(i + count);
    const float slope = (after - before) / static_cast<float>(count);
    float* const to = out.data() + i;
    for (std::size_t j = 0; j < count; ++j) to[j] += block[j] * (before + slope * static_cast<float>(j));
    before = after;
  }
}

void Instrument::add_tables(double hz, std::uint32_t start, double detune, float gain, std::span<float> out) {
  const double pitch = hz * std::exp2(detune / 12);
  const float* const bright = bright_.at(pitch);
  const float* const dull = dull_.at(pitch);
  const std::uint32_t steady = increment(pitch, rate_);
  const std::span<const float> sine = sine_table();
  const double bend = vibrato_ / 12 * std::numbers::ln2 * steady;
  const std::uint32_t sway_step = increment(vibrato_hz_, rate_) * static_cast<std::uint32_t>(kBlock);
  std::uint32_t phase = start, sway = 0;
  add_blocks(gain, out, [&](std::size_t i, std::size_t count, float morph, float slope, float* block) {
    std::uint32_t step = steady;
    if (vibrato_ > 0) {  // sets in as the note is held
      const double depth = std::min(1.0, static_cast<double>(i) / (0.4 * rate_));
      step += static_cast<std::uint32_t>(static_cast<std::int32_t>(bend * depth * lookup(sine.data(), sway)));
      sway += sway_step;
    }
    for (std::uint32_t j = 0; j < static_cast<std::uint32_t>(count); ++j) {
      const std::uint32_t at = phase + j * step;
      const float low = lookup(dull, at), high = lookup(bright, at);
      block[j] = low + (morph + slope * static_cast<float>(static_cast<std::int32_t>(j))) * (high - low);
    }
    phase += static_cast<std::uint32_t>(count) * step;
  });
}

void Instrument::add_fm(double hz, float gain, std::span<float> out) {
  const float* const sine = sine_table().data();
  const std::uint32_t step = increment(hz, rate_), mod_step = increment(hz * ratio_, rate_);
  // High notes would fold over with the index of low ones.
  const double index = index_ * std::min(1.0, 0.2 * rate_ / (hz * ratio_));
  const auto radians = static_cast<float>(index * kTurn / (2 * std::numbers::pi));
  std::uint32_t phase = 0, mod = 0;
  add_blocks(0.5f * gain, out, [&](std::size_t, std::size_t count, float morph, float slope, float* block) {
    for (std::uint32_t j = 0; j < static_cast<std::uint32_t>(count); ++j) {
      const float depth = radians * (morph + slope * static_cast<float>(static_cast<std::int32_t>(j)));
      // Radians may be over half a turn, which an unsigned phase takes as it comes.
      const auto swing = static_cast<std::int64_t>(depth * lookup(sine, mod + j * mod_step));
      block[j] = lookup(sine, phase + j * step + static_cast<std::uint32_t>(swing));
    }
    phase += static_cast<std::uint32_t>(count) * step;
    mod += static_cast<std::uint32_t>(count) * mod_step;
  });
}

void Instrument::add_string(double hz, std::uint32_t variant, float gain, std::span<float> out) {
  const double period = rate_ / hz;
  const auto line = static_cast<std::size_t>(std::max(4.0, std::round(period)));
  const double offset = std::clamp(period - static_cast<double>(line), -0.5, 0.5);
  const double loss = std::exp(-6.9 / (ring_ * hz));  // 60 dB in ring_ seconds
  const auto early = static_cast<float>(loss * (damping_ - offset) / 2),
             late = static_cast<float>(loss * (damping_ + offset) / 2);
  const auto middle = static_cast<float>(loss * (1 - damping_));
  constexpr std::size_t kLead = 2;  // zeros before the pluck
  scratch_.assign(kLead + std::max(out.size(), line), 0.f);
  float* const y = scratch_.data() + kLead;
  const std::span<const float> noise = white_noise();
  float smooth = 0;
  double sum = 0;
  const auto soft = static_cast<float>(softness_);
  for (std::size_t i = 0; i < line; ++i) {
    smooth = soft * smooth + (1 - soft) * noise[(variant * 977u + i) % noise.size()];
    y[i] = smooth;
    sum += smooth;
  }
  const auto mean = static_cast<float>(sum / static_cast<double>(line));
  for (std::size_t i = 0; i < line; ++i) y[i] -= mean;
  for (std::size_t begin = line; begin < out.size(); begin += line - 1) {  // a sample needs those a period before
    const std::size_t end = std::min(out.size(), begin + line - 1);
    float* const now = y + begin;
    const float* const then = y + begin - line - 1;
#pragma GCC ivdep
    for (std::size_t i = 0; i < end - begin; ++i) now[i] = early * then[i + 2] + middle * then[i + 1] + late * then[i];
  }
  add_blocks(gain, out,
             [&](std::size_t i, std::size_t count, float, float, float* block) { std::copy_n(y + i, count, block); });
}

void Instrument::add_noise(std::uint32_t variant, float gain, std::span<float> out) {
  const std::span<const float> noise = white_noise();
  const auto share = static_cast<float>(1 - std::exp(-2 * std::numbers::pi * cutoff_ / rate_));
  float smooth = 0;
  add_blocks(gain, out, [&](std::size_t i, std::size_t count, float, float, float* block) {
    for (std::size_t j = 0; j < count; ++j) {
      smooth += share * (noise[(variant * 977u + i + j) % noise.size()] - smooth);
      block[j] = smooth;
    }
  });
}

void Instrument::play(double pitch, double seconds, float velocity, std::uint32_t variant, std::span<float> out) {
  out = out.first(std::min(out.size(), static_cast<std::size_t>((seconds + release_) * rate_)));
  if (out.size() < 2 * kBlock) return;
  const double hz = hertz(pitch);
  switch (engine_) {
    case Engine::kTables:
      if (detune_ > 0) {
        add_tables(hz, variant * 0x9E3779B9u, detune_ / 2, 0.7f * velocity, out);
        add_tables(hz, variant * 0x85EBCA6Bu + 0x40000000u, -detune_ / 2, 0.7f * velocity, out);
      } else {
        add_tables(hz, variant * 0x9E3779B9u, 0, velocity, out);
      }
      break;
    case Engine::kFm:
      add_fm(hz, velocity, out);
      break;
    case Engine::kString:
      add_string(hz, variant, velocity, out);
      break;
    case Engine::kNoise:
      add_noise(variant, velocity, out);
      break;
  }
}

}  // namespace segue::demo
