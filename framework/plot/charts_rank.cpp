#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"
#include "framework/plot/charts_compare.hpp"

namespace segue::plot {
namespace {

using Clique = std::vector<std::size_t>;  // positions in rank order, ascending

// The largest groups of neighbours in rank that span at most `difference`.
std::vector<Clique> neighbours_within(const std::vector<double>& ranks, double difference) {
  std::vector<Clique> cliques;
  std::size_t end_before = 0;
  for (std::size_t first = 0; first < ranks.size(); ++first) {
    std::size_t end = first + 1;
    while (end < ranks.size() && ranks[end] - ranks[first] <= difference) ++end;
    if (end - first > 1 && end > end_before) {
      cliques.emplace_back(end - first);
      std::iota(cliques.back().begin(), cliques.back().end(), first);
    }
    end_before = std::max(end_before, end);
  }
  return cliques;
}

// Bars that share no height with one they would touch: as few levels as that takes, in rank order.
std::vector<std::size_t> levels_of(const std::vector<Clique>& cliques) {
  std::vector<std::size_t> levels, last;  // last: the end of the last bar on each level
  for (const Clique& clique : cliques) {
    std::size_t level = 0;
    while (level < last.size() && last[level] >= clique.front()) ++level;
    if (level == last.size()) last.push_back(0);
    last[level] = clique.back();
    levels.push_back(level);
  }
  return levels;
}

}  // namespace

Figure critical_difference(const CriticalDifference& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  std::vector<std::size_t> order;
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < data.systems.size(); ++i) {
    if (std::isfinite(data.systems[i].mean_rank))
      order.push_back(i);
    else
      missing.push_back(data.systems[i].label);
  }
  const std::size_t n = order.size();
  const auto most = static_cast<double>(n);
  if (n < 2) throw UsageError("a diagram of mean ranks needs at least two systems with ranks");
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return data.systems[a].mean_rank < data.systems[b].mean_rank; });
  std::vector<double> ranks;
  for (const std::size_t i : order) {
    ranks.push_back(data.systems[i].mean_rank);
    if (ranks.back() < 1 || ranks.back() > most)
      throw UsageError("'{}' has the mean rank {}, but {} systems rank from 1 to {}", data.systems[i].label,
                       ranks.back(), n, n);
  }

  std::vector<Clique> cliques;
  if (data.cliques.empty() && std::isfinite(data.difference)) cliques = neighbours_within(ranks, data.difference);
  for (const std::vector<std::size_t>& given : data.cliques) {
    Clique clique;
    for (std::size_t k = 0; k < n; ++k) {
      if (std::find(given.begin(), given.end(), order[k]) != given.end()) clique.push_back(k);
    }
    if (clique.size() != given.size() || clique.empty() || clique.back() - clique.front() + 1 != clique.size())
      throw UsageError("a group of {} systems is not consecutive in mean rank, so no bar can join it", given.size());
    if (clique.size() > 1) cliques.push_back(std::move(clique));
  }
  std::sort(cliques.begin(), cliques.end());
  const std::vector<std::size_t> levels = levels_of(cliques);
  const std::size_t depth = levels.empty() ? 0 : *std::max_element(levels.begin(), levels.end()) + 1;

  // Heights in lines of text, from above: the critical difference, tick numbers, axis, bars, names.
  const bool cd = std::isfinite(data.difference);
  const std::size_t left = (n + 1) / 2;
  std::size_t longest = 0;
  for (const std::size_t i : order) longest = std::max(longest, data.systems[i].label.size());
  const std::size_t name_lines = longest > 26 ? 3 : longest > 13 ? 2 : 1;
  const double step = name_lines == 3 ? 2.8 : name_lines == 2 ? 1.95 : 1.25, bar_step = 0.62;
  const double below_axis = 0.75 + bar_step * static_cast<double>(depth);
  figure.lines = (cd ? 2.1 : 0) + 1.4 + below_axis + 0.6 + step * static_cast<double>(left);
  const double axis_y = figure.lines - (cd ? 2.1 : 0) - 1.4;
  figure.y.range = std::pair{0.0, figure.lines};
  figure.x.range = std::pair{1.0, std::max(most, cd ? 1 + data.difference : 0)};
  figure.x.hidden = figure.y.hidden = true;
  figure.y.label = fmt::format("Mean rank{}, 1 is best", data.over.empty() ? "" : " over " + data.over);

  Rules rules;
  Labels labels;
  Points dots;
  dots.named = false;
  rules.rules.push_back({1, axis_y, most, axis_y, Weight::kAxis});
  for (double tick = 1; tick <= most; tick += std::ceil((most - 1) / 7)) {
    rules.rules.push_back({tick, axis_y, tick, axis_y + 0.35, Weight::kAxis});
    labels.labels.push_back({tick, axis_y + 0.95, fmt::format("{:g}", tick), Align::kCenter});
  }
  figure.description =
      fmt::format("Critical-difference diagram of mean ranks{}.", data.over.empty() ? "" : " over " + data.over);
  if (cd) {
    const double y = axis_y + 1.95;
    rules.rules.push_back({1, y, 1 + data.difference, y, Weight::kAxis});
    for (const double end : {1.0, 1 + data.difference})
      rules.rules.push_back({end, y - 0.22, end, y + 0.22, Weight::kAxis});
    const std::string text = fmt::format("CD = {:.3g}", data.difference);
    labels.labels.push_back({1 + data.difference / 2, y + 0.75, text, Align::kCenter});
    figure.description += fmt::format(" {}.", text);
  }
  for (std::size_t k = 0; k < n; ++k) {
    const bool at_left = k < left;
    const std::size_t line = at_left ? k : n - 1 - k;
    const double y = axis_y - below_axis - 0.6 - step * (static_cast<double>(line) + 0.3),
                 edge = at_left ? -kEdge : kEdge;
    const std::string& name = data.systems[order[k]].label;
    rules.rules.push_back({ranks[k], axis_y, ranks[k], y});
    rules.rules.push_back({edge, y, ranks[k], y});
    labels.labels.push_back(
        {edge, y, name, at_left ? Align::kRight : Align::kLeft, false, fmt::format("{:.2f}", ranks[k]), name_lines});
    dots.points.push_back({ranks[k], axis_y, name, Tone::kBest, kNotANumber, kNotANumber, {}, {}, 0.6});
    figure.description += fmt::format(" {} {:.2f};", name, ranks[k]);
  }
  figure.description.back() = '.';
  for (std::size_t c = 0; c < cliques.size(); ++c) {
    const double y = axis_y - 0.75 - bar_step * static_cast<double>(levels[c]);
    const double reach = 0.012 * (figure.x.range->second - 1);
    rules.rules.push_back({std::max(1.0, ranks[cliques[c].front()] - reach), y,
                           std::min(figure.x.range->second, ranks[cliques[c].back()] + reach), y, Weight::kHeavy});
    std::vector<std::string> names;
    for (const std::size_t k : cliques[c]) names.push_back(data.systems[order[k]].label);
    figure.description += fmt::format(" Not different: {}.", fmt::join(names, ", "));
  }
  figure.note = cliques.empty() ? "All systems differ" : "Heavy bars join systems that do not differ";
  figure.note += (data.test.empty() ? "" : " (" + data.test + ")") + ".";
  add_missing(figure.note, "Without a rank", missing);
  figure.layers.emplace_back(std::move(rules));
  figure.layers.emplace_back(std::move(labels));
  figure.layers.emplace_back(std::move(dots));
  return figure;
}

}  // namespace segue::plot
