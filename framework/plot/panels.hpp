// Panels above each other over one time axis, as pure data: what a recording looks like.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/plot/figure.hpp"

namespace segue::plot {

// Where the panels begin and end, as shares of the figure's width.
inline constexpr double kPanelsLeft = 46.0 / 504, kPanelsRight = 494.0 / 504;

// Values on a grid, dark where small: columns over the x range of the stack, rows over the y range of the panel, the
// lowest first. More columns than a page has dots only cost bytes.
struct Raster {
  std::size_t columns = 0, rows = 0;
  std::vector<float> values;  // rows x columns
  float low = 0, high = 1;    // the ends of the colour scale; values beyond are cut
};

// A filled outline, as of a waveform: x ascending, lo <= hi.
struct Outline {
  std::vector<double> x, lo, hi;
};

struct Panel {
  std::string title;  // small, above the panel
  std::string y_label;
  std::pair<double, double> y_range{0, 1};
  std::vector<Tick> y_ticks{};  // where empty: none
  std::optional<Raster> raster{};
  std::optional<Outline> outline{};
  std::vector<double> marks{};    // vertical strokes at these x
  std::optional<double> level{};  // a horizontal stroke, e.g. the tempo chosen
  double height = 1;              // relative to the others
};

struct PanelStack {
  std::string title;
  std::string description;  // the whole content in words, for those who cannot see it
  std::string note;         // small print below
  std::string x_label;
  std::pair<double, double> x_range{0, 1};
  std::vector<Panel> panels;  // top to bottom, at least one
};

}  // namespace segue::plot
