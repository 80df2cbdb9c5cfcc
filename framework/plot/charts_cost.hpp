// Charts of what accuracy costs.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/chart_words.hpp"
#include "framework/plot/figure.hpp"

namespace segue::plot {

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

struct AccuracyCostPoint {
  std::string label;
  double latency_us = kNotANumber;
  double mean = kNotANumber;    // of the metric
  double memory = kNotANumber;  // bytes
};
struct AccuracyCost {
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<AccuracyCostPoint> points;
  std::string unit;  // of the metric
  std::string latency = "Latency per query, median";
  std::string memory = "Peak memory";
};

// accuracy_latency() with memory as a third cost: the diameter of the mark (linear in the logarithm; the key shows
// sizes), and below each name of up to 8 points (16 on a page). Filled marks are on the front of all three; the line is
// that of accuracy and latency alone. Points without all three numbers are named in the note. UsageError: no point has
// all.
Figure accuracy_cost(const AccuracyCost& data, const std::string& title = "", FigureSize size = FigureSize::kColumn);

// Which points no other point dominates in latency, metric and memory. In the order of `points`.
std::vector<bool> pareto_front(const std::vector<AccuracyCostPoint>& points, Direction direction);

}  // namespace segue::plot
