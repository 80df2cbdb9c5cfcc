// The figures that Segue draws, built from plain numbers. Every chart is complete without colour: values are printed,
// curves and points carry their names, and Figure::description says the same in words.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/figure.hpp"

namespace segue {

enum class Direction { kHigherIsBetter, kLowerIsBetter };

struct MetricBar {
  std::string label;
  double mean = kNotANumber;
  double lo = kNotANumber, hi = kNotANumber;  // interval around the mean, optional
  bool failed = false;
};

// One metric for some systems; several groups (e.g. one a task) stand below each other under their headings.
struct MetricBarGroup {
  std::string metric;  // display name, "nDCG@10"
  Direction direction = Direction::kHigherIsBetter;
  std::vector<MetricBar> bars;
  std::string heading{};   // only shown where there are several groups
  std::string interval{};  // what lo and hi are, "95 % bootstrap interval over users"; shown below where a bar has one
  std::string unit{};      // "stars"; usually empty
};

// Horizontal bars from zero, best first within each group, the best (all that tie) emphasised, the mean printed at the
// bar's end; failed rows last, said to have failed. UsageError: no bars, or groups of different metrics.
Figure metric_bars(const std::vector<MetricBarGroup>& groups, const std::string& title = "",
                   FigureSize size = FigureSize::kColumn);

struct LearningCurve {
  std::string label;               // the system
  std::string series;              // what is measured, "nDCG@10 on validation"
  std::string unit;                // of the values; usually empty
  std::vector<double> epochs;      // ascending
  std::vector<double> values;      // as many; NaN breaks the curve
  std::vector<double> lo{}, hi{};  // a band, e.g. over seeds; empty or as many
};

// Curves of one series share its name as the axis title; curves of several series carry it in their labels. Names stand
// at the line ends up to 6 curves, in a legend above. UsageError: no values, lengths that differ, or several units.
Figure learning_curves(const std::vector<LearningCurve>& curves, const std::string& title = "",
                       FigureSize size = FigureSize::kColumn);

struct AccuracyLatencyPoint {
  std::string label;
  double latency_us = kNotANumber;  // p50 per query, microseconds
  double mean = kNotANumber;        // of the metric
};
struct AccuracyLatency {
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<AccuracyLatencyPoint> points;
  std::string unit;                                   // of the metric
  std::string latency = "Latency per query, median";  // the axis title, without its unit
};

// Scatter over a logarithmic latency axis. The Pareto front (nobody is both faster and better; equal points share it)
// is drawn as a step line and its points are strong, dominated ones faint. Points without both numbers are named in the
// note. UsageError: no point has both.
Figure accuracy_latency(const AccuracyLatency& data, const std::string& title = "",
                        FigureSize size = FigureSize::kColumn);

// Which points no other point dominates: no slower and no worse, and one of the two better. In the order of `points`.
std::vector<bool> pareto_front(const std::vector<AccuracyLatencyPoint>& points, Direction direction);

}  // namespace segue
