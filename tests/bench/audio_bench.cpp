// What hearing costs, per frame of 2048 samples every 512 at 22,050 Hz: 133 s of noise-like music, one thread, decoding
// left out. Floors: a real transform of n points is at least 2.5 n log2 n = 56 kflop a frame; 128 mel triangles two
// operations a bin and edge, 4 kflop; chroma 24.6 kflop. `x_real_time` is seconds of sound a second.
#include <cmath>
#include <numbers>

#include <benchmark/benchmark.h>

#include "framework/audio/features.hpp"
#include "framework/base/rng.hpp"
#include "tests/bench/ceiling.hpp"

namespace segue::audio {
namespace {

constexpr int kRate = 22050;
constexpr double kSeconds = 133;

// Chords that change, beats and noise: what tuning, chroma and tempo have to work for.
std::vector<float> make_song() {
  Rng rng(1);
  std::vector<float> x(static_cast<std::size_t>(kSeconds * kRate));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i) / kRate, beat = std::fmod(t * 2, 1.0);
    double y = 0.02 * rng.normal() + 0.4 * std::exp(-30 * beat) * rng.normal();
    const int chord = static_cast<int>(t / 2) % 4;
    for (const int note : {0, 4, 7, 12}) {
      const double hz = 220 * std::exp2((note + 5 * chord % 12) / 12.0);
      for (int h = 1; h <= 6; ++h) y += 0.1 / h * std::sin(2 * std::numbers::pi * hz * h * t);
    }
    x[i] = static_cast<float>(0.5 * y);
  }
  return x;
}

const std::vector<float>& song() {
  static const std::vector<float> made = make_song();
  return made;
}

void report_sound(benchmark::State& state, std::size_t frames, double flop_a_frame) {
  state.counters["x_real_time"] =
      benchmark::Counter(kSeconds, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
  state.counters["us_a_frame"] = benchmark::Counter(
      static_cast<double>(frames) / 1e6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  bench::report_flop(state, flop_a_frame * static_cast<double>(frames));
}

void stft_alone(benchmark::State& state) {
  const std::vector<float>& x = song();
  std::size_t frames = 0;
  for (auto _ : state) {
    Stft<float> stft(StftSettings{});
    float sum = 0;
    const auto sink = [&](const SpectrumBlock<float>& block) { sum += block.power[block.bins]; };
    stft.push(x, sink);
    stft.finish(sink);
    benchmark::DoNotOptimize(sum);
    frames = static_cast<std::size_t>(stft.frames());
  }
  report_sound(state, frames, 56e3);
}
BENCHMARK(stft_alone)->Unit(benchmark::kMillisecond);

// MFCC, chroma with its tuning, centroid, onset strength and tempo: what librosa is measured on.
void five_features(benchmark::State& state) {
  const std::vector<float>& x = song();
  FeatureSettings settings;
  std::size_t frames = 0;
  for (auto _ : state) {
    FeatureExtractor<float> extractor(settings, WantedFeatures::few());
    extractor.push(x);
    extractor.finish();
    const Features<float> f = extractor.take();
    benchmark::DoNotOptimize(tempo_librosa(f.onset, settings.frame_rate()));
    frames = f.frames;
  }
  report_sound(state, frames, 56e3 + 4e3 + 24.6e3 + 2.5 * 720 * 9.5);
}
BENCHMARK(five_features)->Unit(benchmark::kMillisecond);

void all_features_and_beats(benchmark::State& state) {
  const std::vector<float>& x = song();
  FeatureSettings settings;
  std::size_t frames = 0;
  for (auto _ : state) {
    FeatureExtractor<float> extractor(settings);
    extractor.push(x);
    extractor.finish();
    const Features<float> f = extractor.take();
    const double bpm = tempo_librosa(f.beat_onset, settings.frame_rate());
    benchmark::DoNotOptimize(beat_frames(f.beat_onset, bpm, settings.frame_rate()).size());
    frames = f.frames;
  }
  report_sound(state, frames, 56e3 + 4e3 + 24.6e3 + 2.5 * 720 * 9.5);
}
BENCHMARK(all_features_and_beats)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::audio
