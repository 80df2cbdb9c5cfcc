// What the machine allows, measured in the run that prints it, for the counters of kernel benchmarks.
//
// report() adds three counters: the kernel's own rate (in GFLOP/s or GB/s), `ceiling`, the rate of the loop below that
// meets the same limit on as many threads, and `of_ceiling`, the one over the other. Counters of a benchmark on several
// threads are right only with ->UseRealTime().
#pragma once

#include <cstddef>
#include <string>

#include <benchmark/benchmark.h>

namespace segue::bench {

// The best of several passes of `threads` threads, measured on first use and then kept for the run.
double fma_gflops(int threads);         // fused multiply-adds on floats in registers; 2 flop each
double fma_gflops_double(int threads);  // the same on doubles
double stream_gbs(int threads);         // sums of consecutive memory, far more than the caches hold; bytes read
double gather_gbs(int threads, std::size_t table_bytes);  // sums of random rows of 256 bytes of a table; bytes read
double count_gbs(int threads);  // ++counter[i] for random i in 16 KB of counters; 8 bytes each: read and written

// The table of gather_gbs() where nothing better is known: the factors (d = 64) of 100,000 rows.
inline constexpr std::size_t kGatherTable = std::size_t{100000} * 256;

// One counter `unit` of work_per_iteration, with its ceiling. Ceiling in the same unit: 1e9 flop or bytes a second.
void report(benchmark::State& state, const std::string& unit, double work_per_iteration, double ceiling);

inline void report_flop(benchmark::State& state, double flop, int threads = 1) {
  report(state, "GFLOP/s", flop, fma_gflops(threads));
}
inline void report_flop_double(benchmark::State& state, double flop, int threads = 1) {
  report(state, "GFLOP/s", flop, fma_gflops_double(threads));
}
inline void report_stream(benchmark::State& state, double bytes, int threads = 1) {
  report(state, "GB/s", bytes, stream_gbs(threads));
}
inline void report_gather(benchmark::State& state, double bytes, int threads = 1,
                          std::size_t table_bytes = kGatherTable) {
  report(state, "GB/s", bytes, gather_gbs(threads, table_bytes));
}

}  // namespace segue::bench
