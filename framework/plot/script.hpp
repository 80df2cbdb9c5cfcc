// A figure as a gnuplot script and its data table: pure text, so that it can be tested and kept beside a paper.
#pragma once

#include <string>

#include "framework/plot/figure.hpp"
#include "framework/plot/panels.hpp"

namespace segue::plot {

struct GnuplotScript {
  std::string script;  // draws <name>.svg, <name>.png and <name>.pdf in the current folder from <name>.tsv
  std::string data;    // tab-separated blocks, one a layer, two blank lines between them; names last in each row
};

// Depends on figure and name only. `name` is a file name without folder; UsageError where it holds anything but
// letters, digits and "._-+=,@~%" (other characters would need quoting in three languages).
GnuplotScript gnuplot_script(const Figure& figure, const std::string& name);
GnuplotScript gnuplot_script(const PanelStack& stack, const std::string& name);

}  // namespace segue::plot
