#include "framework/plot/script_layers.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot {
namespace {

constexpr double kPointScale = style::kMarker / kPointsPerScale;

class Writer {
 public:
  Writer(const Figure& figure, const Layout& layout, const std::string& name) : f_(figure), l_(layout), name_(name) {}

  LayerScript write() {
    for (const Layer& layer : f_.layers) std::visit([&](const auto& l) { add(l); }, layer);
    return std::move(out_);
  }

 private:
  // Begins the next data block and returns "'name.tsv' index n".
  std::string block(const std::string& header) {
    if (blocks_ > 0) out_.data += "\n\n";
    out_.data += fmt::format("# {}\n", header);
    return fmt::format("'{}.tsv' index {}", name_, blocks_++);
  }
  template <class... Args>
  void plot(fmt::format_string<Args...> format, Args&&... args) {
    out_.plots.push_back(fmt::format(format, std::forward<Args>(args)...) + " notitle");
  }
  void row(const std::vector<double>& numbers, const std::vector<std::string>& texts) {
    std::string line;
    for (const double v : numbers) line += (line.empty() ? "" : "\t") + number_text(v);
    for (const std::string& text : texts) line += "\t" + printable(text);
    out_.data += line + "\n";
  }
  // Vectors with flat ends: gnuplot's error bars clear the paper around their points.
  std::string caps() const {
    return fmt::format("heads nofilled size screen {:.6f},90 lw {} dt solid", 1.3 / l_.width, style::kIntervalWidth);
  }
  double row_at(std::size_t category) const { return l_.y_position(static_cast<double>(category)); }

  void add(const Rules&) {}
  void add(const Labels&) {}

  void add(const Bars& bars) {
    if (bars.bars.empty()) return;
    const std::string source = block("value\tlo\thi\trow\ttone\ttext\tname");
    for (const Bar& b : bars.bars)
      row({b.value, b.lo, b.hi, row_at(b.category), static_cast<double>(b.tone)},
          {b.text, f_.y.categories[b.category].text});
    for (const Tone tone : {Tone::kPlain, Tone::kBest, Tone::kFaint, Tone::kFailed}) {
      if (std::none_of(bars.bars.begin(), bars.bars.end(),
                       [&](const Bar& b) { return b.tone == tone && std::isfinite(b.value); }))
        continue;
      plot("{0} using ($5=={1} ? $1 : NaN):4:(0):1:($4-{2}):($4+{2}) with boxxyerror lc rgb '{3}'", source,
           static_cast<int>(tone), style::kBarShare / 2, style::mark_color(tone));
    }
    if (std::any_of(bars.bars.begin(), bars.bars.end(),
                    [](const Bar& b) { return std::isfinite(b.lo) && std::isfinite(b.hi); })) {
      plot("{} using 1:4:2:3 with xerrorbars pt -1 lc rgb '{}' lw {} dt solid", source, style::kText,
           style::kIntervalWidth);
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
      std::vector<double> numbers = {curve.x[i], curve.y[i]};
      if (band) numbers.insert(numbers.end(), {curve.lo[i], curve.hi[i]});
      row(numbers, {curve.label});
    }
    const char* color = curve.guide ? style::kGuide : style::kPalette[curve.color % style::kPalette.size()];
    const char* pattern =
        curve.guide ? "" : style::kDashes[curve.color / style::kPalette.size() % style::kDashes.size()];
    if (band && !curve.whiskers)
      plot("{} using 1:3:4 with filledcurves lc rgb '{}' fs transparent solid {} noborder", source, color,
           style::kBandOpacity);
    if (band && curve.whiskers) plot("{} using 1:3:(0):($4-$3) with vectors {} lc rgb '{}'", source, caps(), color);
    if (finite > 1 && curve.connected)
      plot("{} using 1:2 with lines lc rgb '{}' lw {} {}", source, color,
           curve.guide ? style::kGuideWidth : style::kLineWidth, dash_text(pattern));
    if (curve.guide || curve.marks == Marks::kElsewhere) return;
    if (curve.marks == Marks::kAll)
      plot("{} using 1:2 with points pt {} ps {} lw 0.8 lc rgb '{}'", source, style::mark(curve.color),
           kPointScale * 0.8, color);
    else
      plot("{} every ::{}::{} using 1:2 with points pt {} ps {} lc rgb '{}'", source, last, last, style::kRoundMark,
           kPointScale * 0.7, color);
  }

  void add(const Points& points) {
    if (points.points.empty()) return;
    const std::string source = block("x\ty\tlo\thi\ttone\tseries\tring\tsize\tname");
    // Faint ones below strong ones, series above both.
    const auto kind = [](const Point& p) {
      const int depth = p.tone == Tone::kFaint ? 0 : p.tone == Tone::kPlain ? 1 : p.tone == Tone::kFailed ? 2 : 3;
      return std::tuple(p.series ? static_cast<int>(*p.series) : -1, depth, static_cast<int>(p.tone), p.ring ? 1 : 0);
    };
    std::set<std::tuple<int, int, int, int>> kinds;
    bool intervals = false;
    for (const Point& p : points.points) {
      kinds.insert(kind(p));
      intervals = intervals || (std::isfinite(p.lo) && std::isfinite(p.hi));
      row({p.x, l_.y_position(p.y), p.lo, p.hi, static_cast<double>(p.tone),
           p.series ? static_cast<double>(*p.series) : -1, p.ring ? 1.0 : 0.0, p.diameter},
          {p.label});
    }
    for (const auto& [series, depth, tone, ring] : kinds) {
      const auto position = static_cast<std::size_t>(std::max(0, series));
      const char* color =
          series >= 0 ? style::kPalette[position % style::kPalette.size()] : style::mark_color(static_cast<Tone>(tone));
      const int mark = ring == 1 ? style::kRing : series >= 0 ? style::mark(position) : style::kRoundMark;
      const std::string chosen = fmt::format("$5=={} && $6=={} && $7=={}", tone, series, ring);
      if (intervals)
        plot("{} using ({} && $3==$3 && $4==$4 ? $3 : NaN):2:($4-$3):(0) with vectors {} lc rgb '{}'", source, chosen,
             caps(), series >= 0 ? color : style::kText);
      plot("{} using 1:({} ? $2 : NaN):($8*{}) with points pt {} ps variable lw 0.8 lc rgb '{}'", source, chosen,
           kPointScale, mark, color);
    }
  }

  void add(const Strips& strips) {
    if (strips.strips.empty()) return;
    const std::string source = block("p5\tp25\tp50\tp75\tp95\tmean\trow\ttext\tname");
    bool quantiles = false;
    for (const Strip& s : strips.strips) {
      quantiles = quantiles || std::isfinite(s.p50);
      row({s.p5, s.p25, s.p50, s.p75, s.p95, s.mean, row_at(s.category)}, {s.text, f_.y.categories[s.category].text});
    }
    const double half = style::kBarShare / 2;
    if (quantiles) {
      plot("{} using 1:7:($5-$1):(0) with vectors nohead lc rgb '{}' lw {} dt solid", source, style::kText,
           style::kIntervalWidth);
      plot("{0} using 3:7:2:4:($7-{1}):($7+{1}) with boxxyerror lc rgb '{2}'", source, half,
           style::mark_color(Tone::kPlain));
      plot("{0} using 3:($7-{1}):(0):({2}) with vectors nohead lc rgb '{3}' lw {4} dt solid", source, half, 2 * half,
           style::kText, 1.4);
    }
    plot("{} using 6:7 with points pt {} ps {} lc rgb '{}'", source, style::kMeanMark, kPointScale, style::kPalette[1]);
  }

  void add(const Cells& cells) {
    if (cells.cells.empty()) return;
    const std::string source = block("column\trow\tvalue\tshade\tmark\ttext\tname");
    for (const Cell& c : cells.cells)
      row({static_cast<double>(c.column), row_at(c.category), c.value, static_cast<double>(c.shade)},
          {c.mark, c.text, f_.y.categories[c.category].text});
    const double half_x = 0.5 - style::kCellGap / 2 / (l_.x_at(1) - l_.x_at(0)),
                 half_y = 0.5 - style::kCellGap / 2 / (l_.y_at(0) - l_.y_at(1));
    for (std::size_t shade = 0; shade < style::kShades.size(); ++shade) {
      if (std::none_of(cells.cells.begin(), cells.cells.end(), [&](const Cell& c) { return c.shade == shade; }))
        continue;
      plot(
          "{0} using ($4=={1} ? $1 : NaN):2:($1-{2:.6f}):($1+{2:.6f}):($2-{3:.6f}):($2+{3:.6f}) with boxxyerror "
          "lc rgb '{4}'",
          source, shade, half_x, half_y, style::kShades[shade]);
    }
  }

  const Figure& f_;
  const Layout& l_;
  const std::string name_;
  LayerScript out_;
  std::size_t blocks_ = 0;
};

}  // namespace

std::string number_text(double v) { return std::isfinite(v) ? fmt::format("{}", v) : "NaN"; }

std::string dash_text(const char* pattern) { return *pattern == '\0' ? "dt solid" : fmt::format("dt {}", pattern); }

LayerScript layer_script(const Figure& figure, const Layout& layout, const std::string& name) {
  return Writer(figure, layout, name).write();
}

}  // namespace segue::plot
