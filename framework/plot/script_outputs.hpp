// The parts of a gnuplot script that every kind of figure has: what it is written to, and texts as gnuplot reads them.
#pragma once

#include <string>

namespace segue::plot {

// A gnuplot string that means exactly this text.
std::string quoted(const std::string& text);

// UsageError where a name holds anything but letters, digits and "._-+=,@~%", or begins with . or -.
void check_figure_name(const std::string& name);

enum class Terminal { kSvg, kPng, kPdf };
// Selects the terminal and "<name>.svg" or the like as output, for a figure of these points (1/72 inch).
std::string terminal(Terminal kind, double width, double height, const std::string& name);

// Lines that finish <name>.svg for every reader: title and description, fallback fonts, bold.
std::string accessible_svg(const std::string& name, const std::string& title, const std::string& description);

}  // namespace segue::plot
