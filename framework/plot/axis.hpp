// An axis with its range and its ticks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/plot/figure.hpp"

namespace segue::plot {

// Tick positions are in data coordinates.
struct AxisLayout {
  double lo = 0, hi = 1;  // never equal; positive where logarithmic
  bool logarithmic = false;
  std::vector<double> major, minor;
  double at(double value, double begin, double end) const;  // its place between begin (lo) and end (hi)
};

// Whether the scale has a place for the value.
bool usable(double value, AxisScale scale);

// The axis's own range, or that of data from lo to hi with `room` of their span on both sides; data at a single value
// or without any (lo > hi) get a range too. No ticks yet. UsageError where the axis's own range is empty or,
// logarithmic, not positive.
AxisLayout fit_axis(const Axis& axis, double lo, double hi, double room);
// About `most` ticks; whole numbers only where `whole`.
void set_ticks(AxisLayout& axis, std::size_t most, bool whole);

// Ticks at 1, 2 or 5 times a power of ten inside [lo, hi], at most `most` of them (at least 2) where possible.
// Whole numbers only where `whole`.
std::vector<double> linear_ticks(double lo, double hi, std::size_t most, bool whole = false);
struct LogTicks {
  std::vector<double> major, minor;
};
// Decades inside [lo, hi], every n-th where there are more than `most`; also 2 and 5 where decades are fewer than 2.
LogTicks log_ticks(double lo, double hi, std::size_t most);
// The ticks as text: on a linear axis with the decimals that their spacing needs, on a logarithmic one each with its
// own; very large and very small numbers as "2·10⁶".
std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool logarithmic);

}  // namespace segue::plot
