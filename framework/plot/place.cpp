#include "framework/plot/place.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace segue::plot {
bool overlap(const Box& a, const Box& b) { return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1; }

bool crosses(const Segment& s, const Box& box) {  // Liang & Barsky (1984)
  const double dx = s.x1 - s.x0, dy = s.y1 - s.y0;
  const std::array<double, 4> p = {-dx, dx, -dy, dy};
  const std::array<double, 4> q = {s.x0 - box.x0, box.x1 - s.x0, s.y0 - box.y0, box.y1 - s.y0};
  double enter = 0, leave = 1;
  for (std::size_t i = 0; i < 4; ++i) {
    if (p[i] == 0) {
      if (q[i] <= 0) return false;
    } else if (p[i] < 0) {
      enter = std::max(enter, q[i] / p[i]);
    } else {
      leave = std::min(leave, q[i] / p[i]);
    }
  }
  return enter < leave;
}

std::vector<double> spread(const std::vector<double>& wanted, const std::vector<double>& heights, double lo,
                           double hi) {
  struct Cluster {  // labels that touch; its best position is a mean (pool adjacent violators)
    double top_sum, height, count;
    std::size_t first;
    double bottom(double lower, double upper) const {
      return std::max(lower, std::min(top_sum / count, upper - height));
    }
  };
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  std::vector<Cluster> clusters;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double h = heights[order[k]];
    clusters.push_back({wanted[order[k]] - h / 2, h, 1, k});
    while (clusters.size() > 1) {
      Cluster& below = clusters[clusters.size() - 2];
      const Cluster& above = clusters.back();
      if (below.bottom(lo, hi) + below.height <= above.bottom(lo, hi)) break;
      below.top_sum += above.top_sum - above.count * below.height;
      below.count += above.count;
      below.height += above.height;
      clusters.pop_back();
    }
  }
  std::vector<double> centres(wanted.size());
  for (std::size_t c = 0; c < clusters.size(); ++c) {
    double y = clusters[c].bottom(lo, hi);
    const std::size_t end = c + 1 < clusters.size() ? clusters[c + 1].first : order.size();
    for (std::size_t k = clusters[c].first; k < end; ++k) {
      centres[order[k]] = y + heights[order[k]] / 2;
      y += heights[order[k]];
    }
  }
  return centres;
}

namespace {

struct Direction {
  double dx, dy, cost;
};
// Right first, as one reads; then left, above, below and between.
constexpr std::array<Direction, 12> kDirections = {{{1, 0, 0},
                                                    {-1, 0, 1},
                                                    {0, 1, 1.5},
                                                    {0, -1, 1.5},
                                                    {1, 1, 1},
                                                    {1, -1, 1},
                                                    {-1, 1, 2},
                                                    {-1, -1, 2},
                                                    {1, .5, .5},
                                                    {1, -.5, .5},
                                                    {-1, .5, 1.5},
                                                    {-1, -.5, 1.5}}};
constexpr std::array<double, 10> kDistances = {1.5, 4, 8, 13, 19, 27, 38, 52, 70, 90};
constexpr double kLeaderFrom = 6;  // nearer labels need no line

PlacedLabel candidate(double x, double y, const LabelSize& size, double radius, const Direction& d, double distance) {
  const double cx = x + d.dx * (radius + distance + size.width / 2),
               cy = y + d.dy * (radius + distance + size.height / 2);
  PlacedLabel label;
  label.box = {cx - size.width / 2, cy - size.height / 2, cx + size.width / 2, cy + size.height / 2};
  label.led = distance > kLeaderFrom;
  const bool straight = label.box.x0 <= x && x <= label.box.x1;  // above or below: the line ends at the box
  const double inset = straight ? 0 : size.height / 4;
  const double ex = std::clamp(x, label.box.x0, label.box.x1),
               ey = std::clamp(y, label.box.y0 + inset, label.box.y1 - inset);
  const double length = std::max(1e-9, std::hypot(ex - x, ey - y));
  label.leader = {x + (ex - x) / length * radius, y + (ey - y) / length * radius, ex, ey};
  return label;
}

}  // namespace

std::vector<PlacedLabel> place_labels(const std::vector<std::pair<double, double>>& points,
                                      const std::vector<LabelSize>& sizes, double diameter,
                                      const std::vector<Segment>& avoid, const Box& area) {
  const auto radius_of = [&](std::size_t i) { return (sizes[i].mark > 0 ? sizes[i].mark : diameter) / 2; };
  std::vector<PlacedLabel> placed(points.size());
  std::vector<bool> done(points.size(), false);
  // Greedy, then again with all others in place: a few sweeps settle what the first could not know.
  for (int sweep = 0; sweep < 5; ++sweep) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      double best = std::numeric_limits<double>::infinity();
      for (const double distance : kDistances) {
        for (const Direction& direction : kDirections) {
          const PlacedLabel label =
              candidate(points[i].first, points[i].second, sizes[i], radius_of(i), direction, distance);
          double cost = distance + direction.cost;
          const Box& b = label.box;
          if (b.x0 < area.x0 || b.x1 > area.x1 || b.y0 < area.y0 || b.y1 > area.y1) cost += 1e7;
          for (std::size_t j = 0; j < points.size(); ++j) {
            const auto& [px, py] = points[j];
            const double radius = radius_of(j);
            const Box mark{px - radius - 0.5, py - radius - 0.5, px + radius + 0.5, py + radius + 0.5};
            if (overlap(b, mark)) cost += 1e4;
            if (j == i) continue;
            if (label.led && crosses(label.leader, mark)) cost += 1e3;
            if (!done[j]) continue;
            if (overlap(b, placed[j].box)) cost += 1e5;
            if (label.led && crosses(label.leader, placed[j].box)) cost += 1e4;
            if (placed[j].led && crosses(placed[j].leader, b)) cost += 1e4;
          }
          for (const Segment& segment : avoid) cost += crosses(segment, b) ? 25 : 0;
          if (cost < best) {
            best = cost;
            placed[i] = label;
          }
        }
      }
      done[i] = true;
    }
  }
  return placed;
}

namespace {

// Steps of at least a point: a curve of thousands of samples is no finer on paper.
std::vector<Segment> coarse(const std::vector<std::pair<double, double>>& curve) {
  std::vector<Segment> segments;
  std::size_t from = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (i + 1 < curve.size() &&
        std::hypot(curve[i].first - curve[from].first, curve[i].second - curve[from].second) < 2)
      continue;
    segments.push_back({curve[from].first, curve[from].second, curve[i].first, curve[i].second});
    from = i;
  }
  return segments;
}

constexpr std::size_t kAnchors = 24;  // places tried along a curve
constexpr double kCrowded = 250;      // what any overlap or crossing costs at least

}  // namespace

std::vector<PlacedLabel> place_along(const std::vector<std::vector<std::pair<double, double>>>& curves,
                                     const std::vector<LabelSize>& sizes, const std::vector<Box>& taken,
                                     const Box& area) {
  struct Candidate {
    PlacedLabel label;
    double cost;
  };
  std::vector<std::vector<Segment>> segments;
  for (const auto& curve : curves) segments.push_back(coarse(curve));
  std::vector<std::vector<Candidate>> candidates(curves.size());
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::vector<Segment>& own = segments[i];
    const double lo = curves[i].front().second, hi = curves[i].back().second;
    for (std::size_t a = 0; a < kAnchors; ++a) {  // evenly in height, as the curves of a figure differ in x
      const double y = lo + (hi - lo) * (static_cast<double>(a) + 0.5) / kAnchors;
      double x = curves[i].front().first;
      for (const Segment& s : own) {
        if (std::min(s.y0, s.y1) <= y && y <= std::max(s.y0, s.y1))
          x = s.y1 == s.y0 ? s.x1 : s.x0 + (s.x1 - s.x0) * (y - s.y0) / (s.y1 - s.y0);
      }
      for (const double distance : kDistances) {
        for (const Direction& direction : kDirections) {
          Candidate c{candidate(x, y, sizes[i], 1, direction, distance), distance + direction.cost};
          c.cost += 4 * std::abs(y - (lo + hi) / 2) / std::max(1.0, std::abs(hi - lo));  // rather in the middle
          const Box& b = c.label.box;
          if (b.x0 < area.x0 || b.x1 > area.x1 || b.y0 < area.y0 || b.y1 > area.y1) c.cost += 1e7;
          for (const Box& box : taken) c.cost += overlap(b, box) ? 1e5 : 0;
          for (std::size_t j = 0; j < segments.size(); ++j) {
            const auto hits = [&](const auto& hit) { return std::any_of(segments[j].begin(), segments[j].end(), hit); };
            if (hits([&](const Segment& s) { return crosses(s, b); })) c.cost += 400;
            if (c.label.led && j != i && hits([&](const Segment& s) {
                  const Box step{std::min(s.x0, s.x1) - .3, std::min(s.y0, s.y1) - .3, std::max(s.x0, s.x1) + .3,
                                 std::max(s.y0, s.y1) + .3};
                  return crosses(c.label.leader, step);
                }))
              c.cost += 300;
          }
          candidates[i].push_back(c);
        }
      }
    }
  }
  std::vector<PlacedLabel> placed(curves.size());
  std::vector<bool> done(curves.size(), false);
  for (int sweep = 0; sweep < 5; ++sweep) {
    for (std::size_t i = 0; i < curves.size(); ++i) {
      double best = std::numeric_limits<double>::infinity();
      for (const Candidate& c : candidates[i]) {
        double cost = c.cost;
        for (std::size_t j = 0; j < curves.size() && cost < best; ++j) {
          if (j == i || !done[j]) continue;
          if (overlap(c.label.box, placed[j].box)) cost += 1e5;
          if (c.label.led && crosses(c.label.leader, placed[j].box)) cost += 1e4;
          if (placed[j].led && crosses(placed[j].leader, c.label.box)) cost += 1e4;
        }
        if (cost < best) best = cost, placed[i] = c.label, placed[i].crowded = cost >= kCrowded;
      }
      done[i] = true;
    }
  }
  return placed;
}

}  // namespace segue::plot
