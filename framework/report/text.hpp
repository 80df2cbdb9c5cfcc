// Text as it stands on a terminal: how wide it is, and how it breaks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

// Columns a UTF-8 text takes on a terminal: 2 for wide East Asian characters and emoji, 0 for combining marks and
// control characters. Bytes that are not UTF-8 count 1.
std::size_t display_width(std::string_view text);

// Lines no wider than `width` (at least 1), broken at blanks, else after '/', ',' or '=', else anywhere. Line breaks
// of the text stay. Never empty. width = 0: only at the text's own line breaks.
std::vector<std::string> wrap_text(std::string_view text, std::size_t width);

// Padded with blanks to `width`; wider text stays as it is.
std::string pad_right(std::string_view text, std::size_t width);
std::string pad_left(std::string_view text, std::size_t width);

// Columns of the terminal behind a stream (1 stdout, 2 stderr): $COLUMNS where set, else what the terminal says, else 0
// (not a terminal: no limit).
std::size_t terminal_width(int fd);

}  // namespace segue
