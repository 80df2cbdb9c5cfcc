// Measuring and breaking text, so that a layout is known before anything is drawn.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace segue::plot {

// The width in points of UTF-8 text in style::kFont at this size: exact for ASCII, an upper bound for most other
// scripts.
double text_width(std::string_view text, double size, bool bold = false);

// Control characters (which no label means) become spaces; bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text);

// At most max_lines lines no wider than `width`, broken at spaces, else after punctuation, else anywhere; the last line
// ends in "…" where text is left over. Never empty.
std::vector<std::string> wrap_text(std::string_view text, double width, double size, std::size_t max_lines,
                                   bool bold = false);

}  // namespace segue::plot
