// Charts of a value along something: epochs, list lengths, a parameter, latencies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/plot/chart_words.hpp"
#include "framework/plot/figure.hpp"

namespace segue::plot {

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

struct CutoffCurve {
  std::string label;
  std::vector<double> values;      // one a cutoff; NaN breaks the curve
  std::vector<double> lo{}, hi{};  // intervals; empty or as many
};
struct MetricAgainstCutoff {
  std::string metric;  // without its cutoff, "nDCG"
  Direction direction = Direction::kHigherIsBetter;
  std::vector<double> cutoffs;  // ascending and positive
  std::vector<CutoffCurve> curves;
  std::string interval{};  // what lo and hi are
};

// Curves over the length of the list, logarithmic where the cutoffs span a factor of five; every cutoff is a tick and a
// mark. Intervals are bands for up to 4 systems, else left out, as the note says. Names at the line ends up to 6
// curves, in a legend above. UsageError: no values, lengths that differ, cutoffs that do not ascend from above zero.
Figure metric_against_cutoff(const MetricAgainstCutoff& data, const std::string& title = "",
                             FigureSize size = FigureSize::kColumn);

struct Setting {
  double at = kNotANumber;  // the parameter's value; ignored where it has names
  double mean = kNotANumber, lo = kNotANumber, hi = kNotANumber;
  std::vector<double> runs{};  // single results behind the mean, e.g. one a seed
  std::string name{};          // of a categorical parameter's value, "cosine"
};
struct SensitivityCurve {
  std::string label;
  std::vector<Setting> settings;              // in any order
  std::optional<double> default_value{};      // of a numeric parameter
  std::optional<std::string> default_name{};  // of a categorical one
};
struct ParameterSensitivity {
  std::string parameter;  // "factors"
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<SensitivityCurve> curves;
  std::string unit{};                // of the parameter
  std::string interval{};            // what lo and hi are
  std::string runs{};                // what single results are, "seeds"
  std::optional<AxisScale> scale{};  // absent: logarithmic where positive values span a factor of 20
};

// Means at the values tried with a line through them (none between the names of a categorical parameter), single
// results as faint dots, intervals as whiskers (several numeric curves: bands up to 4, else left out). A default that
// all share is a dashed line with its value, defaults that differ are rings. UsageError: no value to show, names and
// numbers mixed, a value given twice.
Figure parameter_sensitivity(const ParameterSensitivity& data, const std::string& title = "",
                             FigureSize size = FigureSize::kColumn);

struct LatencySamples {
  std::string label;
  std::vector<double> us;  // microseconds, in any order; values that are not positive numbers are counted in the note
};

// Empirical distribution functions over a logarithmic axis with ticks in ns, µs, ms and s; guide lines at the median
// and the 99th percentile, which every curve crosses with a mark. Names at the curves where they find room, else in a
// legend. Steps beyond 400 samples are thinned evenly. UsageError: no samples.
Figure latency_cdf(const std::vector<LatencySamples>& systems, const std::string& title = "",
                   FigureSize size = FigureSize::kColumn);

}  // namespace segue::plot
