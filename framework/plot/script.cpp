#include "framework/plot/script.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/plot/layout.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue {
namespace {

// A gnuplot string that means exactly this text: in single quotes gnuplot knows no escape but the doubled quote.
std::string quoted(const std::string& text) {
  std::string out(1, '\'');
  for (char c : text) out.append(c == '\'' ? 2 : 1, c);
  out += '\'';
  return out;
}

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

std::string number(double v) { return std::isfinite(v) ? fmt::format("{}", v) : "NaN"; }

std::string dash(const char* pattern) { return *pattern == '\0' ? "dt solid" : fmt::format("dt {}", pattern); }

class Writer {
 public:
  Writer(const Figure& figure, const std::string& name) : f_(figure), l_(lay_out(figure)), name_(name) {}

  GnuplotScript write() {
    header();
    axes();
    strokes_and_texts();
    for (const Layer& layer : f_.layers) std::visit([&](const auto& l) { add(l); }, layer);
    if (plots_.empty()) line("set label 100000 '' at screen 0,0\nset xrange [0:1]"), plots_.push_back("NaN notitle");
    outputs();
    return {std::move(script_), std::move(data_)};
  }

 private:
  void line(const std::string& text) { script_ += text + "\n"; }
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    line(fmt::format(format, std::forward<Args>(args)...));
  }

  void header() {
    put("# {}", f_.title.empty() ? name_ : printable(f_.title));
    put("# \"gnuplot {0}.gp\" in this folder draws {0}.svg, {0}.png and {0}.pdf from {0}.tsv (gnuplot 5.4 or later).",
        name_);
    line("reset\nset encoding utf8\nset datafile separator \"\\t\"\nunset key");
    data_ = fmt::format("# {}\n", f_.title.empty() ? name_ : printable(f_.title));
  }

  std::string screen(double x, double y) const {
    return fmt::format("screen {:.6f},{:.6f}", x / l_.width, y / l_.height);
  }

  void axis(char letter, const AxisLayout& a) {
    put("set {}range [{}:{}]", letter, number(a.lo), number(a.hi));
    if (a.logarithmic) put("set logscale {} 10", letter);
    std::string ticks;  // the tick texts are labels below: gnuplot would read a tick text as a number format
    for (double v : a.major) ticks += fmt::format("{}'' {} 0", ticks.empty() ? "" : ", ", number(v));
    for (double v : a.minor) ticks += fmt::format("{}'' {} 1", ticks.empty() ? "" : ", ", number(v));
    if (ticks.empty())
      put("unset {}tics", letter);
    else
      put("set {}tics nomirror out scale 0.35,0.2 ({})", letter, ticks);
  }

  void axes() {
    const bool bars = !f_.y.categories.empty();
    put("set border {} lw {} lc rgb '{}'", bars ? 1 : 3, style::kAxisWidth, style::kAxis);
    put("set lmargin at screen {:.6f}; set rmargin at screen {:.6f}", l_.plot.x0 / l_.width, l_.plot.x1 / l_.width);
    put("set bmargin at screen {:.6f}; set tmargin at screen {:.6f}", l_.plot.y0 / l_.height, l_.plot.y1 / l_.height);
    axis('x', l_.x);
    axis('y', l_.y);
    put("set style fill solid 1 noborder\nset errorbars 0.6");
  }

  void strokes_and_texts() {
    std::size_t i = 0;
    for (const Stroke& s : l_.strokes) {
      put("set arrow {} from {} to {} nohead {} lc rgb '{}' lw {} {}", ++i, screen(s.line.x0, s.line.y0),
          screen(s.line.x1, s.line.y1), s.behind ? "back" : "front", s.color, s.width, dash(s.dash));
    }
    i = 0;
    for (const Text& t : l_.texts) {
      const char* align = t.align == Align::kLeft ? "left" : t.align == Align::kRight ? "right" : "center";
      put("set label {} {} at {} {} noenhanced front font '{}{},{}' textcolor rgb '{}'", ++i, quoted(t.text),
          screen(t.x, t.y), align, style::kFont, t.bold ? ":Bold" : "", t.size, t.color);
    }
  }

  // Begins the next data block and returns "'name.tsv' index n".
  std::string block(const std::string& header) {
    if (blocks_ > 0) data_ += "\n\n";
    data_ += fmt::format("# {}\n", header);
    return fmt::format("'{}.tsv' index {}", name_, blocks_++);
  }

  // Two neighbouring rows make a block for gnuplot only where it holds one; so an empty layer writes nothing.
  void add(const Bars& bars) {
    if (bars.bars.empty()) return;
    const std::string source = block("value\tlo\thi\trow\ttone\ttext\tname");
    const std::size_t n = f_.y.categories.size();
    for (const Bar& b : bars.bars) {
      data_ += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", number(b.value), number(b.lo), number(b.hi),
                           number(row_position(b.category, n)), static_cast<int>(b.tone), printable(b.text),
                           printable(f_.y.categories[b.category].text));
    }
    for (const Tone tone : {Tone::kPlain, Tone::kBest, Tone::kFaint, Tone::kFailed}) {
      if (std::none_of(bars.bars.begin(), bars.bars.end(),
                       [&](const Bar& b) { return b.tone == tone && std::isfinite(b.value); }))
        continue;
      plots_.push_back(
          fmt::format("{0} using ($5=={1} ? $1 : NaN):4:(0):1:($4-{2}):($4+{2}) with boxxyerror lc rgb '{3}' notitle",
                      source, static_cast<int>(tone), style::kBarShare / 2, style::mark_color(tone)));
    }
    if (std::any_of(bars.bars.begin(), bars.bars.end(),
                    [](const Bar& b) { return std::isfinite(b.lo) && std::isfinite(b.hi); })) {
      plots_.push_back(fmt::format("{} using 1:4:2:3 with xerrorbars pt -1 lc rgb '{}' lw {} dt solid notitle", source,
                                   style::kText, style::kIntervalWidth));
    }
  }

  void add(const Line& curve) {
    std::size_t last = curve.y.size(), finite = 0;
    for (std::size_t i = 0; i < curve.y.size(); ++i) {
      if (std::isfinite(curve.y[i])) last = i, ++finite;
    }
    if (finite == 0) return;
    const bool band = !curve.lo.empty();
    const std::string source = block(fmt::format("x\ty{}\tname", band ? "\tlo\thi" : ""));
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      data_ += number(curve.x[i]) + "\t" + number(curve.y[i]);
      if (band) data_ += fmt::format("\t{}\t{}", number(curve.lo[i]), number(curve.hi[i]));
      data_ += fmt::format("\t{}\n", printable(curve.label));
    }
    const char* color = curve.guide ? style::kGuide : style::kPalette[curve.color % style::kPalette.size()];
    const char* pattern =
        curve.guide ? "" : style::kDashes[curve.color / style::kPalette.size() % style::kDashes.size()];
    if (band)
      plots_.push_back(
          fmt::format("{} using 1:3:4 with filledcurves lc rgb '{}' fs transparent solid {} noborder notitle", source,
                      color, style::kBandOpacity));
    if (finite > 1)
      plots_.push_back(fmt::format("{} using 1:2 with lines lc rgb '{}' lw {} {} notitle", source, color,
                                   curve.guide ? style::kGuideWidth : style::kLineWidth, dash(pattern)));
    if (!curve.guide)
      plots_.push_back(fmt::format("{} every ::{}::{} using 1:2 with points pt 7 ps {} lc rgb '{}' notitle", source,
                                   last, last, kPointScale * 0.7, color));
  }

  void add(const Points& points) {
    if (points.points.empty()) return;
    const std::string source = block("x\ty\ttone\tname");
    for (const Point& p : points.points)
      data_ += fmt::format("{}\t{}\t{}\t{}\n", number(p.x), number(p.y), static_cast<int>(p.tone), printable(p.label));
    for (const Tone tone : {Tone::kFaint, Tone::kPlain, Tone::kFailed, Tone::kBest}) {
      if (std::none_of(points.points.begin(), points.points.end(), [&](const Point& p) { return p.tone == tone; }))
        continue;
      plots_.push_back(fmt::format("{} using 1:($3=={} ? $2 : NaN) with points pt 7 ps {} lc rgb '{}' notitle", source,
                                   static_cast<int>(tone), kPointScale, style::mark_color(tone)));
    }
  }

  std::string axis_names() const {
    return f_.y.label.empty() ? f_.x.label : fmt::format("{} by {}", f_.y.label, f_.x.label);
  }

  void outputs() {
    const double inches = l_.width / 72, tall = l_.height / 72;
    const double scale = style::kPngDotsPerInch / 72,
                 font_scale = style::kPngDotsPerInch / 96;  // pngcairo's fonts think in 96 dpi
    put("set terminal svg size {:.2f},{:.2f} font '{},{}' background rgb '{}' linewidth 1", l_.width, l_.height,
        style::kFont, style::kTextSize, style::kBackground);
    put("set output '{}.svg'", name_);
    std::string all;
    for (const std::string& p : plots_) all += fmt::format("{}{}", all.empty() ? "" : ", \\\n     ", p);
    put("plot {}\nunset output", all);
    put("set terminal pngcairo size {:.0f},{:.0f} font '{},{}' fontscale {:.4f} linewidth {:.4f} pointscale {:.4f} "
        "background rgb '{}'",
        inches * style::kPngDotsPerInch, tall * style::kPngDotsPerInch, style::kFont, style::kTextSize, font_scale,
        scale, scale, style::kBackground);
    put("set output '{}.png'\nreplot\nunset output", name_);
    put("set terminal pdfcairo size {:.4f}in,{:.4f}in font '{},{}' fontscale 0.75 linewidth 2 background rgb '{}'",
        inches, tall, style::kFont, style::kTextSize, style::kBackground);
    put("set output '{}.pdf'\nreplot\nunset output", name_);
    accessible_svg();
  }

  // gnuplot's svg terminal names no title and no fallback fonts, and takes ":Bold" for a part of the family's name.
  void accessible_svg() {
    line(
        "\n# The svg for every reader: title and description, fallback fonts, bold.\nset encoding default  # count "
        "bytes below");
    put("svg = system(\"cat '{}.svg'\")", name_);
    line("swap(s, i, n, new) = substr(s, 1, i - 1) . new . substr(s, i + n, strlen(s))");
    const auto swap_all = [&](const std::string& old, const std::string& replacement) {
      put("while (strstrt(svg, {0}) > 0) {{ svg = swap(svg, strstrt(svg, {0}), {1}, {2}) }}", quoted(old), old.size(),
          quoted(replacement));
    };
    swap_all(fmt::format("font-family=\"{}:Bold\"", style::kFont),
             fmt::format("font-family=\"{}, {}\" font-weight=\"bold\"", style::kFont, style::kSvgFallback));
    swap_all(fmt::format("font-family=\"{}\"", style::kFont),
             fmt::format("font-family=\"{}, {}\"", style::kFont, style::kSvgFallback));
    put("svg = swap(svg, strstrt(svg, '<svg '), 5, '<svg role=\"img\" ')");
    put("i = strstrt(svg, '<title>')\nsvg = swap(svg, i, strstrt(svg, '</desc>') - i, {})",
        quoted(fmt::format("<title>{}</title><desc>{}", xml(f_.title.empty() ? axis_names() : f_.title),
                           xml(f_.description))));
    put("set print '{}.svg'\nprint svg\nunset print", name_);
  }

  static constexpr double kPointScale = style::kMarker / 7.5;  // gnuplot's point 7 is about 7.5 pt across at scale 1

  const Figure& f_;
  const Layout l_;
  const std::string name_;
  std::string script_, data_;
  std::vector<std::string> plots_;
  std::size_t blocks_ = 0;
};

}  // namespace

GnuplotScript gnuplot_script(const Figure& figure, const std::string& name) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._-+=,@~%").find(c) != std::string_view::npos;
  };
  if (name.empty() || name[0] == '.' || name[0] == '-' || !std::all_of(name.begin(), name.end(), plain))
    throw UsageError("'{}' cannot name a figure: letters, digits and ._-+=,@~% only, not beginning with . or -",
                     printable(name));
  return Writer(figure, name).write();
}

}  // namespace segue
