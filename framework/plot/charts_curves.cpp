#include "framework/plot/charts_curves.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"
#include "framework/plot/axis.hpp"

namespace segue::plot {
namespace {

bool any_finite(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

Names names_for(std::size_t drawn) { return drawn > kDirectLabels ? Names::kInLegend : Names::kAtEnds; }

}  // namespace

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
    drawn += any_finite(curve.values) ? 1 : 0;
  }
  if (drawn == 0) throw UsageError("no learning curve has a value");
  figure.y.label = fmt::format("{}", fmt::join(series, ", "));
  figure.y.unit = curves.front().unit;
  figure.names = names_for(drawn);
  figure.description = fmt::format("Learning curves of {} by epoch.", figure.y.label);
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const LearningCurve& curve = curves[i];
    std::string label = curve.label;
    if (series.size() > 1) label += (label.empty() ? "" : ", ") + curve.series;
    double last = kNotANumber, epoch = kNotANumber;
    for (std::size_t j = 0; j < curve.values.size(); ++j) {
      if (std::isfinite(curve.values[j])) last = curve.values[j], epoch = curve.epochs[j];
    }
    if (!std::isfinite(last)) {
      missing.push_back(label);
      continue;
    }
    figure.description += fmt::format(" {} ends at {:.6g} in epoch {:g}.", label, last, epoch);
    figure.layers.emplace_back(Line{label, curve.epochs, curve.values, curve.lo, curve.hi, i, false});
  }
  add_missing(figure.note, "Without values", missing);
  return figure;
}

Figure metric_against_cutoff(const MetricAgainstCutoff& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  const std::vector<double>& cutoffs = data.cutoffs;
  const std::string metric = data.metric + "@k";
  if (cutoffs.empty() || !(cutoffs.front() > 0) ||
      std::adjacent_find(cutoffs.begin(), cutoffs.end(), [](double a, double b) { return !(a < b); }) != cutoffs.end())
    throw UsageError("cutoffs of {} must ascend from above zero", metric);
  std::size_t drawn = 0;
  for (const CutoffCurve& curve : data.curves) {
    if (curve.values.size() != cutoffs.size() || curve.lo.size() != curve.hi.size() ||
        (!curve.lo.empty() && curve.lo.size() != cutoffs.size()))
      throw UsageError("'{}' has {} values and intervals of {} and {} at {} cutoffs", curve.label, curve.values.size(),
                       curve.lo.size(), curve.hi.size(), cutoffs.size());
    drawn += any_finite(curve.values) ? 1 : 0;
  }
  if (drawn == 0) throw UsageError("no system has a value of {}", metric);
  figure.x.label = "List length k";
  figure.x.unit = "items";
  if (cutoffs.back() >= 5 * cutoffs.front()) figure.x.scale = AxisScale::kLog;
  for (const double k : cutoffs) figure.x.ticks.push_back({k, fmt::format("{:g}", k)});
  figure.y.label = metric_title(metric, data.direction);
  figure.names = names_for(drawn);
  figure.description = fmt::format("Curves of {} against k, {}.", metric, better(data.direction));
  const int decimals = 4;
  std::vector<std::string> missing;
  bool bands = false;
  for (std::size_t i = 0; i < data.curves.size(); ++i) {
    const CutoffCurve& curve = data.curves[i];
    if (!any_finite(curve.values)) {
      missing.push_back(curve.label);
      continue;
    }
    bands = bands || any_finite(curve.lo);
    Line line{curve.label, cutoffs, curve.values, {}, {}, i};
    line.marks = Marks::kAll;
    if (drawn <= kBands) line.lo = curve.lo, line.hi = curve.hi;
    figure.layers.emplace_back(std::move(line));
    figure.description += fmt::format(" {}:", curve.label);
    for (std::size_t j = 0; j < cutoffs.size(); ++j)
      figure.description += fmt::format(" {} at {:g}{}", decimal_text(curve.values[j], decimals), cutoffs[j],
                                        j + 1 < cutoffs.size() ? "," : ";");
  }
  figure.description.back() = '.';
  if (bands && drawn > kBands)
    figure.note = fmt::format("Intervals of {} systems would hide each other and are left out.", drawn);
  else if (bands && !data.interval.empty())
    figure.note = "Bands: " + data.interval + ".";
  add_missing(figure.note, "Without values", missing);
  return figure;
}

namespace {

constexpr std::size_t kSteps = 400;  // of a distribution function on paper

}  // namespace

Figure latency_cdf(const std::vector<LatencySamples>& systems, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  struct Sorted {
    std::size_t position;
    std::vector<double> us;
  };
  std::vector<Sorted> drawn;
  std::vector<std::string> missing;
  std::size_t dropped = 0;
  double lo = INFINITY, hi = 0;
  for (std::size_t i = 0; i < systems.size(); ++i) {
    Sorted sorted{i, {}};
    for (const double us : systems[i].us) {
      if (usable(us, AxisScale::kLog)) sorted.us.push_back(us);
    }
    dropped += systems[i].us.size() - sorted.us.size();
    if (sorted.us.empty()) {
      missing.push_back(systems[i].label);
      continue;
    }
    std::sort(sorted.us.begin(), sorted.us.end());
    lo = std::min(lo, sorted.us.front()), hi = std::max(hi, sorted.us.back());
    drawn.push_back(std::move(sorted));
  }
  if (drawn.empty()) throw UsageError("no system has latency samples");
  std::stable_sort(drawn.begin(), drawn.end(), [](const Sorted& x, const Sorted& y) {
    return quantile_of_sorted(x.us, 0.5) < quantile_of_sorted(y.us, 0.5);  // as the curves stand, left to right
  });
  figure.x.label = "Latency per query";
  figure.x.scale = AxisScale::kLog;
  const double room = std::max(1.05, std::pow(hi / lo, 0.04)), room_left = std::max(1.2, std::pow(hi / lo, 0.16));
  lo /= room_left, hi *= room;  // at the left, for the names of the guide lines
  figure.x.range = std::pair{lo, hi};
  AxisLayout axis{lo, hi, true, {}, {}};
  set_ticks(axis, 8, false);
  for (const double tick : axis.major) figure.x.ticks.push_back({tick, duration_text(tick)});
  figure.y.label = "Queries answered within the latency";
  figure.y.unit = "%";
  figure.y.range = std::pair{0.0, 101.5};
  for (const double tick : {0.0, 25.0, 50.0, 75.0, 100.0}) figure.y.ticks.push_back({tick, fmt::format("{:g}", tick)});
  figure.names = drawn.size() > kDirectLabels ? Names::kInLegend : Names::kAlongLines;
  figure.description = "Empirical distribution functions of the latency per query.";
  Rules guides;
  Labels guide_names;
  for (const double percentile : {50.0, 99.0}) {
    guides.rules.push_back({-kEdge, percentile, kEdge, percentile, Weight::kAxis, true});
    guide_names.labels.push_back({-kEdge, percentile - 4, fmt::format("p{:g}", percentile), Align::kLeft, true});
  }
  figure.layers.emplace_back(std::move(guides));
  figure.layers.emplace_back(std::move(guide_names));
  Points dots;
  dots.named = false;
  for (const Sorted& sorted : drawn) {
    const std::string& label = systems[sorted.position].label;
    const std::size_t n = sorted.us.size(), steps = std::min(n, kSteps);
    Line line{label, {sorted.us.front()}, {0}, {}, {}, sorted.position};
    line.marks = Marks::kElsewhere;
    for (std::size_t step = 1; step <= steps; ++step) {
      const std::size_t rank = step * n / steps;  // the share rank/n is reached at the rank-th smallest
      const double us = sorted.us[rank - 1];
      line.x.push_back(us), line.y.push_back(line.y.back());
      line.x.push_back(us), line.y.push_back(100 * static_cast<double>(rank) / static_cast<double>(n));
    }
    figure.layers.emplace_back(std::move(line));
    figure.description += fmt::format(" {}:", label);
    for (const double p : {50.0, 99.0}) {
      const double us = quantile_of_sorted(sorted.us, p / 100);
      Point dot{us, p, label, Tone::kPlain, kNotANumber, kNotANumber, {}, sorted.position};
      dots.points.push_back(std::move(dot));
      figure.description += fmt::format(" p{:g} {}{}", p, duration_text(us), p == 50 ? "," : ";");
    }
  }
  figure.description.back() = '.';
  figure.layers.emplace_back(std::move(dots));
  if (dropped > 0) figure.note = fmt::format("{} samples are not positive numbers and are left out.", dropped);
  add_missing(figure.note, "Without samples", missing);
  return figure;
}

}  // namespace segue::plot
