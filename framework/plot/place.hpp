// Where labels go: small geometry, in points with the origin at the lower left.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace segue::plot {

struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
bool overlap(const Box& a, const Box& b);

struct Segment {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
bool crosses(const Segment& segment, const Box& box);

// Centres of labels of these heights in a column from lo to hi: no two overlap, the order of `wanted` is kept, and the
// sum of squared moves is least. Heights that do not fit together are packed from lo and run over hi.
std::vector<double> spread(const std::vector<double>& wanted, const std::vector<double>& heights, double lo, double hi);

struct PlacedLabel {
  Box box;
  bool led = false;      // so far from its point that it needs a leader line
  bool crowded = false;  // overlaps something, or its leader line crosses something
  Segment leader;
};
struct LabelSize {
  double width = 0, height = 0;
  double mark = 0;  // diameter of this point's mark where it is not the common one
};
// A place beside each point (marks of this diameter) for its label, inside `area`, such that labels overlap neither
// each other nor marks and, where possible, not the segments. The earlier a point, the nearer its label.
std::vector<PlacedLabel> place_labels(const std::vector<std::pair<double, double>>& points,
                                      const std::vector<LabelSize>& sizes, double diameter,
                                      const std::vector<Segment>& avoid, const Box& area);

// A place beside each curve, somewhere along it, inside `area`: labels overlap neither each other nor `taken` and,
// where possible, no curve; the leader line, where there is one, begins at the curve.
std::vector<PlacedLabel> place_along(const std::vector<std::vector<std::pair<double, double>>>& curves,
                                     const std::vector<LabelSize>& sizes, const std::vector<Box>& taken,
                                     const Box& area);

}  // namespace segue::plot
