// The layers of a figure as data blocks and gnuplot's plot elements: the part of script.hpp that draws values.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/figure.hpp"
#include "framework/plot/layout.hpp"

namespace segue::plot {

// gnuplot's point 7 is about 7.5 pt across at scale 1.
inline constexpr double kPointsPerScale = 7.5;

std::string number_text(double v);  // shortest decimal that reads back as v; "NaN" where not finite
std::string dash_text(const char* pattern);

struct LayerScript {
  std::string data;                // blocks with two blank lines between them
  std::vector<std::string> plots;  // elements of the plot command, in drawing order
};
// Free lines and labels are not values: they add nothing. Layers without anything to draw write no block.
LayerScript layer_script(const Figure& figure, const Layout& layout, const std::string& name);

}  // namespace segue::plot
