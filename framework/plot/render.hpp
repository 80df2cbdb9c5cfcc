// Draws figures with gnuplot: the only door to gnuplot-iostream.
#pragma once

#include <filesystem>
#include <string>

#include "framework/plot/figure.hpp"
#include "framework/plot/panels.hpp"

namespace segue::plot {

struct RenderedFigure {
  std::filesystem::path svg, png, pdf;  // the same picture; png at 300 dots an inch
  std::filesystem::path script, data;   // "gnuplot <name>.gp" in their folder draws the three again
  std::string title, description;       // for alt texts
};

// Writes <stem>.svg, .png, .pdf, .gp and .tsv, replacing older ones, and creates the folders above. All five appear
// together or, on an error, not at all. Equal figures give equal bytes with the same gnuplot. One thread a stem.
// EnvironmentError: no gnuplot, a full disk, or gnuplot's own complaint. UsageError: a stem that cannot be a name
// (script.hpp).
RenderedFigure render(const Figure& figure, const std::filesystem::path& stem);
RenderedFigure render(const PanelStack& stack, const std::filesystem::path& stem);

}  // namespace segue::plot
