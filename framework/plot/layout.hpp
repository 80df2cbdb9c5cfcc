// Where everything in a figure lies, decided before drawing, so that "no text is clipped, no labels overlap" can be
// tested without looking. Lengths in points, origin at the lower left of the figure.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/axis.hpp"
#include "framework/plot/figure.hpp"
#include "framework/plot/place.hpp"

namespace segue::plot {

struct Text {
  std::string text;
  double x = 0, y = 0;  // the anchor; y is the middle of the line
  Align align = Align::kLeft;
  double size = 7;
  bool bold = false;
  const char* color = "";
  Box box() const;  // what it covers
};

struct Stroke {
  Segment line;
  const char* color = "";
  double width = 0.5;
  const char* dash = "";
  bool behind = false;  // below the data
};

// A sample in the key or the legend.
struct Sample {
  double x = 0, y = 0;
  int mark = 0;  // gnuplot's point type; 0: a filled square of `diameter`
  double diameter = 0;
  const char* color = "";
};

struct Layout {
  double width = 0, height = 0;
  Box plot;  // what the axes span
  AxisLayout x, y;
  std::vector<Text> texts;
  std::vector<Stroke> strokes;  // grid, leader lines, legend samples, the zero line of bars, free lines
  std::vector<Sample> samples;
  std::size_t rows = 0;  // of a categorical y axis
  // The place of a figure's coordinate; those of rows count from the top, axes from below.
  double x_at(double value) const { return x.at(value, plot.x0, plot.x1); }
  double y_at(double value) const { return y.at(y_position(value), plot.y0, plot.y1); }
  double y_position(double value) const { return rows > 0 ? static_cast<double>(rows - 1) - value : value; }
};

// UsageError where the figure cannot be drawn as asked (bars without categories, a logarithmic range below zero, an
// empty figure).
Layout lay_out(const Figure& figure);

}  // namespace segue::plot
