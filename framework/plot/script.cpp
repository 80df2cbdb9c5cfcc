#include "framework/plot/script.hpp"

#include <fmt/format.h>

#include "framework/plot/layout.hpp"
#include "framework/plot/script_layers.hpp"
#include "framework/plot/script_outputs.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot {
namespace {

class Writer {
 public:
  Writer(const Figure& figure, const std::string& name) : f_(figure), l_(lay_out(figure)), name_(name) {}

  GnuplotScript write() {
    header();
    axes();
    strokes_and_texts();
    LayerScript layers = layer_script(f_, l_, name_);
    data_ += layers.data;
    plots_ = std::move(layers.plots);
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
    put("set {}range [{}:{}]", letter, number_text(a.lo), number_text(a.hi));
    if (a.logarithmic) put("set logscale {} 10", letter);
    std::string ticks;  // the tick texts are labels below: gnuplot would read a tick text as a number format
    for (double v : a.major) ticks += fmt::format("{}'' {} 0", ticks.empty() ? "" : ", ", number_text(v));
    for (double v : a.minor) ticks += fmt::format("{}'' {} 1", ticks.empty() ? "" : ", ", number_text(v));
    if (ticks.empty())
      put("unset {}tics", letter);
    else
      put("set {}tics nomirror out scale 0.35,0.2 ({})", letter, ticks);
  }

  void axes() {
    const int x_line = f_.x.hidden ? 0 : 1, y_line = f_.y.hidden || l_.rows > 0 ? 0 : 2;
    put("set border {} lw {} lc rgb '{}'", x_line + y_line, style::kAxisWidth, style::kAxis);
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
          screen(s.line.x1, s.line.y1), s.behind ? "back" : "front", s.color, s.width, dash_text(s.dash));
    }
    i = 0;
    for (const Text& t : l_.texts) {
      const char* align = t.align == Align::kLeft ? "left" : t.align == Align::kRight ? "right" : "center";
      put("set label {} {} at {} {} noenhanced front font '{}{},{}' textcolor rgb '{}'", ++i, quoted(t.text),
          screen(t.x, t.y), align, style::kFont, t.bold ? ":Bold" : "", t.size, t.color);
    }
    std::size_t boxes = 0;
    for (const Sample& s : l_.samples) {
      if (s.mark == 0)
        put("set object {} rectangle center {} size screen {:.6f},{:.6f} front fs solid 1 noborder fc rgb '{}'",
            ++boxes, screen(s.x, s.y), s.diameter / l_.width, s.diameter / l_.height, s.color);
      else
        put("set label {} '' at {} front point pt {} ps {:.4f} lw 0.8 lc rgb '{}'", ++i, screen(s.x, s.y), s.mark,
            s.diameter / kPointsPerScale, s.color);
    }
  }

  std::string axis_names() const {
    return f_.y.label.empty() ? f_.x.label : fmt::format("{} by {}", f_.y.label, f_.x.label);
  }

  void outputs() {
    line(terminal(Terminal::kSvg, l_.width, l_.height, name_));
    std::string all;
    for (const std::string& p : plots_) all += fmt::format("{}{}", all.empty() ? "" : ", \\\n     ", p);
    put("plot {}\nunset output", all);
    for (const Terminal t : {Terminal::kPng, Terminal::kPdf})
      put("{}\nreplot\nunset output", terminal(t, l_.width, l_.height, name_));
    script_ += accessible_svg(name_, f_.title.empty() ? axis_names() : f_.title, f_.description);
  }

  const Figure& f_;
  const Layout l_;
  const std::string name_;
  std::string script_, data_;
  std::vector<std::string> plots_;
};

}  // namespace

GnuplotScript gnuplot_script(const Figure& figure, const std::string& name) {
  check_figure_name(name);
  return Writer(figure, name).write();
}

}  // namespace segue::plot
