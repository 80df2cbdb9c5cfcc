#include "framework/plot/script_outputs.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot {

namespace {

std::string xml(const std::string& text) {
  std::string out;
  for (char c : printable(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

}  // namespace

// In single quotes gnuplot knows no escape but the doubled quote.
std::string quoted(const std::string& text) {
  std::string out(1, '\'');
  for (char c : text) out.append(c == '\'' ? 2 : 1, c);
  out += '\'';
  return out;
}

void check_figure_name(const std::string& name) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._-+=,@~%").find(c) != std::string_view::npos;
  };
  if (name.empty() || name[0] == '.' || name[0] == '-' || !std::all_of(name.begin(), name.end(), plain))
    throw UsageError("'{}' cannot name a figure: letters, digits and ._-+=,@~% only, not beginning with . or -",
                     printable(name));
}

std::string terminal(Terminal kind, double width, double height, const std::string& name) {
  const double inches = width / 72, tall = height / 72;
  switch (kind) {
    case Terminal::kSvg:
      return fmt::format(
          "set terminal svg size {:.2f},{:.2f} font '{},{}' background rgb '{}' linewidth 1\n"
          "set output '{}.svg'",
          width, height, style::kFont, style::kTextSize, style::kBackground, name);
    case Terminal::kPng: {
      const double scale = style::kPngDotsPerInch / 72,
                   font_scale = style::kPngDotsPerInch / 96;  // pngcairo's fonts think in 96 dpi
      return fmt::format(
          "set terminal pngcairo size {:.0f},{:.0f} font '{},{}' fontscale {:.4f} linewidth {:.4f} "
          "pointscale {:.4f} background rgb '{}'\nset output '{}.png'",
          inches * style::kPngDotsPerInch, tall * style::kPngDotsPerInch, style::kFont, style::kTextSize, font_scale,
          scale, scale, style::kBackground, name);
    }
    case Terminal::kPdf:
      break;
  }
  return fmt::format(
      "set terminal pdfcairo size {:.4f}in,{:.4f}in font '{},{}' fontscale 0.75 linewidth 2 background "
      "rgb '{}'\nset output '{}.pdf'",
      inches, tall, style::kFont, style::kTextSize, style::kBackground, name);
}

// gnuplot's svg terminal names no title and no fallback fonts, and takes ":Bold" for a part of the family's name.
std::string accessible_svg(const std::string& name, const std::string& title, const std::string& description) {
  std::string out =
      "\n# The svg for every reader: title and description, fallback fonts, bold.\nset encoding default  # count bytes "
      "below\n";
  out += fmt::format("svg = system(\"cat '{}.svg'\")\n", name);
  out += "swap(s, i, n, new) = substr(s, 1, i - 1) . new . substr(s, i + n, strlen(s))\n";
  const auto swap_all = [&](const std::string& old, const std::string& replacement) {
    out += fmt::format("while (strstrt(svg, {0}) > 0) {{ svg = swap(svg, strstrt(svg, {0}), {1}, {2}) }}\n",
                       quoted(old), old.size(), quoted(replacement));
  };
  swap_all(fmt::format("font-family=\"{}:Bold\"", style::kFont),
           fmt::format("font-family=\"{}, {}\" font-weight=\"bold\"", style::kFont, style::kSvgFallback));
  swap_all(fmt::format("font-family=\"{}\"", style::kFont),
           fmt::format("font-family=\"{}, {}\"", style::kFont, style::kSvgFallback));
  out += fmt::format("svg = swap(svg, strstrt(svg, '<svg '), 5, '<svg role=\"img\" ')\n");
  out += fmt::format("i = strstrt(svg, '<title>')\nsvg = swap(svg, i, strstrt(svg, '</desc>') - i, {})\n",
                     quoted(fmt::format("<title>{}</title><desc>{}", xml(title), xml(description))));
  out += fmt::format("set print '{}.svg'\nprint svg\nunset print\n", name);
  return out;
}

}  // namespace segue::plot
