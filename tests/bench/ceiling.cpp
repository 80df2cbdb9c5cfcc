#include "tests/bench/ceiling.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/simd.hpp"

namespace segue::bench {

namespace {

// Work a second, in units of 1e9, of body(piece) for every piece < 16 threads; the best of many short passes,
// because what disturbs a pass only makes it slower.
template <class Body>
double best_rate(int threads, double work_a_piece, Body body) {
  constexpr double kSeconds = 0.3;
  const Executor exec(threads);
  const std::size_t pieces = 16 * static_cast<std::size_t>(threads);
  double best = 0, spent = 0;
  while (spent < kSeconds) {
    const auto begin = std::chrono::steady_clock::now();
    exec.for_blocks(pieces, 1, [&](std::size_t piece, std::size_t) { body(piece); });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 1e-9 * work_a_piece * static_cast<double>(pieces) / taken.count());
    spent += taken.count();
  }
  return best;
}

// Chains enough to hide the latency of a multiply-add, few enough for the registers.
template <class V, std::size_t kChains>
double fma_rate(int threads) {
  constexpr std::size_t kSteps = 25000;
  return best_rate(threads, 2.0 * static_cast<double>(kSteps * kChains * V::kCount), [](std::size_t) {
    // A known factor of one is left out. Not by DoNotOptimize: with it g++ 12 read both before they were written, and
    // where the stack held denormals the ceiling was a 250th of what it is.
    const volatile float one = 1, tiny = 1e-9f;
    const V a = V::all(one), b = V::all(tiny);
    V sum[kChains];
#pragma GCC unroll 16
    for (std::size_t c = 0; c < kChains; ++c) sum[c] = V::all(static_cast<float>(c));  // alike, they would be one
    for (std::size_t step = 0; step < kSteps; ++step)
#pragma GCC unroll 16
      for (std::size_t c = 0; c < kChains; ++c) sum[c] = fma(a, b, sum[c]);
    V all = sum[0];
#pragma GCC unroll 16
    for (std::size_t c = 1; c < kChains; ++c) all = fma(a, sum[c], all);
    benchmark::DoNotOptimize(all);
  });
}

Lanes sum_of(const float* p, std::size_t n, std::size_t rows) {
  Lanes sum[4] = {Lanes::zero(), Lanes::zero(), Lanes::zero(), Lanes::zero()};
  for (std::size_t r = 0; r < rows; ++r, p += n)
    for (std::size_t v = 0; v < 4; ++v) sum[v] = sum[v] + Lanes::load(p + v * Lanes::kCount);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

constexpr std::size_t kRow = 4 * Lanes::kCount;  // 256 bytes

// First use of a measurement; benchmarks run on one thread.
template <class Key, class Measure>
double once(std::map<Key, double>& known, const Key& key, Measure measure) {
  const auto at = known.find(key);
  return at != known.end() ? at->second : known.emplace(key, measure()).first->second;
}

}  // namespace

double fma_gflops(int threads) {
  static std::map<int, double> known;
  constexpr std::size_t kChains = Lanes::kRegisters >= 32 ? 16 : 6;
  return once(known, threads, [&] { return fma_rate<Lanes, kChains>(threads); });
}

double fma_gflops_double(int threads) {
  static std::map<int, double> known;
  return once(known, threads, [&] { return fma_rate<Doubles, 12>(threads); });
}

double stream_gbs(int threads) {
  static std::map<int, double> known;
  return once(known, threads, [&] {
    constexpr std::size_t kFloats = std::size_t{64} << 20;  // 256 MiB
    const std::vector<float> data(kFloats, 1.0f);
    const std::size_t piece = kFloats / (16 * static_cast<std::size_t>(threads)) / kRow * kRow;
    return best_rate(threads, 4.0 * static_cast<double>(piece), [&](std::size_t p) {
      Lanes sum = sum_of(data.data() + p * piece, kRow, piece / kRow);
      benchmark::DoNotOptimize(sum);
    });
  });
}

double gather_gbs(int threads, std::size_t table_bytes) {
  static std::map<std::pair<int, std::size_t>, double> known;
  return once(known, std::pair(threads, table_bytes), [&] {
    constexpr std::size_t kReads = 5000, kAhead = 8;
    const std::size_t rows = std::max<std::size_t>(1, table_bytes / (kRow * sizeof(float)));
    const std::vector<float> table(rows * kRow, 1.0f);
    std::vector<std::uint32_t> order(16 * static_cast<std::size_t>(threads) * kReads + kAhead);
    Rng rng(1);
    for (std::uint32_t& r : order) r = static_cast<std::uint32_t>(rng.below(rows));
    return best_rate(threads, 4.0 * static_cast<double>(kReads * kRow), [&](std::size_t p) {
      const std::uint32_t* wanted = order.data() + p * kReads;
      Lanes sum[4] = {Lanes::zero(), Lanes::zero(), Lanes::zero(), Lanes::zero()};
      for (std::size_t r = 0; r < kReads; ++r) {
        prefetch(table.data() + wanted[r + kAhead] * kRow, kRow);
        const float* row = table.data() + wanted[r] * kRow;
        for (std::size_t v = 0; v < 4; ++v) sum[v] = sum[v] + Lanes::load(row + v * Lanes::kCount);
      }
      Lanes total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
      benchmark::DoNotOptimize(total);
    });
  });
}

double count_gbs(int threads) {
  static std::map<int, double> known;
  return once(known, threads, [&] {
    constexpr std::size_t kCounters = 4000, kIncrements = 100000;
    std::vector<std::uint32_t> which(kIncrements);
    Rng rng(1);
    for (std::uint32_t& w : which) w = static_cast<std::uint32_t>(rng.below(kCounters));
    return best_rate(threads, 8.0 * static_cast<double>(kIncrements), [&](std::size_t) {
      std::vector<std::uint32_t> counters(kCounters);
      for (std::uint32_t w : which) ++counters[w];
      benchmark::DoNotOptimize(counters.data());
    });
  });
}

void report(benchmark::State& state, const std::string& unit, double work_per_iteration, double ceiling) {
  using benchmark::Counter;
  state.counters[unit] = Counter(1e-9 * work_per_iteration, Counter::kIsIterationInvariantRate);
  state.counters["ceiling"] = Counter(ceiling);
  state.counters["of_ceiling"] = Counter(1e-9 * work_per_iteration / ceiling, Counter::kIsIterationInvariantRate);
}

}  // namespace segue::bench
