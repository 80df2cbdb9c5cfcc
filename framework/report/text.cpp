#include "framework/report/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace segue {

namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

// The character at the front; a byte that begins none is a character of its own.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xE ? 3 : lead >> 3 == 0x1E ? 4 : 0;
  if (size == 0 || size > text.size()) return {0xFFFD, 1};
  char32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return {0xFFFD, 1};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  return {code, size};
}

using Range = std::pair<char32_t, char32_t>;

template <std::size_t N>
bool within(char32_t code, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](Range r) { return r.first <= code && code <= r.second; });
}

// The blocks that matter of Unicode's EastAsianWidth.txt (W and F) and of its combining marks (Mn, Me, Cf).
constexpr std::array<Range, 13> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xA960, 0xA97F},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F680, 0x1F6FF},
                                       {0x1F900, 0x1F9FF},
                                       {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 10> kZero{{{0x0, 0x1F},
                                       {0x7F, 0x9F},
                                       {0x300, 0x36F},
                                       {0x483, 0x489},
                                       {0x591, 0x5BD},
                                       {0x64B, 0x65F},
                                       {0x200B, 0x200F},
                                       {0x20D0, 0x20FF},
                                       {0xFE00, 0xFE0F},
                                       {0xFE20, 0xFE2F}}};

std::size_t width_of(char32_t code) { return within(code, kZero) ? 0 : within(code, kWide) ? 2 : 1; }

// Where to cut a line that is too wide: the byte after which the next line begins.
std::size_t break_position(std::string_view line, std::size_t width) {
  std::size_t at = 0, used = 0, blank = 0, mark = 0;
  while (at < line.size()) {
    const Character c = first_character(line.substr(at));
    if (c.code == ' ') blank = at + 1;
    if (used + width_of(c.code) > width && c.code != ' ') break;
    used += width_of(c.code);
    at += c.bytes;
    if (c.code == '/' || c.code == ',' || c.code == '=') mark = at;
  }
  if (blank > 0) return blank;
  if (mark > 0) return mark;
  return std::max(at, first_character(line).bytes);
}

std::string_view trim_right(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    width += width_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::vector<std::string> wrap_text(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    bool more = true;
    while (width > 0 && more && display_width(line) > width) {
      const std::size_t cut = break_position(line, width);
      lines.emplace_back(trim_right(line.substr(0, cut)));
      line.remove_prefix(cut);
      while (line.starts_with(' ')) line.remove_prefix(1);
      more = !line.empty();
    }
    if (more) lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(width > used ? width - used : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(width > used ? width - used : 0, ' ') + std::string(text);
}

std::size_t terminal_width(int fd) {
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    if (const long value = std::strtol(columns, nullptr, 10); value >= 20) return static_cast<std::size_t>(value);
  }
  winsize size{};
  if (isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  return 0;
}

}  // namespace segue
