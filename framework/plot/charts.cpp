#include "framework/plot/charts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

constexpr std::size_t kDirectLabels = 6;  // more names at line ends become a tangle

std::string better(Direction direction) {
  return direction == Direction::kHigherIsBetter ? "higher is better" : "lower is better";
}

bool beats(double a, double b, Direction direction) { return direction == Direction::kHigherIsBetter ? a > b : a < b; }

// Four decimals as in most tables; fewer for large numbers, more where four would say 0.
int decimals_for(const std::vector<MetricBarGroup>& groups) {
  double largest = 0;
  for (const MetricBarGroup& group : groups) {
    for (const MetricBar& bar : group.bars)
      largest = std::isfinite(bar.mean) ? std::max(largest, std::abs(bar.mean)) : largest;
  }
  if (largest == 0) return 4;
  const int magnitude = static_cast<int>(std::floor(std::log10(largest)));
  return magnitude < -2 ? std::min(9, 2 - magnitude) : std::clamp(3 - magnitude, 0, 4);
}

std::string metric_title(const std::string& metric, Direction direction) {
  return fmt::format("{}, {}", metric, better(direction));
}

bool is_failed(const MetricBar& bar) { return bar.failed || !std::isfinite(bar.mean); }

}  // namespace

Figure metric_bars(const std::vector<MetricBarGroup>& groups, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  Bars bars;
  if (groups.empty()) throw UsageError("a bar chart needs at least one group of bars");
  const MetricBarGroup& first = groups.front();
  figure.x.label = metric_title(first.metric, first.direction);
  figure.x.unit = first.unit;
  figure.description = fmt::format("Bar chart of {} ({}).", first.metric, better(first.direction));
  const int decimals = decimals_for(groups);
  std::string interval;
  for (const MetricBarGroup& group : groups) {
    if (group.metric != first.metric || group.direction != first.direction || group.unit != first.unit)
      throw UsageError("one bar chart cannot show both '{}' and '{}'", first.metric, group.metric);
    if (group.bars.empty())
      throw UsageError("'{}' has no bars{}", group.metric,
                       group.heading.empty() ? "" : " under '" + group.heading + "'");
    if (groups.size() > 1) {
      figure.y.categories.push_back({group.heading, Tone::kPlain, true});
      figure.description += fmt::format(" {}:", group.heading);
    }
    std::vector<const MetricBar*> sorted;
    for (const MetricBar& bar : group.bars) sorted.push_back(&bar);
    std::stable_sort(sorted.begin(), sorted.end(), [&](const MetricBar* a, const MetricBar* b) {
      if (is_failed(*a) || is_failed(*b)) return !is_failed(*a) && is_failed(*b);
      return beats(a->mean, b->mean, group.direction);
    });
    for (const MetricBar* bar : sorted) {
      const bool failed = is_failed(*bar);
      const Tone tone = failed ? Tone::kFailed : bar->mean == sorted.front()->mean ? Tone::kBest : Tone::kPlain;
      std::string text = !failed ? fmt::format("{:.{}f}", bar->mean, decimals) : bar->failed ? "failed" : "no value";
      if (text[0] == '-') text.replace(0, 1, "−");
      bars.bars.push_back(
          {figure.y.categories.size(), failed ? kNotANumber : bar->mean, kNotANumber, kNotANumber, text, tone});
      if (!failed && std::isfinite(bar->lo) && std::isfinite(bar->hi)) {
        bars.bars.back().lo = bar->lo, bars.bars.back().hi = bar->hi;
        if (!group.interval.empty()) interval = group.interval;
      }
      figure.y.categories.push_back({bar->label, tone});
      figure.description += fmt::format(" {} {};", bar->label, text);
    }
  }
  figure.description.back() = '.';
  if (!interval.empty()) figure.note = "Whiskers: " + interval + ".";
  figure.layers.emplace_back(std::move(bars));
  return figure;
}

Figure learning_curves(const std::vector<LearningCurve>& curves, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  figure.x.label = "Epoch";
  if (curves.empty()) throw UsageError("a figure of learning curves needs at least one curve");
  std::vector<std::string> series;
  std::size_t drawn = 0;
  for (const LearningCurve& curve : curves) {
    const std::size_t n = curve.epochs.size();
    if (curve.values.size() != n || curve.lo.size() != curve.hi.size() || (!curve.lo.empty() && curve.lo.size() != n))
      throw UsageError("learning curve '{}' has {} epochs but {} values and bands of {} and {}", curve.label, n,
                       curve.values.size(), curve.lo.size(), curve.hi.size());
    if (curve.unit != curves.front().unit)
      throw UsageError("learning curves in '{}' and in '{}' cannot share an axis", curves.front().unit, curve.unit);
    if (std::find(series.begin(), series.end(), curve.series) == series.end()) series.push_back(curve.series);
    drawn += std::any_of(curve.values.begin(), curve.values.end(), [](double v) { return std::isfinite(v); }) ? 1 : 0;
  }
  if (drawn == 0) throw UsageError("no learning curve has a value");
  figure.y.label = fmt::format("{}", fmt::join(series, ", "));
  figure.y.unit = curves.front().unit;
  figure.legend = drawn > kDirectLabels;
  figure.description = fmt::format("Learning curves of {} by epoch.", figure.y.label);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const LearningCurve& curve = curves[i];
    std::string label = curve.label;
    if (series.size() > 1) label += (label.empty() ? "" : ", ") + curve.series;
    double last = kNotANumber, epoch = kNotANumber;
    for (std::size_t j = 0; j < curve.values.size(); ++j) {
      if (std::isfinite(curve.values[j])) last = curve.values[j], epoch = curve.epochs[j];
    }
    if (!std::isfinite(last)) {
      figure.note += (figure.note.empty() ? "Without values: " : ", ") + label;
      continue;
    }
    figure.description += fmt::format(" {} ends at {:.6g} in epoch {:g}.", label, last, epoch);
    figure.layers.emplace_back(Line{label, curve.epochs, curve.values, curve.lo, curve.hi, i, false});
  }
  if (!figure.note.empty()) figure.note += ".";
  return figure;
}

std::vector<bool> pareto_front(const std::vector<AccuracyLatencyPoint>& points, Direction direction) {
  std::vector<bool> front;
  for (const AccuracyLatencyPoint& p : points) {
    front.push_back(std::none_of(points.begin(), points.end(), [&](const AccuracyLatencyPoint& q) {
      return q.latency_us <= p.latency_us && !beats(p.mean, q.mean, direction) &&
             (q.latency_us < p.latency_us || beats(q.mean, p.mean, direction));
    }));
  }
  return front;
}

Figure accuracy_latency(const AccuracyLatency& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  figure.x = {data.latency, "µs", AxisScale::kLog, std::nullopt, {}};
  figure.y.label = metric_title(data.metric, data.direction);
  figure.y.unit = data.unit;
  std::vector<AccuracyLatencyPoint> points;
  std::string missing;
  for (const AccuracyLatencyPoint& point : data.points) {
    if (std::isfinite(point.mean) && std::isfinite(point.latency_us) && point.latency_us > 0)
      points.push_back(point);
    else
      missing += (missing.empty() ? "" : ", ") + point.label;
  }
  if (points.empty()) throw UsageError("no system has both {} and a latency", data.metric);
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.latency_us < b.latency_us; });
  const std::vector<bool> front = pareto_front(points, data.direction);
  figure.description =
      fmt::format("Scatter of {} ({}) against {} in microseconds.", data.metric, better(data.direction), data.latency);
  Points strong, faint;
  Line line;
  line.guide = true;
  for (std::size_t i = 0; i < points.size(); ++i) {
    (front[i] ? strong : faint)
        .points.push_back(
            {points[i].latency_us, points[i].mean, points[i].label, front[i] ? Tone::kBest : Tone::kFaint});
    figure.description += fmt::format(" {} {:.4g} at {:.4g}{};", points[i].label, points[i].mean, points[i].latency_us,
                                      front[i] ? ", on the Pareto front" : "");
    if (!front[i]) continue;
    if (!line.y.empty())
      line.x.push_back(points[i].latency_us), line.y.push_back(line.y.back());  // a step: the best one can have so far
    line.x.push_back(points[i].latency_us), line.y.push_back(points[i].mean);
  }
  figure.description.back() = '.';
  figure.note = "Blue: Pareto front; no other system is both faster and better.";
  if (!missing.empty()) figure.note += " Not shown, for want of a value: " + missing + ".";
  figure.layers.emplace_back(std::move(line));
  if (!faint.points.empty()) figure.layers.emplace_back(std::move(faint));
  figure.layers.emplace_back(std::move(strong));
  return figure;
}

}  // namespace segue
