#include "framework/plot/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace segue::plot {
namespace {

// Advance widths of DejaVu Sans 2.37 for U+0020..U+007E, in 1/1000 of the size (the font's own hmtx table).
constexpr std::array<std::uint16_t, 95> kAdvance = {
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838};
constexpr double kBoldFactor = 1.13;  // DejaVu Sans Bold: 1.09 for digits, 1.11 for words on average

// The bytes of the UTF-8 sequence that begins at `at`; 0 where it is not valid.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t n = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (n == 0 || at + n > text.size()) return 0;
  for (std::size_t i = at + 1; i < at + n; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return n;
}

double advance(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (first < 0x80) return first < 32 || first == 127 ? 0 : kAdvance[first - 32u];
  if (first == 0xCC || (first == 0xCD && static_cast<unsigned char>(sequence[1]) < 0xB0)) return 0;  // combining marks
  return sequence.size() == 2 ? 770 : 1000;
}

std::vector<std::string> code_points(std::string_view text) {
  std::vector<std::string> points;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = std::max<std::size_t>(1, sequence_length(text, i));
    points.emplace_back(text.substr(i, n));
    i += n;
  }
  return points;
}

// Pieces that end behind one of `stops`; they concatenate to `text`.
std::vector<std::string> split_after(const std::string& text, std::string_view stops) {
  std::vector<std::string> pieces(1);
  for (char c : text) {
    pieces.back() += c;
    if (stops.find(c) != std::string_view::npos) pieces.emplace_back();
  }
  if (pieces.back().empty()) pieces.pop_back();
  return pieces;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

}  // namespace

double text_width(std::string_view text, double size, bool bold) {
  double sum = 0;
  for (const std::string& point : code_points(text)) sum += advance(point);
  return sum / 1000 * size * (bold ? kBoldFactor : 1);
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = sequence_length(text, i);
    const auto first = static_cast<unsigned char>(text[i]);
    const bool c1_control = n == 2 && first == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (n == 0)
      out += '?';
    else if (first < 32 || first == 127 || c1_control)
      out += ' ';
    else
      out += text.substr(i, n);
    i += std::max<std::size_t>(1, n);
  }
  return out;
}

std::vector<std::string> wrap_text(std::string_view text, double width, double size, std::size_t max_lines, bool bold) {
  const auto fits = [&](const std::string& s) { return text_width(trimmed(s), size, bold) <= width; };
  std::vector<std::string> pieces;
  for (const std::string& word : split_after(printable(text), " ")) {
    if (fits(word)) {
      pieces.push_back(word);
      continue;
    }
    for (const std::string& clause : split_after(word, ",;/|")) {  // rather between parameters than inside one
      if (fits(clause)) {
        pieces.push_back(clause);
        continue;
      }
      for (const std::string& part : split_after(clause, "-_.:=")) {
        const std::vector<std::string> points = fits(part) ? std::vector<std::string>{part} : code_points(part);
        pieces.insert(pieces.end(), points.begin(), points.end());
      }
    }
  }
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!lines.back().empty() && !fits(lines.back() + pieces[i])) {
      if (lines.size() == max_lines) {
        std::vector<std::string> points = code_points(lines.back());
        while (!points.empty() && !fits(lines.back() + "…")) {
          points.pop_back();
          lines.back().clear();
          for (const std::string& p : points) lines.back() += p;
        }
        lines.back() = trimmed(lines.back()) + "…";
        return lines;
      }
      lines.back() = trimmed(lines.back());
      lines.emplace_back();
    }
    lines.back() += pieces[i];
  }
  lines.back() = trimmed(lines.back());
  return lines;
}

}  // namespace segue::plot
