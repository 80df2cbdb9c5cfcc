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

namespace segue::plot {

inline constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
// As a coordinate of Rules and Labels: the edge of the plot, whatever its range.
inline constexpr double kEdge = std::numeric_limits<double>::infinity();

// The widths of a column and of a page in the usual two-column paper: 3.4 and 7.0 inches.
enum class FigureSize { kColumn, kPage };
enum class AxisScale { kLinear, kLog };
enum class Align { kLeft, kCenter, kRight };

// What a mark means; style.hpp gives it a colour.
enum class Tone { kPlain, kBest, kFaint, kFailed };

// A row of a categorical axis, top to bottom. A heading is a bold line without a bar.
struct Category {
  std::string text;
  Tone tone = Tone::kPlain;
  bool heading = false;
  std::string detail{};   // small, in a line of its own
  double until = -kEdge;  // the x coordinate before which the name ends
};

struct Tick {
  double at = 0;
  std::string text;
};

struct Axis {
  std::string label;                               // "Latency per query"
  std::string unit;                                // "µs"; empty for counts and pure numbers
  AxisScale scale = AxisScale::kLinear;            // kLog leaves out values <= 0
  std::optional<std::pair<double, double>> range;  // fitted to the data where absent
  std::vector<Category> categories;  // only y: row 0 on top, and every y of a layer is a row, fractions between rows
  std::vector<Tick> ticks{};  // in place of round numbers; a number that would touch its neighbour loses its text
  bool names = false;         // the texts of `ticks` are names: they get several lines and are never left out
  bool hidden = false;        // no line and no ticks; the label stays
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

// Where a curve has marks: at its last value, at all, or where a layer of points has them.
enum class Marks { kLast, kAll, kElsewhere };

// A curve; NaN in y breaks it. lo and hi, where not empty, are as long as y and make a band, or whiskers.
struct Line {
  std::string label;  // where Figure::names says; empty for none
  std::vector<double> x, y, lo{}, hi{};
  std::size_t color = 0;  // position in the palette, and among the shapes of marks
  bool guide = false;     // thin and neutral, e.g. a Pareto front
  Marks marks = Marks::kLast;
  bool whiskers = false;
  bool connected = true;
};

struct Point {
  double x = 0, y = 0;
  std::string label;
  Tone tone = Tone::kPlain;
  double lo = kNotANumber, hi = kNotANumber;  // horizontal interval, drawn where both are finite
  std::string detail{};                       // a small line below the label
  std::optional<std::size_t> series{};        // colour and shape of this palette position in place of the tone's
  double diameter = 1;                        // of the mark, in usual ones
  bool ring = false;                          // hollow
};
struct Points {
  std::vector<Point> points;
  bool named = true;  // print the labels; else they are only in the data file
};

// What a distribution looks like in row `category`: a thin line from p5 to p95, a box from p25 to p75, a stroke at the
// median, a mark at the mean. NaN in p50 draws none of the quantiles.
struct Strip {
  std::size_t category = 0;
  double p5 = kNotANumber, p25 = kNotANumber, p50 = kNotANumber, p75 = kNotANumber, p95 = kNotANumber;
  double mean = kNotANumber;
  std::string text{};  // at the right edge of the plot
  Tone tone = Tone::kPlain;
};
struct Strips {
  std::vector<Strip> strips;
};

// A cell of a matrix over the rows of y and columns 0, 1, ... of x; each spans 0.5 to both sides of its position.
struct Cell {
  std::size_t category = 0, column = 0;
  std::size_t shade = 0;       // 0 white to 3 dark
  std::string mark{}, text{};  // two lines
  std::string brief{};         // where `text` is too wide; where both are, only the mark is printed
  double value = kNotANumber;  // for the data file
};
struct Cells {
  std::vector<Cell> cells;
};

// Free lines and texts for diagrams; a coordinate of -kEdge or kEdge is the plot's edge, and text there stands outside.
enum class Weight { kThin, kAxis, kHeavy };
struct Rule {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  Weight weight = Weight::kThin;
  bool dashed = false;
};
struct Rules {
  std::vector<Rule> rules;
};
struct Label {
  double x = 0, y = 0;
  std::string text;
  Align align = Align::kLeft;
  bool small = false;
  std::string detail{};   // small, between the anchor and the text of a label at the left or right edge
  std::size_t lines = 1;  // at most; later ones are small
};
struct Labels {
  std::vector<Label> labels;
};

using Layer = std::variant<Bars, Line, Points, Strips, Cells, Rules, Labels>;  // later layers lie above earlier ones

// One sample above the plot with its meaning: a mark of a series, a cell's shade, or a round mark of some size.
struct KeyEntry {
  std::string text;
  std::optional<std::size_t> series{}, shade{};
  double diameter = 1;  // as of a point; 0 for words alone
};

enum class Names { kAtEnds, kInLegend, kAlongLines };  // of lines: a legend stands at the right of the plot

struct Figure {
  std::string title;        // one or two lines; papers usually leave it to the caption
  std::string description;  // the whole content in words, for those who cannot see it
  std::string note;         // small print below, e.g. what is not shown and why
  Axis x, y;
  std::vector<Layer> layers;
  FigureSize size = FigureSize::kColumn;
  Names names = Names::kAtEnds;
  std::vector<KeyEntry> key{};
  std::size_t slots = 0;  // rows have room for so many marks above each other
  double lines = 0;       // height of the plot in lines of text; 0: the usual, or what the rows need
};

}  // namespace segue::plot
