// Wall-clock stopwatch for figures that are reported as timings, never used in a result.
#pragma once

#include <chrono>
#include <string>

namespace segue {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  void restart() { start_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string utc_now();                           // "2026-01-31T12:00:00Z"
std::string format_seconds(double seconds);      // "0.42 s", "3 min 05 s", "2 h 10 min"
std::string format_bytes(double bytes);          // "1.5 MiB"
double parse_duration(const std::string& text);  // "90", "30s", "30m", "2h" -> seconds; UsageError otherwise
double parse_bytes(const std::string& text);     // "800M", "4G", "1048576" -> bytes; UsageError otherwise

}  // namespace segue
