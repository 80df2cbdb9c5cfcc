// What a figure shows, as pure data: nothing here knows gnuplot, colours or inches. charts.hpp builds figures from
// results, render.hpp draws them, style.hpp decides how they look.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace segue {

inline constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// The widths of a column and of a page in the usual two-column paper: 3.4 and 7.0 inches.
enum class FigureSize { kColumn, kPage };
enum class AxisScale { kLinear, kLog };

// What a mark means; style.hpp gives it a colour.
enum class Tone { kPlain, kBest, kFaint, kFailed };

// A row of a categorical axis, top to bottom. A heading is a bold line without a bar.
struct Category {
  std::string text;
  Tone tone = Tone::kPlain;
  bool heading = false;
};

struct Axis {
  std::string label;                               // "Latency per query"
  std::string unit;                                // "µs"; empty for counts and pure numbers
  AxisScale scale = AxisScale::kLinear;            // kLog leaves out values <= 0
  std::optional<std::pair<double, double>> range;  // fitted to the data where absent
  std::vector<Category> categories;                // only the y axis of bars
};

// A horizontal bar from 0 to `value` in row `category`; NaN draws no bar but still prints `text`.
struct Bar {
  std::size_t category = 0;
  double value = kNotANumber;
  double lo = kNotANumber, hi = kNotANumber;  // interval, drawn where both are finite
  std::string text{};                         // printed at the bar's end
  Tone tone = Tone::kPlain;
};
struct Bars {
  std::vector<Bar> bars;
};

// A curve; NaN in y breaks it. lo and hi, where not empty, are as long as y and make a band.
struct Line {
  std::string label;  // at the line's end, or in the legend; empty for none
  std::vector<double> x, y, lo{}, hi{};
  std::size_t color = 0;  // position in the palette
  bool guide = false;     // thin and neutral, e.g. a Pareto front
};

struct Point {
  double x = 0, y = 0;
  std::string label;
  Tone tone = Tone::kPlain;
};
struct Points {
  std::vector<Point> points;
};

using Layer = std::variant<Bars, Line, Points>;  // later layers lie above earlier ones

struct Figure {
  std::string title;        // one or two lines; papers usually leave it to the caption
  std::string description;  // the whole content in words, for those who cannot see it
  std::string note;         // small print below, e.g. what is not shown and why
  Axis x, y;
  std::vector<Layer> layers;
  FigureSize size = FigureSize::kColumn;
  bool legend = false;  // a legend at the right instead of labels at the line ends
};

}  // namespace segue
