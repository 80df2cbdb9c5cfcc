#include "framework/plot/axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue::plot {
namespace {

// 10 to a whole power, exact where a double can hold it.
double power_of_ten(int exponent) { return exponent >= 0 ? std::pow(10.0, exponent) : 1 / std::pow(10.0, -exponent); }

std::string superscript(int n) {
  static constexpr std::array<const char*, 10> digits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = n < 0 ? "⁻" : "";
  for (char c : std::to_string(std::abs(n))) text += digits[static_cast<std::size_t>(c - '0')];
  return text;
}

}  // namespace

double AxisLayout::at(double value, double begin, double end) const {
  const double share = logarithmic ? std::log(value / lo) / std::log(hi / lo) : (value - lo) / (hi - lo);
  return begin + share * (end - begin);
}

bool usable(double v, AxisScale scale) { return std::isfinite(v) && (scale == AxisScale::kLinear || v > 0); }

AxisLayout fit_axis(const Axis& axis, double lo, double hi, double room) {
  AxisLayout out;
  out.logarithmic = axis.scale == AxisScale::kLog;
  if (axis.range) {
    std::tie(lo, hi) = *axis.range;
    room = 0;
    if (!(lo < hi) || !usable(lo, axis.scale) || !std::isfinite(hi))
      throw UsageError("axis '{}' cannot span {} to {}", axis.label, lo, hi);
  } else if (!(lo <= hi)) {
    lo = out.logarithmic ? 1 : 0, hi = out.logarithmic ? 10 : 1;  // no data at all
  }
  if (out.logarithmic) {
    const double decades = std::log10(hi / lo);
    const double pad = decades < 1e-6 ? 0.5 : decades * room;
    out.lo = lo * std::pow(10, -pad), out.hi = hi * std::pow(10, pad);
  } else {
    const double span = hi - lo;
    const double least = std::max(std::abs(lo), std::abs(hi)) * 1e-9;
    const double pad = span <= least ? (hi == 0 ? 1 : std::abs(hi) * 0.1) : span * room;
    if (span <= least || room > 0) lo -= pad, hi += pad;
    out.lo = lo, out.hi = hi;
  }
  return out;
}

void set_ticks(AxisLayout& axis, std::size_t most, bool whole) {
  if (axis.logarithmic) {
    LogTicks ticks = log_ticks(axis.lo, axis.hi, most);
    axis.major = std::move(ticks.major), axis.minor = std::move(ticks.minor);
    if (axis.major.size() >= 2) return;
    axis.minor.clear();  // so narrow that even steps serve better
  }
  axis.major = linear_ticks(axis.lo, axis.hi, most, whole);
}

std::vector<double> linear_ticks(double lo, double hi, std::size_t most, bool whole) {
  SEGUE_CHECK(lo < hi && std::isfinite(lo) && std::isfinite(hi), "ticks of an empty range [{}, {}]", lo, hi);
  const int first_exponent = static_cast<int>(std::floor(std::log10((hi - lo) / static_cast<double>(most)))) - 1;
  for (int exponent = first_exponent;; ++exponent) {
    for (const double leading : {1.0, 2.0, 5.0}) {
      const double step = leading * power_of_ten(exponent);
      if (whole && step < 1) continue;
      const double slack = (hi - lo) * 1e-9;  // a bound that is a tick up to rounding keeps it
      const double begin = std::ceil((lo - slack) / step), end = std::floor((hi + slack) / step);
      if (end - begin + 1 > static_cast<double>(std::max<std::size_t>(2, most))) continue;
      std::vector<double> ticks;
      for (double i = begin; i <= end; ++i)
        ticks.push_back((exponent >= 0 ? i * step : i * leading / power_of_ten(-exponent)) + 0.0);  // no "-0"
      return ticks;
    }
  }
}

LogTicks log_ticks(double lo, double hi, std::size_t most) {
  SEGUE_CHECK(0 < lo && lo < hi && std::isfinite(hi), "logarithmic ticks of [{}, {}]", lo, hi);
  const int first = static_cast<int>(std::floor(std::log10(lo))), last = static_cast<int>(std::ceil(std::log10(hi)));
  const auto inside = [&](double v) { return v >= lo * (1 - 1e-9) && v <= hi * (1 + 1e-9); };
  LogTicks ticks;
  int decades = 0;
  for (int e = first; e <= last; ++e) decades += inside(power_of_ten(e)) ? 1 : 0;
  const int every = (decades + static_cast<int>(most) - 1) / std::max(1, static_cast<int>(most));
  for (int e = first, seen = 0; e <= last; ++e) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double v = digit * power_of_ten(e);
      if (!inside(v)) continue;
      const bool major = digit == 1 ? seen++ % std::max(1, every) == 0 : decades < 2 && (digit == 2 || digit == 5);
      if (major)
        ticks.major.push_back(v);
      else if (every <= 1)
        ticks.minor.push_back(v);
    }
  }
  if (ticks.major.size() < 3 && ticks.major.size() + ticks.minor.size() <= most) {  // less than a decade
    ticks.major.insert(ticks.major.end(), ticks.minor.begin(), ticks.minor.end());
    std::sort(ticks.major.begin(), ticks.major.end());
    ticks.minor.clear();
  }
  return ticks;
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool logarithmic) {
  double step = std::numeric_limits<double>::infinity(), largest = 0;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (i > 0) step = std::min(step, std::abs(ticks[i] - ticks[i - 1]));
    largest = std::max(largest, std::abs(ticks[i]));
  }
  if (!std::isfinite(step)) step = largest > 0 ? largest : 1;
  int decimals = 0;
  for (double scaled = step; decimals < 12 && std::abs(scaled - std::round(scaled)) > 1e-6; scaled *= 10) ++decimals;
  std::vector<std::string> texts;
  for (const double v : ticks) {
    const double size = std::abs(v);
    const bool power = v != 0 && (logarithmic ? size >= 1e4 || size < 1e-3 : largest >= 1e6 || step < 1e-4);
    if (power) {
      const int e = static_cast<int>(std::floor(std::log10(size) + 1e-9));
      const double mantissa = v / std::pow(10, e);
      texts.push_back((std::abs(mantissa - 1) < 1e-6 ? "10" : fmt::format("{:g}·10", mantissa)) + superscript(e));
    } else {
      texts.push_back(logarithmic ? fmt::format("{:g}", v) : fmt::format("{:.{}f}", v == 0 ? 0.0 : v, decimals));
    }
    if (texts.back()[0] == '-') texts.back().replace(0, 1, "−");
  }
  return texts;
}

}  // namespace segue::plot
