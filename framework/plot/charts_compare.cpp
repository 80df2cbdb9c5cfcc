#include "framework/plot/charts_compare.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"

namespace segue::plot {
namespace {

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
  std::vector<double> means;
  for (const MetricBarGroup& group : groups) {
    for (const MetricBar& bar : group.bars) means.push_back(bar.mean);
  }
  const int decimals = decimals_for(means);
  std::string interval, ties;
  bool any_tie = false;
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
      std::string text = !failed ? decimal_text(bar->mean, decimals) : bar->failed ? "failed" : "no value";
      const bool tied = bar->tied && !failed && tone != Tone::kBest;
      bars.bars.push_back({figure.y.categories.size(), failed ? kNotANumber : bar->mean, kNotANumber, kNotANumber,
                           text + (tied ? " ○" : ""), tone});
      if (tied) ties = group.tied.empty() ? "" : ": " + group.tied, any_tie = true;
      if (!failed && std::isfinite(bar->lo) && std::isfinite(bar->hi)) {
        bars.bars.back().lo = bar->lo, bars.bars.back().hi = bar->hi;
        if (!group.interval.empty()) interval = group.interval;
      }
      figure.y.categories.push_back({bar->label, tone});
      figure.description +=
          fmt::format(" {} {}{};", bar->label, text, tied ? ", not distinguishable from the best" : "");
    }
  }
  figure.description.back() = '.';
  if (!interval.empty()) figure.note = "Whiskers: " + interval + ".";
  if (any_tie) figure.note += (figure.note.empty() ? "" : " ") + ("○ Not distinguishable from the best" + ties) + ".";
  figure.layers.emplace_back(std::move(bars));
  return figure;
}

namespace {

struct CellWords {
  std::string mark, words;
};

// Who is better, for the reader of the cell and of the description.
CellWords winner(double row_minus_column, Direction direction, bool significant) {
  if (!std::isfinite(row_minus_column)) return {"", "against"};
  if (row_minus_column == 0) return {"=", "equals"};
  if (beats(row_minus_column, 0, direction)) return {significant ? "◀" : "◁", "above"};
  return {significant ? "▲" : "△", "below"};
}

// Levels of significance that are stricter than alpha.
std::vector<double> thresholds(double alpha) {
  std::vector<double> out = {alpha};
  for (const double level : {0.01, 0.001}) {
    if (level < alpha) out.push_back(level);
  }
  return out;
}

std::string level_text(double level) { return fmt::format("{:g}", level).substr(1); }  // ".05"

}  // namespace

Figure p_value_heatmap(const PValueHeatmap& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  if (!(data.alpha > 0 && data.alpha < 1))
    throw UsageError("a significance level of {} is not between 0 and 1", data.alpha);
  std::vector<std::size_t> order;
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < data.systems.size(); ++i) {
    if (is_failed(data.systems[i]))
      missing.push_back(data.systems[i].label);
    else
      order.push_back(i);
  }
  if (order.size() < 2) throw UsageError("p-values of {} need at least two systems with values", data.metric);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return beats(data.systems[a].mean, data.systems[b].mean, data.direction);
  });
  std::vector<std::size_t> place(data.systems.size(), data.systems.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;

  figure.x.hidden = true;
  figure.x.label = fmt::format("p-value of the difference in {}", data.metric);
  figure.x.range = std::pair{-0.5, static_cast<double>(order.size()) - 1.5};
  figure.y.categories.push_back({"", Tone::kPlain, true});
  figure.description = fmt::format("Matrix of p-values of differences in {} ({}), best system first; {}.", data.metric,
                                   better(data.direction), data.test);
  Labels numbers;
  for (std::size_t i = 0; i < order.size(); ++i) {
    figure.y.categories.push_back({fmt::format("{}\u00A0{}", i + 1, data.systems[order[i]].label),
                                   Tone::kPlain,
                                   false,
                                   {},
                                   static_cast<double>(i) - 0.5});
    if (i > 0)
      numbers.labels.push_back({static_cast<double>(i) - 1, 0.25, fmt::format("{}", i + 1), Align::kCenter, false});
  }
  const std::vector<double> levels = thresholds(data.alpha);
  Cells cells;
  for (const PairwiseP& pair : data.pairs) {
    if (pair.a >= place.size() || pair.b >= place.size() || pair.a == pair.b)
      throw UsageError("a p-value of systems {} and {} of {}", pair.a, pair.b, place.size());
    std::size_t row = place[pair.a], column = place[pair.b];
    if (row >= order.size() || column >= order.size()) continue;
    const bool turned = row > column;
    if (turned) std::swap(row, column);
    Cell cell{row + 1, column - 1};
    for (const double level : levels) cell.shade += pair.p < level ? 1 : 0;
    const CellWords words = winner(turned ? -pair.difference : pair.difference, data.direction, pair.p < data.alpha);
    cell.mark = words.mark, cell.text = p_text(pair.p, 3), cell.brief = p_text(pair.p, 2), cell.value = pair.p;
    figure.description += fmt::format(" {} {} {}: p {};", data.systems[order[row]].label, words.words,
                                      data.systems[order[column]].label, cell.text);
    cells.cells.push_back(std::move(cell));
  }
  if (cells.cells.empty()) throw UsageError("no p-value belongs to two systems with values of {}", data.metric);
  figure.description.back() = '.';
  figure.key.push_back({"not significant", std::nullopt, 0});
  for (std::size_t i = 0; i < levels.size(); ++i)
    figure.key.push_back({"p < " + level_text(levels[i]), std::nullopt, i + 1});
  figure.note = fmt::format("◀ row better, ▲ column better; filled where p < {}.", level_text(data.alpha));
  if (!data.test.empty()) figure.note += fmt::format(" {}.", data.test);
  add_missing(figure.note, "Without values", missing);
  figure.layers.emplace_back(std::move(cells));
  figure.layers.emplace_back(std::move(numbers));
  return figure;
}

}  // namespace segue::plot
