#include "framework/plot/charts_cost.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue::plot {

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
  std::vector<std::string> missing;
  for (const AccuracyLatencyPoint& point : data.points) {
    if (std::isfinite(point.mean) && std::isfinite(point.latency_us) && point.latency_us > 0)
      points.push_back(point);
    else
      missing.push_back(point.label);
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
  add_missing(figure.note, "Not shown, for want of a value", missing);
  figure.layers.emplace_back(std::move(line));
  if (!faint.points.empty()) figure.layers.emplace_back(std::move(faint));
  figure.layers.emplace_back(std::move(strong));
  return figure;
}

std::vector<bool> pareto_front(const std::vector<AccuracyCostPoint>& points, Direction direction) {
  std::vector<bool> front;
  for (const AccuracyCostPoint& p : points) {
    front.push_back(std::none_of(points.begin(), points.end(), [&](const AccuracyCostPoint& q) {
      return q.latency_us <= p.latency_us && q.memory <= p.memory && !beats(p.mean, q.mean, direction) &&
             (q.latency_us < p.latency_us || q.memory < p.memory || beats(q.mean, p.mean, direction));
    }));
  }
  return front;
}

namespace {

constexpr double kSmallest = 0.8, kLargest = 2.4;  // marks, in usual diameters

// Diameters over the decades that the data touch.
struct Sizes {
  int first = 0, last = 0;  // powers of ten
  double diameter(double memory) const {
    if (first == last) return 1;
    const double share = (std::log10(memory) - first) / (last - first);
    return kSmallest + share * (kLargest - kSmallest);
  }
};

}  // namespace

Figure accuracy_cost(const AccuracyCost& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  figure.x = {data.latency, "µs", AxisScale::kLog, std::nullopt, {}};
  figure.y.label = metric_title(data.metric, data.direction);
  figure.y.unit = data.unit;
  std::vector<AccuracyCostPoint> points;
  std::vector<AccuracyLatencyPoint> flat;
  std::vector<std::string> missing;
  for (const AccuracyCostPoint& point : data.points) {
    if (std::isfinite(point.mean) && std::isfinite(point.latency_us) && point.latency_us > 0 &&
        std::isfinite(point.memory) && point.memory > 0)
      points.push_back(point);
    else
      missing.push_back(point.label);
  }
  if (points.empty()) throw UsageError("no system has all of {}, a latency and memory", data.metric);
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.latency_us < b.latency_us; });
  Sizes sizes{1000, -1000};
  for (const AccuracyCostPoint& p : points) {
    flat.push_back({p.label, p.latency_us, p.mean});
    sizes.first = std::min(sizes.first, static_cast<int>(std::floor(std::log10(p.memory))));
    sizes.last = std::max(sizes.last, static_cast<int>(std::ceil(std::log10(p.memory))));
  }
  const std::vector<bool> front = pareto_front(points, data.direction), fast = pareto_front(flat, data.direction);
  figure.description = fmt::format("Scatter of {} ({}) against {} and {}.", data.metric, better(data.direction),
                                   data.latency, data.memory);
  const bool crowded = points.size() > (size == FigureSize::kColumn ? 8 : 16);
  Points strong, faint;
  Line line;
  line.guide = true;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const AccuracyCostPoint& p = points[i];
    Point point{p.latency_us, p.mean, p.label, front[i] ? Tone::kBest : Tone::kFaint};
    if (!crowded) point.detail = bytes_text(p.memory);
    point.diameter = sizes.diameter(p.memory);
    point.ring = !front[i];
    (front[i] ? strong : faint).points.push_back(std::move(point));
    figure.description += fmt::format(" {} {:.4g} at {}, {}{};", p.label, p.mean, duration_text(p.latency_us),
                                      bytes_text(p.memory), front[i] ? ", on the Pareto front" : "");
    if (!fast[i]) continue;
    if (!line.y.empty()) line.x.push_back(p.latency_us), line.y.push_back(line.y.back());
    line.x.push_back(p.latency_us), line.y.push_back(p.mean);
  }
  figure.description.back() = '.';
  const int every = (sizes.last - sizes.first + 3) / 4;
  for (int e = sizes.first; e <= sizes.last && sizes.first < sizes.last; e += std::max(1, every)) {
    if (figure.key.empty()) figure.key.push_back({data.memory + ":", std::nullopt, std::nullopt, 0});
    KeyEntry entry{bytes_text(std::pow(10.0, e))};
    entry.diameter = sizes.diameter(std::pow(10.0, e));
    figure.key.push_back(std::move(entry));
  }
  if (size == FigureSize::kColumn && crowded) figure.lines = 1.8 * static_cast<double>(points.size());
  figure.note =
      "Filled: Pareto front; no other system is as good in accuracy, latency and memory and better in one. "
      "Line: front of accuracy and latency.";
  add_missing(figure.note, "Not shown, for want of a value", missing);
  figure.layers.emplace_back(std::move(line));
  if (!faint.points.empty()) figure.layers.emplace_back(std::move(faint));
  figure.layers.emplace_back(std::move(strong));
  return figure;
}

}  // namespace segue::plot
