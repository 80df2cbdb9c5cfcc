// The names of the plots that a suite may ask for and a results folder may hold; report/figures.hpp draws them.
#pragma once

#include <string>
#include <vector>

namespace segue {

struct PlotKind {
  std::string name;         // "metric_bars", as in a suite's `plots` and on the command line
  std::string description;  // one line
};
// Every plot, in the order in which a report shows them.
const std::vector<PlotKind>& plot_kinds();
std::vector<std::string> plot_names();

}  // namespace segue
