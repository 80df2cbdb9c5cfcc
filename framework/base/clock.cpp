#include "framework/base/clock.hpp"

#include <fmt/chrono.h>

#include <charconv>
#include <cmath>
#include <ctime>

#include "framework/base/errors.hpp"

namespace segue {

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

std::string format_seconds(double seconds) {
  if (!(seconds >= 0)) return "-";
  if (seconds < 0.001) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string format_bytes(double bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) bytes /= 1024, ++unit;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

namespace {

// A positive number followed by one of the suffixes, each with its factor.
double parse_suffixed(const std::string& text, std::initializer_list<std::pair<std::string_view, double>> units,
                      const char* what, const char* examples) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc() && number > 0 && std::isfinite(number)) {
    for (const auto& [name, factor] : units) {
      if (suffix == name) return number * factor;
    }
  }
  throw UsageError("'{}' is not a {}; write for example {}", text, what, examples);
}

}  // namespace

double parse_duration(const std::string& text) {
  return parse_suffixed(text, {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}, "duration", "90s, 30m or 2h");
}

double parse_bytes(const std::string& text) {
  const double k = 1024;
  return parse_suffixed(text, {{"", 1}, {"B", 1}, {"K", k}, {"KiB", k}, {"M", k * k}, {"MiB", k * k}, {"G", k * k * k}, {"GiB", k * k * k}},
                        "size", "800M or 4G");
}

}  // namespace segue
