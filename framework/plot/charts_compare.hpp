// Charts that say who is better, and whether it is more than chance.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/chart_words.hpp"
#include "framework/plot/figure.hpp"

namespace segue::plot {

struct MetricBar {
  std::string label;
  double mean = kNotANumber;
  double lo = kNotANumber, hi = kNotANumber;  // interval around the mean, optional
  bool failed = false;
  bool tied = false;  // not distinguishable from the best; marked with a hollow dot
};

// One metric for some systems; several groups (e.g. one a task) stand below each other under their headings.
struct MetricBarGroup {
  std::string metric;  // display name, "nDCG@10"
  Direction direction = Direction::kHigherIsBetter;
  std::vector<MetricBar> bars;
  std::string heading{};   // only shown where there are several groups
  std::string interval{};  // what lo and hi are, "95 % bootstrap interval over users"; shown below where a bar has one
  std::string unit{};      // "stars"; usually empty
  std::string tied{};      // how bars were found tied, "paired t-test, Holm-adjusted, 5 %"
};

// Horizontal bars from zero, best first within each group, the best (all of equal mean) emphasised, the mean printed at
// the bar's end; failed rows last, said to have failed; what is tied with the best is marked, which the note explains.
// UsageError: no bars, or groups of different metrics.
Figure metric_bars(const std::vector<MetricBarGroup>& groups, const std::string& title = "",
                   FigureSize size = FigureSize::kColumn);

struct RankedSystem {
  std::string label;
  double mean_rank = kNotANumber;  // 1 is best
};
struct CriticalDifference {
  std::vector<RankedSystem> systems;
  double difference = kNotANumber;  // the critical one, in ranks; NaN where the test has none
  std::string over;                 // what was ranked on, "943 users", "14 data sets"
  std::string test;                 // "Nemenyi, 5 %"
  // Positions in `systems` of those that do not differ; where empty, the largest groups that span at most `difference`.
  // What lies between two members in rank must be a member.
  std::vector<std::vector<std::size_t>> cliques{};
};

// The diagram of Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7 (2006), figure 1: an
// axis of mean ranks with the best at the left, systems led to their names and ranks at both sides, heavy bars joining
// groups that do not differ, the critical difference above. Systems without a rank are named below. UsageError: fewer
// than two ranks, ranks outside 1 to the number of systems, a clique that its bar would misrepresent.
Figure critical_difference(const CriticalDifference& data, const std::string& title = "",
                           FigureSize size = FigureSize::kColumn);

struct PairwiseP {
  std::size_t a = 0, b = 0;         // positions in `systems`
  double p = kNotANumber;           // adjusted
  double difference = kNotANumber;  // of the metric, a - b
};
struct PValueHeatmap {
  std::string metric;
  Direction direction = Direction::kHigherIsBetter;
  std::vector<MetricBar> systems;
  std::vector<PairwiseP> pairs;
  double alpha = 0.05;
  std::string test;  // "paired randomisation test, Holm-adjusted"
};

// One cell a pair, the better mean in the row: the p-value, darker the smaller it is, and an arrow to the better of the
// two (left: the row, up: the column), filled where p < alpha. Columns go by the numbers of their rows. Failed systems
// are named below. UsageError: no pair of systems with values, positions out of range, alpha outside (0, 1).
Figure p_value_heatmap(const PValueHeatmap& data, const std::string& title = "", FigureSize size = FigureSize::kColumn);

}  // namespace segue::plot
