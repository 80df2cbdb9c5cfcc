#include "framework/plot/chart_words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace segue::plot {

std::string better(Direction direction) {
  return direction == Direction::kHigherIsBetter ? "higher is better" : "lower is better";
}

bool beats(double a, double b, Direction direction) { return direction == Direction::kHigherIsBetter ? a > b : a < b; }

std::string metric_title(const std::string& metric, Direction direction) {
  return fmt::format("{}, {}", metric, better(direction));
}

int decimals_for(const std::vector<double>& values) {
  double largest = 0;
  for (const double v : values) largest = std::isfinite(v) ? std::max(largest, std::abs(v)) : largest;
  if (largest == 0) return 4;
  const int magnitude = static_cast<int>(std::floor(std::log10(largest)));
  return magnitude < -2 ? std::min(9, 2 - magnitude) : std::clamp(3 - magnitude, 0, 4);
}

std::string decimal_text(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string share_text(double share) {
  if (share > 0 && share < 0.01) return "<1 %";
  if (share < 1 && share > 0.99) return ">99 %";
  return fmt::format("{:.0f} %", 100 * share);
}

namespace {

std::string scaled(double value, const std::vector<const char*>& units) {
  std::size_t unit = 0;
  for (; unit + 1 < units.size() && value >= 999.5; ++unit) value /= 1000;
  return fmt::format("{:.3g} {}", value, units[unit]);
}

}  // namespace

std::string duration_text(double us) { return us < 1 ? scaled(us * 1e3, {"ns"}) : scaled(us, {"µs", "ms", "s"}); }

std::string bytes_text(double bytes) { return scaled(bytes, {"B", "kB", "MB", "GB", "TB"}); }

std::string p_text(double p, int decimals) {
  if (!std::isfinite(p)) return "–";
  const double least = std::pow(10.0, -decimals);
  if (p < least) return "<" + fmt::format("{:.{}f}", least, decimals).substr(1);
  const std::string text = fmt::format("{:.{}f}", p, decimals);
  return text[0] == '0' ? text.substr(1) : "1";
}

double quantile_of_sorted(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return kNotANumber;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void add_missing(std::string& note, const std::string& what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  note += fmt::format("{}{}: {}.", note.empty() ? "" : " ", what, fmt::join(names, ", "));
}

}  // namespace segue::plot
