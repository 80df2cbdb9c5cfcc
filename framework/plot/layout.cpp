#include "framework/plot/layout.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/plot/layout_builder.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot {
namespace detail {
namespace {

template <class Visit>
void for_each_value(const Figure& figure, Visit visit) {
  for_each_layer<Bars>(figure, [&](const Bars& bars) {
    for (const Bar& bar : bars.bars) {
      for (const double v : {0.0, bar.value, bar.lo, bar.hi}) visit(v, kNotANumber);
    }
  });
  for_each_layer<Line>(figure, [&](const Line& line) {
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      if (line.guide) continue;  // guides follow the range, they do not make it
      visit(line.x[i], line.y[i]);
      if (!line.lo.empty()) visit(line.x[i], line.lo[i]), visit(line.x[i], line.hi[i]);
    }
  });
  for_each_layer<Points>(figure, [&](const Points& points) {
    for (const Point& point : points.points) {
      for (const double x : {point.x, point.lo, point.hi}) visit(x, point.y);
    }
  });
  for_each_layer<Strips>(figure, [&](const Strips& strips) {
    for (const Strip& s : strips.strips) {
      for (const double v : {s.p5, s.p25, s.p50, s.p75, s.p95, s.mean}) visit(v, kNotANumber);
    }
  });
}

std::string axis_title(const Axis& axis) {
  return axis.unit.empty() ? axis.label : axis.label + " (" + axis.unit + ")";
}

}  // namespace

double Lines::width(bool bold) const {
  double widest = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    widest = std::max(widest, text_width(text[i], size(i), bold && i < small_from));
  return widest;
}

double Lines::height() const {
  double sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) sum += leading(i);
  return sum;
}

void Builder::add(const std::string& text, double x, double y, Align align, double size, bool bold, const char* color) {
  if (!text.empty()) out_.texts.push_back({printable(text), x, y, align, size, bold, color});
}

void Builder::add(const Lines& lines, double x, double y, Align align, const char* color, bool bold) {
  y += lines.height() / 2;
  for (std::size_t i = 0; i < lines.text.size(); ++i) {
    const bool small = i >= lines.small_from;
    add(lines.text[i], x, y - lines.leading(i) / 2, align, lines.size(i), bold && !small,
        small ? style::kFaintText : color);
    y -= lines.leading(i);
  }
}

Layout Builder::build() {
  if (f_.layers.empty()) throw UsageError("figure '{}' shows nothing", f_.title);
  rows_ = !f_.y.categories.empty();
  bool curves = false, points = false;
  for_each_layer<Bars>(f_, [&](const Bars&) { bars_ = true; });
  for_each_layer<Line>(f_, [&](const Line& line) { curves = curves || !line.guide; });
  for_each_layer<Points>(f_, [&](const Points& layer) { points = points || layer.named; });
  scatter_ = points && !curves && !rows_;
  check_layers();
  out_.width = style::width(f_.size);
  out_.rows = f_.y.categories.size();
  fit_ranges();
  measure_right();
  measure_left();
  measure_free_labels();
  out_.plot.x0 = left_;
  out_.plot.x1 = out_.width - right_;
  stack_vertically();
  grid();
  rules();
  if (rows_)
    row_names();
  else
    numeric_y_ticks();
  bar_texts();
  for_each_layer<Cells>(f_, [&](const Cells& cells) { cell_texts(cells); });
  free_labels();
  line_names();
  point_names();
  return std::move(out_);
}

void Builder::check_layers() const {
  const std::size_t rows = f_.y.categories.size();
  const auto check_row = [&](std::size_t row, const char* what) {
    if (rows == 0) throw UsageError("{} of figure '{}' have no categories", what, f_.title);
    SEGUE_CHECK(row < rows, "{} in row {} of {}", what, row, rows);
  };
  if (bars_ && rows == 0) throw UsageError("bars of figure '{}' have no categories", f_.title);
  for_each_layer<Bars>(f_, [&](const Bars& layer) {
    for (const Bar& bar : layer.bars) check_row(bar.category, "bars");
  });
  for_each_layer<Strips>(f_, [&](const Strips& layer) {
    for (const Strip& strip : layer.strips) check_row(strip.category, "strips");
  });
  for_each_layer<Cells>(f_, [&](const Cells& layer) {
    for (const Cell& cell : layer.cells) {
      check_row(cell.category, "cells");
      SEGUE_CHECK(cell.shade < style::kShades.size(), "a cell of shade {}", cell.shade);
    }
  });
  for_each_layer<Line>(f_, [&](const Line& line) {
    const std::size_t n = line.x.size(), band = line.lo.size();
    SEGUE_CHECK(line.y.size() == n && line.hi.size() == band && (band == 0 || band == n),
                "line '{}' has columns of different lengths", line.label);
  });
}

void Builder::fit_ranges() {
  double x_lo = INFINITY, x_hi = -INFINITY, y_lo = INFINITY, y_hi = -INFINITY;
  for_each_value(f_, [&](double x, double y) {
    if (!usable(x, f_.x.scale) || (!rows_ && !usable(y, f_.y.scale))) return;
    x_lo = std::min(x_lo, x), x_hi = std::max(x_hi, x);
    if (!rows_) y_lo = std::min(y_lo, y), y_hi = std::max(y_hi, y);
  });
  bool marks = rows_ && !bars_;
  for_each_layer<Line>(f_, [&](const Line& line) { marks = marks || line.marks == Marks::kAll; });
  out_.x = fit_axis(f_.x, x_lo, x_hi, scatter_ ? 0.08 : marks ? 0.04 : 0);
  if (bars_ && x_lo == 0 && x_hi == 0 && !f_.x.range) out_.x.lo = 0, out_.x.hi = 1;
  if (rows_) {
    out_.y.lo = -0.5, out_.y.hi = static_cast<double>(out_.rows) - 0.5;
    return;
  }
  out_.y = fit_axis(f_.y, y_lo, y_hi, scatter_ ? 0.10 : 0.05);
  if (f_.y.hidden) return;
  const double tick_room = 22;
  if (f_.y.ticks.empty()) {
    set_ticks(out_.y, static_cast<std::size_t>(style::plot_height(f_.size) / tick_room), false);
  } else {
    for (const Tick& tick : f_.y.ticks) out_.y.major.push_back(tick.at);
  }
}

void Builder::measure_free_labels() {
  for_each_layer<Labels>(f_, [&](const Labels& labels) {
    for (const Label& label : labels.labels) {
      const double size = label.small ? style::kSmallSize : style::kTextSize;
      if (label.y == kEdge) label_room_ = kLine;
      if (std::isfinite(label.x)) continue;
      const double most = out_.width * kLabelWidth, detail = text_width(label.detail, style::kSmallSize) + 2;
      const double need =
          style::kPad + style::kGap + (label.detail.empty() ? 0 : detail) +
          (label.small ? text_width(label.text, size) : name_lines(label.text, most, false, label.lines).width());
      const bool outside = label.x == (label.align == Align::kRight ? -kEdge : kEdge);
      if (outside) (label.x > 0 ? right_ : left_) = std::max(label.x > 0 ? right_ : left_, need);
    }
  });
}

double Builder::row_height() const {
  double text = 0;
  for (const Lines& lines : row_lines_) text = std::max(text, lines.height());
  bool named = false, cells = false;
  for_each_layer<Points>(f_, [&](const Points& points) { named = named || points.named; });
  for_each_layer<Cells>(f_, [&](const Cells&) { cells = true; });
  if (cells) return std::max(text + 2, kLine + kSmallLine + 1.5);
  if (f_.slots == 0) return text + 3;
  return std::max(text + 3, static_cast<double>(f_.slots) * (named ? kSmallLine : style::kSlot) + 6);
}

double Builder::plot_height() const {
  if (f_.lines > 0) return f_.lines * kLine;
  if (rows_) return row_height() * static_cast<double>(out_.rows);
  double legend = 0;
  if (f_.names == Names::kInLegend) {
    for (const Lines& name : line_lines_) legend += name.height() + 2;
  }
  return std::max(style::plot_height(f_.size), legend);
}

// Heights from the bottom up: note, axis title, tick texts, plot, title of the y axis, key, title.
void Builder::stack_vertically() {
  const double inner = out_.width - 2 * style::kPad, middle = (out_.plot.x0 + out_.plot.x1) / 2;
  double y = style::kPad;
  const auto paragraph = [&](const std::string& text, double size, std::size_t most, bool bold, const char* color) {
    const std::vector<std::string> lines = wrap_text(text, inner, size, most, bold);
    const double leading = size * style::kLeading;
    for (std::size_t i = lines.size(); i-- > 0; y += leading)
      add(lines[i], style::kPad, y + leading / 2, Align::kLeft, size, bold, color);
  };
  if (!f_.note.empty()) {
    paragraph(f_.note, style::kSmallSize, 6, false, style::kFaintText);
    y += 2;
  }
  if (const std::string title = axis_title(f_.x); !title.empty()) {
    const std::vector<std::string> lines = wrap_text(title, inner, style::kTextSize, 2);
    for (std::size_t i = lines.size(); i-- > 0; y += kLine) {
      const double half = text_width(lines[i], style::kTextSize) / 2;
      add(lines[i],
          std::clamp(middle, style::kPad + half, std::max(style::kPad + half, out_.width - style::kPad - half)),
          y + kLine / 2, Align::kCenter);
    }
    y += 2;
  }
  if (!f_.x.hidden) y = stack_x_ticks(y);
  out_.plot.y0 = y;
  out_.plot.y1 = y += plot_height();
  y += style::kGap + label_room_;
  if (const std::string title = axis_title(f_.y); !rows_ && !title.empty())
    paragraph(title, style::kTextSize, 2, false, style::kText);
  if (!f_.key.empty()) y = stack_key(y + 1);
  if (!f_.title.empty()) {
    y += 2;
    paragraph(f_.title, style::kTitleSize, 2, true, style::kText);
  }
  out_.height = y + style::kPad;
}

double Builder::stack_x_ticks(double y) {
  const double span = out_.plot.x1 - out_.plot.x0;
  std::vector<Lines> texts;
  if (f_.x.ticks.empty()) {
    const bool whole = !rows_ && f_.x.unit.empty() && !out_.x.logarithmic;
    set_ticks(out_.x, static_cast<std::size_t>(std::max(2.0, span / 27)), whole);
    for (std::string& text : tick_texts(out_.x.major, out_.x.logarithmic)) texts.push_back({{std::move(text)}});
  } else {
    texts = own_x_ticks(span);
  }
  double tallest = 0;
  for (const Lines& lines : texts) tallest = std::max(tallest, lines.height());
  for (std::size_t i = 0; i < texts.size(); ++i)
    add(texts[i], out_.x_at(out_.x.major[i]), y + tallest - texts[i].height() / 2, Align::kCenter, style::kText);
  return y + tallest + style::kGap;
}

// The figure's own ticks. Names get as many lines as they need; numbers that do not fit lose their text: every second,
// third, ... of even steps stays, and of uneven ones whatever has room.
std::vector<Lines> Builder::own_x_ticks(double span) {
  const std::vector<Tick>& ticks = f_.x.ticks;
  std::vector<double> at;
  std::vector<Lines> texts, shown;
  double slot = span;
  for (const Tick& tick : ticks) at.push_back(out_.x_at(tick.at));
  for (std::size_t i = 1; i < at.size(); ++i) slot = std::min(slot, at[i] - at[i - 1]);
  for (const Tick& tick : ticks) {
    Lines lines{{printable(tick.text)}};
    if (f_.x.names && lines.width() > slot - 3) {
      lines.text = wrap_text(tick.text, slot - 3, style::kTextSize, 2);
      if (lines.text.size() > 1) lines = {wrap_text(tick.text, slot - 3, style::kSmallSize, 3), 0};
    }
    texts.push_back(std::move(lines));
  }
  const auto keep = [&](std::size_t every) {
    std::vector<std::size_t> kept;
    double taken = 0;
    bool all = true;
    for (std::size_t i = 0; i < ticks.size(); i += every) {
      const double half = texts[i].width() / 2;
      const bool fits = at[i] - half >= taken && at[i] + half <= out_.width - 1;
      if (fits) taken = at[i] + half + 2, kept.push_back(i);
      all = all && fits;
    }
    return std::pair(kept, all);
  };
  bool even = true;
  for (std::size_t i = 2; i < at.size(); ++i)
    even = even && std::abs((at[i] - at[i - 1]) - (at[1] - at[0])) < 0.01 * slot;
  auto [kept, all] = keep(1);
  for (std::size_t every = 2; even && !all && every < ticks.size(); ++every) {
    if (const auto [fewer, fit] = keep(every); fit) kept = fewer, all = true;
  }
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const bool is_shown = f_.x.names || std::find(kept.begin(), kept.end(), i) != kept.end();
    (is_shown ? out_.x.major : out_.x.minor).push_back(ticks[i].at);
    if (is_shown) shown.push_back(std::move(texts[i]));
  }
  return shown;
}

// Samples with their meanings, in as many lines as they need, first ones on top.
double Builder::stack_key(double y) {
  const double gap = 9, inner = out_.width - 2 * style::kPad;
  const auto diameter = [](const KeyEntry& entry) { return entry.shade ? 6.0 : style::kMarker * entry.diameter; };
  std::vector<std::vector<double>> rows(1);  // the left ends
  std::vector<std::string> texts;
  double x = 0;
  for (const KeyEntry& entry : f_.key) {
    texts.push_back(wrap_text(entry.text, inner - 20, style::kSmallSize, 1).front());
    const double width = (diameter(entry) > 0 ? diameter(entry) + 3 : 0) + text_width(texts.back(), style::kSmallSize);
    if (x > 0 && x + width > inner) rows.emplace_back(), x = 0;
    rows.back().push_back(x);
    x += width + gap;
  }
  double leading = kSmallLine;
  for (const KeyEntry& entry : f_.key) leading = std::max(leading, diameter(entry) + 2);
  std::size_t i = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double middle = y + (static_cast<double>(rows.size() - 1 - row) + 0.5) * leading;
    for (const double begin : rows[row]) {
      const KeyEntry& entry = f_.key[i];
      const double d = diameter(entry), left = style::kPad + begin;
      const std::size_t series = entry.series.value_or(0);
      if (d > 0)
        out_.samples.push_back({left + d / 2, middle,
                                entry.shade    ? 0
                                : entry.series ? style::mark(series)
                                               : style::kRing,
                                d,
                                entry.shade    ? style::kShades[*entry.shade]
                                : entry.series ? style::kPalette[series % style::kPalette.size()]
                                               : style::kText});
      add(texts[i], left + (d > 0 ? d + 3 : 0), middle, Align::kLeft, style::kSmallSize);
      ++i;
    }
  }
  return y + static_cast<double>(rows.size()) * leading + 1;
}

// Lines across the values; those of bars leave the headings' rows free. Scatter plots have none: they would strike
// labels out.
void Builder::grid() {
  if (rows_) return row_grid();
  if (scatter_ || f_.y.hidden) return;
  for (const double v : out_.y.major)
    out_.strokes.push_back(
        {{out_.plot.x0, out_.y_at(v), out_.plot.x1, out_.y_at(v)}, style::kGrid, style::kGridWidth, "", true});
}

void Builder::row_grid() {
  for (std::size_t first = 0; first < out_.rows && !f_.x.hidden; ++first) {
    if (f_.y.categories[first].heading) continue;
    std::size_t last = first;
    while (last + 1 < out_.rows && !f_.y.categories[last + 1].heading) ++last;
    const double top = out_.y_at(static_cast<double>(first) - 0.5), bottom = out_.y_at(static_cast<double>(last) + 0.5);
    for (const double v : out_.x.major)
      out_.strokes.push_back({{out_.x_at(v), bottom, out_.x_at(v), top}, style::kGrid, style::kGridWidth, "", true});
    for (std::size_t row = first; row < last && f_.slots > 1; ++row) {
      const double y = out_.y_at(static_cast<double>(row) + 0.5);
      out_.strokes.push_back({{style::kPad, y, out_.plot.x1, y}, style::kGuide, style::kGridWidth, "", true});
    }
    const double zero = out_.x_at(std::clamp(0.0, out_.x.lo, out_.x.hi));
    out_.strokes.push_back({{zero, bottom, zero, top}, style::kAxis, style::kAxisWidth, "", false});
    first = last;
  }
}

double Builder::free_x(double value) const {
  return std::isfinite(value) ? out_.x_at(value) : value < 0 ? out_.plot.x0 : out_.plot.x1;
}
double Builder::free_y(double value) const {
  return std::isfinite(value) ? out_.y_at(value) : value < 0 ? out_.plot.y0 : out_.plot.y1;
}

void Builder::rules() {
  for_each_layer<Rules>(f_, [&](const Rules& rules) {
    for (const Rule& rule : rules.rules) {
      const char* color = rule.weight == Weight::kHeavy  ? style::kText
                          : rule.weight == Weight::kAxis ? style::kAxis
                                                         : style::kGuide;
      out_.strokes.push_back({{free_x(rule.x0), free_y(rule.y0), free_x(rule.x1), free_y(rule.y1)},
                              color,
                              style::rule_width(rule.weight),
                              rule.dashed ? "(6,4)" : "",
                              true});
    }
  });
}

}  // namespace detail

Box Text::box() const {
  const double w = text_width(text, size, bold), h = size;  // ascenders to descenders, without leading
  const double left = align == Align::kLeft ? x : align == Align::kRight ? x - w : x - w / 2;
  return {left, y - h / 2, left + w, y + h / 2};
}

Layout lay_out(const Figure& figure) {
  detail::Builder builder(figure);
  Layout layout = builder.build();
  if (!builder.crowded()) return layout;
  Figure with_legend = figure;
  with_legend.names = Names::kInLegend;
  return detail::Builder(with_legend).build();
}

}  // namespace segue::plot
