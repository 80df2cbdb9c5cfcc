// A stack of panels as a gnuplot script: one multiplot, drawn once a terminal.
#include "framework/plot/panels.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/plot/axis.hpp"
#include "framework/plot/script.hpp"
#include "framework/plot/script_layers.hpp"
#include "framework/plot/script_outputs.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot {

namespace {

constexpr double kWidth = style::width(FigureSize::kPage), kLeft = kPanelsLeft * kWidth,
                 kRight = (1 - kPanelsRight) * kWidth;
constexpr double kTop = 30, kBottom = 40, kBetween = 19, kPanel = 78;  // points
// Viridis (van der Walt & Smith 2015) at nine places: uniform to the eye, also in grey and with colour-vision
// deficiency.
constexpr const char* kViridis =
    "0 '#440154', 1 '#472D7B', 2 '#3B528B', 3 '#2C728E', 4 '#21918C', 5 '#28AE80', 6 '#5EC962', 7 '#ADDC30', 8 "
    "'#FDE725'";

class Writer {
 public:
  Writer(const PanelStack& stack, const std::string& name) : s_(stack), name_(name) {
    SEGUE_CHECK(!stack.panels.empty(), "a stack without panels");
    const double shares = std::accumulate(s_.panels.begin(), s_.panels.end(), 0.0,
                                          [](double sum, const Panel& p) { return sum + p.height; });
    height_ = kTop + kBottom + kPanel * shares + kBetween * static_cast<double>(s_.panels.size() - 1);
  }

  GnuplotScript write() {
    const std::string title = printable(s_.title);
    std::string script = fmt::format(
        "# {0}\n# \"gnuplot {1}.gp\" in this folder draws {1}.svg, {1}.png and {1}.pdf from {1}.tsv (gnuplot 5.4 or "
        "later).\nreset\nset encoding utf8\nset datafile separator \"\\t\"\nunset key\nunset colorbox\n"
        "set palette defined ({2})\nset style fill solid 1 noborder\n",
        title, name_, kViridis);
    data_ = fmt::format("# {}\n", title);
    const std::string body = panels();
    for (const Terminal t : {Terminal::kSvg, Terminal::kPng, Terminal::kPdf})
      script += terminal(t, kWidth, height_, name_) + "\n" + body + "unset output\n";
    script += accessible_svg(name_, s_.title, s_.description);
    return {std::move(script), std::move(data_)};
  }

 private:
  std::string block(const std::string& header) {
    if (blocks_ > 0) data_ += "\n\n";
    data_ += fmt::format("# {}\n", header);
    return fmt::format("'{}.tsv' index {}", name_, blocks_++);
  }
  std::string text(std::size_t number, const std::string& words, double x, double y, const char* align, double size,
                   const char* extra = "") const {
    return fmt::format(
        "set label {} {} at screen {:.6f},{:.6f} {} noenhanced front font '{}{},{}' textcolor rgb '{}'\n", number,
        quoted(printable(words)), x / kWidth, y / height_, align, style::kFont, extra, size, style::kText);
  }

  std::string panels() {
    std::string out = "set multiplot\n";
    double top = height_ - kTop;
    for (std::size_t i = 0; i < s_.panels.size(); ++i) {
      const Panel& p = s_.panels[i];
      const double bottom = top - kPanel * p.height;
      const bool last = i + 1 == s_.panels.size();
      out += fmt::format(
          "set lmargin at screen {:.6f}; set rmargin at screen {:.6f}\nset bmargin at screen {:.6f}; set "
          "tmargin at screen {:.6f}\n",
          kLeft / kWidth, 1 - kRight / kWidth, bottom / height_, top / height_);
      out += "unset label\nunset arrow\nset border 3 lw " +
             fmt::format("{} lc rgb '{}'\n", style::kAxisWidth, style::kAxis);
      out += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", number_text(s_.x_range.first),
                         number_text(s_.x_range.second), number_text(p.y_range.first), number_text(p.y_range.second));
      if (p.raster)
        out += fmt::format("set cbrange [{}:{}]\n", number_text(static_cast<double>(p.raster->low)),
                           number_text(static_cast<double>(p.raster->high)));
      std::size_t label = 0;
      if (i == 0) out += text(++label, s_.title, kLeft, height_ - 10, "left", style::kTitleSize, ":Bold");
      out += text(++label, p.title, kLeft, top + 6, "left", style::kTextSize);
      std::string ticks;
      for (const Tick& t : p.y_ticks) {
        ticks += fmt::format("{}'' {}", ticks.empty() ? "" : ", ", number_text(t.at));
        const double share = (t.at - p.y_range.first) / (p.y_range.second - p.y_range.first);
        out += text(++label, t.text, kLeft - 6, bottom + share * (top - bottom), "right", style::kTextSize);
      }
      out += ticks.empty() ? "unset ytics\n" : fmt::format("set ytics nomirror out scale 0.35 ({})\n", ticks);
      if (!p.y_label.empty())
        out += fmt::format(
            "set label {} {} at screen {:.6f},{:.6f} center rotate noenhanced front font '{},{}' textcolor "
            "rgb '{}'\n",
            ++label, quoted(printable(p.y_label)), 8 / kWidth, (bottom + top) / 2 / height_, style::kFont,
            style::kTextSize, style::kText);
      ticks.clear();
      for (const Tick& t : time_ticks()) {
        ticks += fmt::format("{}'' {}", ticks.empty() ? "" : ", ", number_text(t.at));
        if (!last) continue;
        const double share = (t.at - s_.x_range.first) / (s_.x_range.second - s_.x_range.first);
        out += text(++label, t.text, kLeft + share * (kWidth - kLeft - kRight), bottom - 9, "center", style::kTextSize);
      }
      out += fmt::format("set xtics nomirror out scale 0.35 ({})\n", ticks);
      if (last) {
        out += text(++label, s_.x_label, (kLeft + kWidth - kRight) / 2, bottom - 20, "center", style::kTextSize);
        if (!s_.note.empty()) out += text(++label, s_.note, kLeft, 7, "left", style::kSmallSize);
      }
      out += plot_of(p);
      top = bottom - kBetween;
    }
    return out + "unset multiplot\n";
  }

  std::string plot_of(const Panel& p) {
    std::vector<std::string> plots;
    if (p.raster && p.raster->columns > 0 && p.raster->rows > 0) {
      const Raster& r = *p.raster;
      const std::string source = block(p.title + ": a row a line, from the lowest");
      for (std::size_t y = 0; y < r.rows; ++y) {
        for (std::size_t x = 0; x < r.columns; ++x)
          data_ += fmt::format("{}{:.4g}", x == 0 ? "" : "\t", std::clamp(r.values[y * r.columns + x], r.low, r.high));
        data_ += "\n";
      }
      const double dx = (s_.x_range.second - s_.x_range.first) / static_cast<double>(r.columns);
      const double dy = (p.y_range.second - p.y_range.first) / static_cast<double>(r.rows);
      plots.push_back(fmt::format("{} matrix using ({}+($1+0.5)*{}):({}+($2+0.5)*{}):3 with image", source,
                                  number_text(s_.x_range.first), number_text(dx), number_text(p.y_range.first),
                                  number_text(dy)));
    }
    if (p.outline && !p.outline->x.empty()) {
      const std::string source = block(p.title + ": x\tlo\thi");
      for (std::size_t i = 0; i < p.outline->x.size(); ++i)
        data_ += fmt::format("{:.6g}\t{:.4g}\t{:.4g}\n", p.outline->x[i], p.outline->lo[i], p.outline->hi[i]);
      plots.push_back(fmt::format("{} using 1:2:3 with filledcurves lc rgb '{}'", source, style::kPalette[0]));
    }
    if (!p.marks.empty()) {
      const std::string source = block(p.title + ": marks");
      for (const double x : p.marks) data_ += number_text(x) + "\n";
      plots.push_back(fmt::format("{} using 1:({}):(0):({}) with vectors nohead lw 0.5 lc rgb '{}'", source,
                                  number_text(p.y_range.first), number_text(p.y_range.second - p.y_range.first),
                                  style::kPalette[1]));
    }
    if (p.level)
      plots.push_back(fmt::format("{} with lines lw 0.9 dt (6,4) lc rgb '{}'", number_text(*p.level), "#FFFFFF"));
    if (plots.empty()) plots.push_back("NaN");
    std::string out;
    for (const std::string& plot : plots)
      out += fmt::format("{}{} notitle", out.empty() ? "plot " : ", \\\n     ", plot);
    return out + "\n";
  }

  // Round times, five to ten of them.
  std::vector<Tick> time_ticks() const {
    const double span = s_.x_range.second - s_.x_range.first;
    double step = 600;
    for (const double candidate :
         {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0})
      if (span / candidate <= 10) {
        step = candidate;
        break;
      }
    std::vector<Tick> out;
    for (double at = 0; at <= span * 1.0001; at += step) {
      const double x = s_.x_range.first + at;
      out.push_back({x, step >= 30 ? fmt::format("{}:{:02}", static_cast<int>(x) / 60, static_cast<int>(x) % 60)
                                   : fmt::format("{:g}", x)});
    }
    return out;
  }

  const PanelStack& s_;
  const std::string name_;
  double height_ = 0;
  std::string data_;
  std::size_t blocks_ = 0;
};

}  // namespace

GnuplotScript gnuplot_script(const PanelStack& stack, const std::string& name) {
  check_figure_name(name);
  return Writer(stack, name).write();
}

}  // namespace segue::plot
