#include <algorithm>
#include <cmath>

#include "framework/plot/layout_builder.hpp"
#include "framework/plot/text.hpp"

namespace segue::plot::detail {
namespace {

const char* series_text(std::size_t series) { return style::kTextPalette[series % style::kTextPalette.size()]; }

constexpr double kPointLabelWidth = 0.34;  // of the figure that the name of a point may take

double mark_size(const Point& point) { return style::kMarker * point.diameter; }

}  // namespace

Lines name_lines(const std::string& name, double most, bool bold, std::size_t most_lines) {
  const std::size_t space = name.find(' ');
  if (space != std::string::npos && text_width(name, style::kTextSize, bold) > most) {
    const std::string head = printable(name.substr(0, space)), tail = printable(name.substr(space + 1));
    const bool tail_fits = text_width(tail, style::kSmallSize) <= most;
    if (text_width(head, style::kTextSize, bold) <= most && (most_lines > 2 || (most_lines == 2 && tail_fits))) {
      std::vector<std::string> lines = wrap_text(tail, most, style::kSmallSize, most_lines - 1);
      lines.insert(lines.begin(), head);
      return {lines, 1};
    }
  }
  return {wrap_text(name, most, style::kTextSize, most_lines, bold), 1};
}

void Builder::measure_left() {
  if (!rows_) {
    std::vector<std::string> texts = tick_texts(out_.y.major, out_.y.logarithmic);
    for (std::size_t i = 0; i < f_.y.ticks.size(); ++i) texts[i] = f_.y.ticks[i].text;
    for (const std::string& text : texts) left_ = std::max(left_, text_width(text, style::kTextSize));
    left_ += style::kPad + (left_ > 0 ? style::kGap : 0);
    return;
  }
  const double most = out_.width * style::kLabelShare;
  std::size_t most_lines = f_.slots > 1 ? 3 : 2;
  for_each_layer<Cells>(f_, [&](const Cells&) { most_lines = 3; });
  for (const Category& category : f_.y.categories) {
    const bool bold = category.heading || category.tone == Tone::kBest;
    Lines lines = category.heading
                      ? Lines{wrap_text(category.text, out_.width - 2 * style::kPad, style::kTextSize, 1, true)}
                      : name_lines(category.text, most, bold, most_lines);
    if (!category.detail.empty()) {
      lines.small_from = lines.text.size();
      lines.text.push_back(wrap_text(category.detail, most, style::kSmallSize, 1).front());
    }
    const double inside = std::isfinite(category.until) ? (category.until - out_.x.lo) / (out_.x.hi - out_.x.lo) : 0;
    const double free = out_.width - right_;  // a name that reaches into the plot leaves the rest to the margin
    if (!category.heading)
      left_ = std::max(left_, (lines.width(bold) + style::kPad + style::kGap - inside * free) / (1 - inside));
    row_lines_.push_back(std::move(lines));
  }
}

void Builder::measure_right() {
  right_ = style::kPad + 4;
  const auto beside = [&](const std::string& text, double size, bool bold) {
    right_ = std::max(right_, style::kPad + style::kGap + text_width(printable(text), size, bold));
  };
  for_each_layer<Bars>(f_, [&](const Bars& bars) {
    for (const Bar& bar : bars.bars) beside(bar.text, style::kTextSize, bar.tone == Tone::kBest);
  });
  for_each_layer<Strips>(f_, [&](const Strips& strips) {
    for (const Strip& strip : strips.strips) beside(strip.text, style::kSmallSize, false);
  });
  for_each_layer<Points>(f_, [&](const Points& points) {
    for (const Point& point : points.points) {
      if (rows_ && points.named) beside(point.label, style::kSmallSize, false);
    }
  });
  double widest = 0;
  for_each_layer<Line>(f_, [&](const Line& line) {
    if (line.label.empty()) return;
    line_lines_.push_back({wrap_text(line.label, out_.width * style::kLabelShare, style::kTextSize, 2)});
    widest = std::max(widest, line_lines_.back().width());
  });
  if (widest > 0 && f_.names != Names::kAlongLines)
    right_ = style::kPad + widest + kLeaderRoom + (f_.names == Names::kInLegend ? kSampleLength + style::kGap : 0);
}

void Builder::numeric_y_ticks() {
  if (f_.y.hidden) return;
  const std::vector<std::string> texts = tick_texts(out_.y.major, out_.y.logarithmic);
  for (std::size_t i = 0; i < texts.size(); ++i)
    add(f_.y.ticks.empty() ? texts[i] : f_.y.ticks[i].text, out_.plot.x0 - style::kGap, out_.y_at(out_.y.major[i]),
        Align::kRight);
}

void Builder::row_names() {
  for (std::size_t row = 0; row < row_lines_.size(); ++row) {
    const Category& category = f_.y.categories[row];
    const double y = out_.y_at(static_cast<double>(row));
    if (category.heading)
      add(row_lines_[row], style::kPad, y, Align::kLeft, style::kText, true);
    else
      add(row_lines_[row], free_x(category.until) - style::kGap, y, Align::kRight,
          category.tone == Tone::kFailed ? style::kFaintText : style::kText, category.tone == Tone::kBest);
  }
}

void Builder::bar_texts() {
  for_each_layer<Bars>(f_, [&](const Bars& bars) {
    for (const Bar& bar : bars.bars) {
      double end = std::max(0.0, out_.x.lo);
      for (const double v : {bar.value, bar.hi}) end = std::isfinite(v) ? std::max(end, v) : end;
      add(bar.text, out_.x_at(std::min(end, out_.x.hi)) + style::kGap, out_.y_at(static_cast<double>(bar.category)),
          Align::kLeft, style::kTextSize, bar.tone == Tone::kBest, style::text_color(bar.tone));
    }
  });
  for_each_layer<Strips>(f_, [&](const Strips& strips) {
    for (const Strip& strip : strips.strips)
      add(strip.text, out_.width - style::kPad, out_.y_at(static_cast<double>(strip.category)), Align::kRight,
          style::kSmallSize, false, style::text_color(strip.tone));
  });
  for_each_layer<Points>(f_, [&](const Points& points) {
    if (rows_ && points.named) row_point_names(points);
  });
}

// Right of the mark or its interval; what has no value is said at the left end.
void Builder::row_point_names(const Points& points) {
  for (const Point& point : points.points) {
    double end = usable(point.x, f_.x.scale) ? out_.x_at(point.x) + style::kMarker / 2 : out_.plot.x0;
    if (std::isfinite(point.lo) && std::isfinite(point.hi)) end = std::max(end, out_.x_at(point.hi));
    add(point.label, end + style::kGap - 1, out_.y_at(point.y), Align::kLeft, style::kSmallSize, false,
        point.series ? series_text(*point.series) : style::text_color(point.tone));
  }
}

void Builder::cell_texts(const Cells& cells) {
  if (cells.cells.empty()) return;
  const double room = out_.x_at(1) - out_.x_at(0) - style::kCellGap - 1.5;
  for (const Cell& cell : cells.cells) {
    const double x = out_.x_at(static_cast<double>(cell.column)), y = out_.y_at(static_cast<double>(cell.category));
    std::string text = cell.text;
    if (text_width(text, style::kSmallSize) > room) text = cell.brief;
    if (text_width(text, style::kSmallSize) > room) text.clear();
    const double up = text.empty() ? 0 : kSmallLine / 2 + 0.3;
    add(cell.mark, x, y + up, Align::kCenter, style::kSmallSize);
    add(text, x, cell.mark.empty() ? y : y - up, Align::kCenter, style::kSmallSize, false, style::kText);
  }
}

void Builder::free_labels() {
  for_each_layer<Labels>(f_, [&](const Labels& labels) {
    for (const Label& label : labels.labels) {
      const bool outside =
          !std::isfinite(label.x) && (label.align == Align::kRight) == (label.x < 0) && label.align != Align::kCenter;
      Lines lines = label.small ? Lines{{printable(label.text)}, 0}
                                : name_lines(label.text, out_.width * kLabelWidth, false, label.lines);
      double x = free_x(label.x);
      const double y = label.y == kEdge ? out_.plot.y1 + style::kGap / 2 + kLine / 2 : free_y(label.y);
      if (outside) {
        const double away = label.align == Align::kRight ? -1 : 1;
        x += away * style::kGap;
        if (!label.detail.empty()) {
          add(label.detail, x, y, label.align, style::kSmallSize, false, style::kFaintText);
          x += away * (text_width(label.detail, style::kSmallSize) + 2);
        }
      } else if (!std::isfinite(label.x)) {
        x += label.x < 0 ? 2 : -2;
      }
      const double w = lines.width();
      const double before = label.align == Align::kLeft ? 0 : label.align == Align::kRight ? w : w / 2;
      x = std::clamp(x, style::kPad + before, std::max(style::kPad + before, out_.width - style::kPad - (w - before)));
      add(lines, x, y, label.align, style::kText);
    }
  });
}

void Builder::line_names() {
  std::vector<const Line*> lines;
  for_each_layer<Line>(f_, [&](const Line& line) {
    if (!line.label.empty()) lines.push_back(&line);
  });
  if (lines.empty()) return;
  if (f_.names == Names::kAlongLines)
    line_names_along(lines);
  else
    line_names_at_right(lines);
}

// At the line ends, moved apart; or a legend, best last value on top.
void Builder::line_names_at_right(const std::vector<const Line*>& lines) {
  const bool legend = f_.names == Names::kInLegend;
  std::vector<double> wanted, heights, end_x;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    double x = kNotANumber, y = out_.y.lo;
    for (std::size_t j = 0; j < lines[i]->y.size(); ++j) {
      if (usable(lines[i]->y[j], f_.y.scale)) x = lines[i]->x[j], y = lines[i]->y[j];
    }
    wanted.push_back(out_.y_at(y));
    end_x.push_back(std::isfinite(x) ? out_.x_at(x) : kNotANumber);
    heights.push_back(line_lines_[i].height() + (legend ? 2 : 0.5));
  }
  std::vector<double> centres;
  if (legend) {  // from the top of the plot downwards
    std::vector<std::size_t> order(wanted.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] > wanted[b]; });
    centres.resize(wanted.size());
    double y = out_.plot.y1;
    for (const std::size_t i : order) centres[i] = y - heights[i] / 2, y -= heights[i];
  } else {
    centres = spread(wanted, heights, out_.plot.y0 - kLine / 2, out_.plot.y1 + kLine / 2);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char* color = style::kPalette[lines[i]->color % style::kPalette.size()];
    double x = out_.plot.x1 + kLeaderRoom;
    if (legend) {
      const char* dash = style::kDashes[lines[i]->color / style::kPalette.size() % style::kDashes.size()];
      if (lines[i]->connected)
        out_.strokes.push_back({{x, centres[i], x + kSampleLength, centres[i]}, color, style::kLineWidth, dash, false});
      if (lines[i]->marks != Marks::kLast)
        out_.samples.push_back(
            {x + kSampleLength / 2, centres[i], style::mark(lines[i]->color), style::kMarker * 0.8, color});
      x += kSampleLength + style::kGap;
    } else if (std::isfinite(end_x[i])) {
      const double knee = out_.plot.x1 + 2;
      if (end_x[i] < out_.plot.x1 - 1)
        out_.strokes.push_back(
            {{end_x[i] + style::kMarker / 2, wanted[i], knee, wanted[i]}, color, style::kGridWidth, "(2,3)", false});
      if (std::abs(centres[i] - wanted[i]) > 1 || end_x[i] < out_.plot.x1 - 1)
        out_.strokes.push_back({{knee, wanted[i], x - 1.5, centres[i]}, color, style::kGridWidth, "", false});
    }
    add(line_lines_[i], x, centres[i], Align::kLeft, legend ? style::kText : series_text(lines[i]->color));
  }
}

void Builder::line_names_along(const std::vector<const Line*>& lines) {
  std::vector<std::vector<std::pair<double, double>>> curves;
  std::vector<LabelSize> sizes;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::pair<double, double>> curve;
    for (std::size_t j = 0; j < lines[i]->x.size(); ++j) {
      if (usable(lines[i]->x[j], f_.x.scale) && usable(lines[i]->y[j], f_.y.scale))
        curve.emplace_back(out_.x_at(lines[i]->x[j]), out_.y_at(lines[i]->y[j]));
    }
    if (curve.empty()) continue;
    curves.push_back(std::move(curve));
    sizes.push_back({line_lines_[i].width() + 2, line_lines_[i].height()});
    shown.push_back(i);
  }
  std::vector<Box> taken;  // texts, guide lines, and marks of all sizes
  for (const Text& text : out_.texts) taken.push_back(text.box());
  for_each_layer<Rules>(f_, [&](const Rules& rules) {
    for (const Rule& rule : rules.rules) {
      const double x0 = free_x(rule.x0), x1 = free_x(rule.x1), y0 = free_y(rule.y0), y1 = free_y(rule.y1);
      taken.push_back({std::min(x0, x1) - 0.5, std::min(y0, y1) - 0.5, std::max(x0, x1) + 0.5, std::max(y0, y1) + 0.5});
    }
  });
  for_each_layer<Points>(f_, [&](const Points& points) {
    for (const Point& point : points.points) {
      const double x = out_.x_at(point.x), y = out_.y_at(point.y), r = mark_size(point) / 2 + 0.5;
      taken.push_back({x - r, y - r, x + r, y + r});
    }
  });
  const Box area{out_.plot.x0 + 1, out_.plot.y0 + 1, out_.width - style::kPad, out_.plot.y1};
  const std::vector<PlacedLabel> placed = place_along(curves, sizes, taken, area);
  for (std::size_t k = 0; k < placed.size(); ++k) {
    const std::size_t series = lines[shown[k]]->color;
    const Box& box = placed[k].box;
    crowded_ = crowded_ || placed[k].crowded;
    if (placed[k].led)
      out_.strokes.push_back(
          {placed[k].leader, style::kPalette[series % style::kPalette.size()], style::kGridWidth, "", false});
    add(line_lines_[shown[k]], (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, Align::kCenter, series_text(series));
  }
}

void Builder::point_names() {
  if (rows_) return;
  std::vector<std::pair<double, double>> at;
  std::vector<LabelSize> sizes;
  std::vector<const Point*> points;
  std::vector<Lines> names;
  std::vector<Segment> avoid;
  for (const Layer& layer : f_.layers) {
    if (const auto* line = std::get_if<Line>(&layer)) {
      for (std::size_t i = 1; i < line->x.size(); ++i)
        avoid.push_back(
            {out_.x_at(line->x[i - 1]), out_.y_at(line->y[i - 1]), out_.x_at(line->x[i]), out_.y_at(line->y[i])});
    }
    const auto* layer_points = std::get_if<Points>(&layer);
    if (layer_points == nullptr || !layer_points->named) continue;
    for (const Point& point : layer_points->points) {
      if (!usable(point.x, f_.x.scale) || !usable(point.y, f_.y.scale)) continue;
      points.push_back(&point);
      at.emplace_back(out_.x_at(point.x), out_.y_at(point.y));
      Lines name = name_lines(point.label, out_.width * kPointLabelWidth, false, 3);
      if (!point.detail.empty()) {
        name.small_from = std::min(name.small_from, name.text.size());
        name.text.push_back(wrap_text(point.detail, out_.width * kPointLabelWidth, style::kSmallSize, 1).front());
      }
      sizes.push_back({name.width() + 1, name.height() - 1, mark_size(point)});
      names.push_back(std::move(name));
    }
  }
  const Box area{out_.plot.x0 + 1, out_.plot.y0 + 1, out_.width - style::kPad, out_.plot.y1};
  const std::vector<PlacedLabel> placed = place_labels(at, sizes, style::kMarker, avoid, area);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    if (names[i].text.front().empty()) continue;
    const Box& box = placed[i].box;
    const Align align = box.x1 <= at[i].first ? Align::kRight : box.x0 >= at[i].first ? Align::kLeft : Align::kCenter;
    const double x = align == Align::kRight  ? box.x1 - 0.5
                     : align == Align::kLeft ? box.x0 + 0.5
                                             : (box.x0 + box.x1) / 2;
    if (placed[i].led) out_.strokes.push_back({placed[i].leader, style::kGuide, style::kGridWidth, "", false});
    add(names[i], x, (box.y0 + box.y1) / 2, align, style::text_color(points[i]->tone));
  }
}

}  // namespace segue::plot::detail
