#include "framework/plot/layout.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"

namespace segue {
namespace {

constexpr double kLine = style::kTextSize * style::kLeading;
constexpr double kSmallLine = style::kSmallSize * style::kLeading;
constexpr double kSampleLength = 14;  // of a line in the legend

template <class Visit>
void for_each_value(const Figure& figure, Visit visit) {
  for (const Layer& layer : figure.layers) {
    if (const auto* bars = std::get_if<Bars>(&layer)) {
      for (const Bar& bar : bars->bars) {
        for (const double v : {0.0, bar.value, bar.lo, bar.hi}) visit(v, kNotANumber);
      }
    } else if (const auto* line = std::get_if<Line>(&layer)) {
      for (std::size_t i = 0; i < line->x.size(); ++i) {
        if (line->guide) continue;  // guides follow the range, they do not make it
        visit(line->x[i], line->y[i]);
        if (!line->lo.empty()) visit(line->x[i], line->lo[i]), visit(line->x[i], line->hi[i]);
      }
    } else {
      for (const Point& point : std::get<Points>(layer).points) visit(point.x, point.y);
    }
  }
}

std::string axis_title(const Axis& axis) {
  return axis.unit.empty() ? axis.label : axis.label + " (" + axis.unit + ")";
}

class Builder {
 public:
  explicit Builder(const Figure& figure) : f_(figure) {}

  Layout build() {
    if (f_.layers.empty()) throw UsageError("figure '{}' shows nothing", f_.title);
    bars_ = std::holds_alternative<Bars>(f_.layers.front());
    out_.width = style::width(f_.size);
    fit_ranges();
    measure_left();
    measure_right();
    out_.plot.x0 = left_;
    out_.plot.x1 = out_.width - right_;
    stack_vertically();
    grid();
    if (bars_)
      bar_texts();
    else
      numeric_y_ticks();
    line_labels();
    point_labels();
    return std::move(out_);
  }

 private:
  void add(std::string text, double x, double y, Align align, double size = style::kTextSize, bool bold = false,
           const char* color = style::kText) {
    if (!text.empty()) out_.texts.push_back({printable(text), x, y, align, size, bold, color});
  }

  void fit_ranges() {
    if (bars_ && f_.y.categories.empty()) throw UsageError("bars of figure '{}' have no categories", f_.title);
    for (const Layer& layer : f_.layers) {
      if (const auto* bars = std::get_if<Bars>(&layer)) {
        for (const Bar& bar : bars->bars)
          SEGUE_CHECK(bar.category < f_.y.categories.size(), "a bar in row {} of {}", bar.category,
                      f_.y.categories.size());
      } else if (const auto* line = std::get_if<Line>(&layer)) {
        const std::size_t n = line->x.size(), band = line->lo.size();
        SEGUE_CHECK(line->y.size() == n && line->hi.size() == band && (band == 0 || band == n),
                    "line '{}' has columns of different lengths", line->label);
      }
    }
    double x_lo = INFINITY, x_hi = -INFINITY, y_lo = INFINITY, y_hi = -INFINITY;
    for_each_value(f_, [&](double x, double y) {
      if (!usable(x, f_.x.scale) || (!bars_ && !usable(y, f_.y.scale))) return;
      x_lo = std::min(x_lo, x), x_hi = std::max(x_hi, x);
      if (!bars_) y_lo = std::min(y_lo, y), y_hi = std::max(y_hi, y);
    });
    const bool points = std::holds_alternative<Points>(f_.layers.back());
    out_.x = fit_axis(f_.x, x_lo, x_hi, points ? 0.08 : 0);
    if (bars_) {
      if (x_lo == 0 && x_hi == 0 && !f_.x.range) out_.x.lo = 0, out_.x.hi = 1;
      out_.y.lo = -0.5, out_.y.hi = static_cast<double>(f_.y.categories.size()) - 0.5;
      out_.y.major.clear();
    } else {
      out_.y = fit_axis(f_.y, y_lo, y_hi, points ? 0.10 : 0.05);
      const double tick_room = 22;
      set_ticks(out_.y, static_cast<std::size_t>(style::plot_height(f_.size) / tick_room), false);
    }
  }

  // Names over two lines usually continue with parameters, so the second line steps back.
  static double row_size(std::size_t line) { return line == 0 ? style::kTextSize : style::kSmallSize; }

  // "als factors=32": the name, then its parameters, where both fit.
  static std::vector<std::string> name_lines(const std::string& name, double most, bool bold) {
    const std::size_t space = name.find(' ');
    if (space != std::string::npos && text_width(name, style::kTextSize, bold) > most) {
      const std::string head = printable(name.substr(0, space)), tail = printable(name.substr(space + 1));
      if (text_width(head, style::kTextSize, bold) <= most && text_width(tail, style::kSmallSize) <= most)
        return {head, tail};
    }
    return wrap_text(name, most, style::kTextSize, 2, bold);
  }

  void measure_left() {
    if (!bars_) {
      for (const std::string& text : tick_texts(out_.y.major, out_.y.logarithmic))
        left_ = std::max(left_, text_width(text, style::kTextSize));
      left_ += style::kPad + style::kGap;
      return;
    }
    const double most = out_.width * style::kLabelShare;
    for (const Category& category : f_.y.categories) {
      const bool bold = category.heading || category.tone == Tone::kBest;
      rows_.push_back(category.heading
                          ? wrap_text(category.text, out_.width - 2 * style::kPad, style::kTextSize, 1, true)
                          : name_lines(category.text, most, bold));
      row_lines_ = std::max(row_lines_, rows_.back().size());
      if (category.heading) continue;
      for (std::size_t i = 0; i < rows_.back().size(); ++i) {
        left_ = std::max(left_, text_width(rows_.back()[i], row_size(i), bold && i == 0));
      }
    }
    left_ += style::kPad + style::kGap;
  }

  void measure_right() {
    right_ = style::kPad + 4;
    if (bars_) {
      for (const Bar& bar : std::get<Bars>(f_.layers.front()).bars) {
        right_ = std::max(right_,
                          style::kPad + style::kGap + text_width(bar.text, style::kTextSize, bar.tone == Tone::kBest));
      }
      return;
    }
    double widest = 0;
    for (const Layer& layer : f_.layers) {
      const auto* line = std::get_if<Line>(&layer);
      if (line == nullptr || line->label.empty()) continue;
      line_names_.push_back(wrap_text(line->label, out_.width * style::kLabelShare, style::kTextSize, 2));
      for (const std::string& text : line_names_.back()) widest = std::max(widest, text_width(text, style::kTextSize));
    }
    if (widest > 0) right_ = style::kPad + widest + kLeaderRoom + (f_.legend ? kSampleLength + style::kGap : 0);
  }

  double plot_height() const {
    if (bars_) {
      const double row = kLine + static_cast<double>(row_lines_ - 1) * kSmallLine + 3;
      return row * static_cast<double>(f_.y.categories.size());
    }
    double legend = 0;
    for (const auto& name : line_names_) legend += static_cast<double>(name.size()) * kLine + 2;
    return std::max(style::plot_height(f_.size), f_.legend ? legend : 0);
  }

  // Heights from the bottom up: note, axis title, tick texts, plot, title of the y axis, title.
  void stack_vertically() {
    const double inner = out_.width - 2 * style::kPad, middle = (out_.plot.x0 + out_.plot.x1) / 2;
    double y = style::kPad;
    if (!f_.note.empty()) {
      const std::vector<std::string> lines = wrap_text(f_.note, inner, style::kSmallSize, 4);
      const double leading = style::kSmallSize * style::kLeading;
      for (std::size_t i = lines.size(); i-- > 0; y += leading)
        add(lines[i], style::kPad, y + leading / 2, Align::kLeft, style::kSmallSize, false, style::kFaintText);
      y += 2;
    }
    const std::vector<std::string> x_title = wrap_text(axis_title(f_.x), inner, style::kTextSize, 2);
    for (std::size_t i = x_title.size(); i-- > 0; y += kLine) {
      const double half = text_width(x_title[i], style::kTextSize) / 2;
      add(x_title[i],
          std::clamp(middle, style::kPad + half, std::max(style::kPad + half, out_.width - style::kPad - half)),
          y + kLine / 2, Align::kCenter);
    }
    y += 2;
    const double span = out_.plot.x1 - out_.plot.x0;
    const bool whole = !bars_ && f_.x.unit.empty() && !out_.x.logarithmic;
    set_ticks(out_.x, static_cast<std::size_t>(std::max(2.0, span / 27)), whole);
    const std::vector<std::string> ticks = tick_texts(out_.x.major, out_.x.logarithmic);
    for (std::size_t i = 0; i < ticks.size(); ++i)
      add(ticks[i], out_.x_at(out_.x.major[i]), y + kLine / 2, Align::kCenter);
    y += kLine + style::kGap;
    out_.plot.y0 = y;
    out_.plot.y1 = y += plot_height();
    y += style::kGap;
    if (!bars_) {
      const std::vector<std::string> y_title = wrap_text(axis_title(f_.y), inner, style::kTextSize, 2);
      for (std::size_t i = y_title.size(); i-- > 0; y += kLine)
        add(y_title[i], style::kPad, y + kLine / 2, Align::kLeft);
    }
    if (!f_.title.empty()) {
      y += 2;
      const std::vector<std::string> lines = wrap_text(f_.title, inner, style::kTitleSize, 2, true);
      const double leading = style::kTitleSize * style::kLeading;
      for (std::size_t i = lines.size(); i-- > 0; y += leading)
        add(lines[i], style::kPad, y + leading / 2, Align::kLeft, style::kTitleSize, true);
    }
    out_.height = y + style::kPad;
  }

  void numeric_y_ticks() {
    const std::vector<std::string> texts = tick_texts(out_.y.major, out_.y.logarithmic);
    for (std::size_t i = 0; i < texts.size(); ++i)
      add(texts[i], out_.plot.x0 - style::kGap, out_.y_at(out_.y.major[i]), Align::kRight);
  }

  void bar_texts() {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const Category& category = f_.y.categories[row];
      double y =
          out_.y_at(row_position(row, rows_.size())) + static_cast<double>(rows_[row].size() - 1) * kSmallLine / 2;
      if (category.heading) add(rows_[row].front(), style::kPad, y, Align::kLeft, style::kTextSize, true);
      for (std::size_t i = 0; i < rows_[row].size() && !category.heading; ++i, y -= kSmallLine) {
        const bool faint = i > 0 || category.tone == Tone::kFailed;
        add(rows_[row][i], out_.plot.x0 - style::kGap, y, Align::kRight, row_size(i),
            category.tone == Tone::kBest && i == 0, faint ? style::kFaintText : style::kText);
      }
    }
    for (const Bar& bar : std::get<Bars>(f_.layers.front()).bars) {
      double end = std::max(0.0, out_.x.lo);
      for (const double v : {bar.value, bar.hi}) end = std::isfinite(v) ? std::max(end, v) : end;
      add(bar.text, out_.x_at(std::min(end, out_.x.hi)) + style::kGap,
          out_.y_at(row_position(bar.category, rows_.size())), Align::kLeft, style::kTextSize, bar.tone == Tone::kBest,
          style::text_color(bar.tone));
    }
  }

  // Lines across the values; those of bars leave the headings' rows free. Scatter plots have none: they would strike
  // labels out.
  void grid() {
    const auto add_line = [&](const Segment& line) {
      out_.strokes.push_back({line, style::kGrid, style::kGridWidth, "", true});
    };
    if (!bars_ && !std::holds_alternative<Points>(f_.layers.back())) {
      for (const double v : out_.y.major) add_line({out_.plot.x0, out_.y_at(v), out_.plot.x1, out_.y_at(v)});
    }
    for (std::size_t first = 0; first < rows_.size(); ++first) {
      if (f_.y.categories[first].heading) continue;
      std::size_t last = first;
      while (last + 1 < rows_.size() && !f_.y.categories[last + 1].heading) ++last;
      const double top = out_.y_at(row_position(first, rows_.size()) + 0.5),
                   bottom = out_.y_at(row_position(last, rows_.size()) - 0.5);
      for (const double v : out_.x.major) add_line({out_.x_at(v), bottom, out_.x_at(v), top});
      const double zero = out_.x_at(std::clamp(0.0, out_.x.lo, out_.x.hi));
      out_.strokes.push_back({{zero, bottom, zero, top}, style::kAxis, style::kAxisWidth, "", false});
      first = last;
    }
  }

  // At the line ends, moved apart; or a legend, best last value on top.
  void line_labels() {
    std::vector<const Line*> lines;
    for (const Layer& layer : f_.layers) {
      const auto* line = std::get_if<Line>(&layer);
      if (line != nullptr && !line->label.empty()) lines.push_back(line);
    }
    std::vector<double> wanted, heights, end_x;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      double x = kNotANumber, y = out_.y.lo;
      for (std::size_t j = 0; j < lines[i]->y.size(); ++j) {
        if (usable(lines[i]->y[j], f_.y.scale)) x = lines[i]->x[j], y = lines[i]->y[j];
      }
      wanted.push_back(out_.y_at(y));
      end_x.push_back(std::isfinite(x) ? out_.x_at(x) : kNotANumber);
      heights.push_back(static_cast<double>(line_names_[i].size()) * kLine + (f_.legend ? 2 : 0.5));
    }
    const std::vector<double> centres =
        f_.legend ? stacked(wanted, heights)
                  : spread(wanted, heights, out_.plot.y0 - kLine / 2, out_.plot.y1 + kLine / 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const char* color = style::kPalette[lines[i]->color % style::kPalette.size()];
      double x = out_.plot.x1 + kLeaderRoom;
      if (f_.legend) {
        const char* dash = style::kDashes[lines[i]->color / style::kPalette.size() % style::kDashes.size()];
        out_.strokes.push_back({{x, centres[i], x + kSampleLength, centres[i]}, color, style::kLineWidth, dash, false});
        x += kSampleLength + style::kGap;
      } else if (std::isfinite(end_x[i])) {
        const double knee = out_.plot.x1 + 2;
        if (end_x[i] < out_.plot.x1 - 1)
          out_.strokes.push_back(
              {{end_x[i] + style::kMarker / 2, wanted[i], knee, wanted[i]}, color, style::kGridWidth, "(2,3)", false});
        if (std::abs(centres[i] - wanted[i]) > 1 || end_x[i] < out_.plot.x1 - 1)
          out_.strokes.push_back({{knee, wanted[i], x - 1.5, centres[i]}, color, style::kGridWidth, "", false});
      }
      double y = centres[i] + (static_cast<double>(line_names_[i].size()) - 1) / 2 * kLine;
      for (const std::string& text : line_names_[i]) {
        add(text, x, y, Align::kLeft, style::kTextSize, false,
            f_.legend ? style::kText : style::kTextPalette[lines[i]->color % style::kTextPalette.size()]);
        y -= kLine;
      }
    }
  }

  // Legend rows from the top of the plot downwards, highest end first.
  std::vector<double> stacked(const std::vector<double>& wanted, const std::vector<double>& heights) const {
    std::vector<std::size_t> order(wanted.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] > wanted[b]; });
    std::vector<double> centres(wanted.size());
    double y = out_.plot.y1;
    for (const std::size_t i : order) {
      centres[i] = y - heights[i] / 2;
      y -= heights[i];
    }
    return centres;
  }

  void point_labels() {
    std::vector<std::pair<double, double>> at;
    std::vector<LabelSize> sizes;
    std::vector<const Point*> points;
    std::vector<std::vector<std::string>> names;
    std::vector<Segment> avoid;
    for (const Layer& layer : f_.layers) {
      if (const auto* line = std::get_if<Line>(&layer)) {
        for (std::size_t i = 1; i < line->x.size(); ++i)
          avoid.push_back(
              {out_.x_at(line->x[i - 1]), out_.y_at(line->y[i - 1]), out_.x_at(line->x[i]), out_.y_at(line->y[i])});
      }
      const auto* layer_points = std::get_if<Points>(&layer);
      if (layer_points == nullptr) continue;
      for (const Point& point : layer_points->points) {
        if (!usable(point.x, f_.x.scale) || !usable(point.y, f_.y.scale)) continue;
        points.push_back(&point);
        at.emplace_back(out_.x_at(point.x), out_.y_at(point.y));
        names.push_back(wrap_text(point.label, out_.width * style::kLabelShare, style::kTextSize, 2));
        LabelSize size{0, static_cast<double>(names.back().size()) * kLine - 1};
        for (const std::string& text : names.back())
          size.width = std::max(size.width, text_width(text, style::kTextSize) + 1);
        sizes.push_back(size);
      }
    }
    const Box area{out_.plot.x0 + 1, out_.plot.y0 + 1, out_.width - style::kPad, out_.plot.y1};
    const std::vector<PlacedLabel> placed = place_labels(at, sizes, style::kMarker, avoid, area);
    for (std::size_t i = 0; i < placed.size(); ++i) {
      if (names[i].front().empty()) continue;
      const Box& box = placed[i].box;
      const Align align = box.x1 <= at[i].first ? Align::kRight : box.x0 >= at[i].first ? Align::kLeft : Align::kCenter;
      const double x = align == Align::kRight  ? box.x1 - 0.5
                       : align == Align::kLeft ? box.x0 + 0.5
                                               : (box.x0 + box.x1) / 2;
      double y = (box.y0 + box.y1) / 2 + (static_cast<double>(names[i].size()) - 1) / 2 * kLine;
      if (placed[i].led) out_.strokes.push_back({placed[i].leader, style::kGuide, style::kGridWidth, "", false});
      for (const std::string& text : names[i]) {
        add(text, x, y, align, style::kTextSize, false, style::text_color(points[i]->tone));
        y -= kLine;
      }
    }
  }

  static constexpr double kLeaderRoom = 8;  // between plot and names, for the lines that lead to moved labels

  const Figure& f_;
  Layout out_;
  bool bars_ = false;
  double left_ = 0, right_ = 0;
  std::size_t row_lines_ = 1;
  std::vector<std::vector<std::string>> rows_, line_names_;
};

}  // namespace

Box Text::box() const {
  const double w = text_width(text, size, bold), h = size;  // ascenders to descenders, without leading
  const double left = align == Align::kLeft ? x : align == Align::kRight ? x - w : x - w / 2;
  return {left, y - h / 2, left + w, y + h / 2};
}

Layout lay_out(const Figure& figure) { return Builder(figure).build(); }

}  // namespace segue
