#include "framework/plot/charts_spread.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"

namespace segue::plot {

Figure per_bin(const PerBin& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  if (data.bins.empty()) throw UsageError("{} has no bins to show", data.metric);
  const std::size_t n = data.systems.size();
  const bool direct = n <= kDirectLabels;
  Points dots;
  dots.named = direct;
  std::vector<double> means;
  for (const BinnedSystem& system : data.systems) {
    if (system.bins.size() != data.bins.size())
      throw UsageError("'{}' has values for {} of {} bins", system.label, system.bins.size(), data.bins.size());
    for (const BinValue& value : system.bins) means.push_back(value.mean);
  }
  if (std::none_of(means.begin(), means.end(), [](double v) { return std::isfinite(v); }))
    throw UsageError("no system has a value of {} in any bin", data.metric);
  const int decimals = decimals_for(means);
  figure.x.label = metric_title(data.metric, data.direction);
  figure.x.unit = data.unit;
  figure.slots = n;
  figure.description = fmt::format("{} ({}) by bin.", data.metric, better(data.direction));
  std::vector<std::string> missing;
  bool intervals = false;
  for (std::size_t bin = 0; bin < data.bins.size(); ++bin) {
    const Bin& b = data.bins[bin];
    const std::string share = std::isfinite(b.share) ? fmt::format("{} of {}", share_text(b.share), data.of) : "";
    figure.y.categories.push_back({b.meaning, Tone::kPlain, false, share});
    figure.description += fmt::format(" {}{}:", b.meaning, share.empty() ? "" : " (" + share + ")");
    for (std::size_t i = 0; i < n; ++i) {
      const BinValue& value = data.systems[i].bins[bin];
      const bool known = std::isfinite(value.mean);
      // Slots share the row's height but for a margin of one slot.
      const double slot = (static_cast<double>(i) + 0.5) / static_cast<double>(n) - 0.5;
      Point dot{value.mean, static_cast<double>(bin) + slot * (1 - 0.5 / (static_cast<double>(n) + 0.5)),
                data.systems[i].label};
      dot.series = i;
      if (known && std::isfinite(value.lo) && std::isfinite(value.hi))
        dot.lo = value.lo, dot.hi = value.hi, intervals = true;
      if (!known)
        dot.label += ": no value", missing.push_back(fmt::format("{} in {}", data.systems[i].label, b.meaning));
      figure.description +=
          fmt::format(" {} {},", data.systems[i].label, known ? decimal_text(value.mean, decimals) : "no value");
      dots.points.push_back(std::move(dot));
    }
    figure.description.back() = ';';
  }
  figure.description.back() = '.';
  for (std::size_t i = 0; i < n && !direct; ++i) figure.key.push_back({data.systems[i].label, i});
  if (intervals && !data.interval.empty()) figure.note = "Whiskers: " + data.interval + ".";
  if (!direct) add_missing(figure.note, "No value", missing);
  figure.layers.emplace_back(std::move(dots));
  return figure;
}

Figure score_distributions(const ScoreDistributions& data, const std::string& title, FigureSize size) {
  Figure figure;
  figure.title = title;
  figure.size = size;
  struct Sorted {
    std::string label;
    std::vector<double> values;
    double mean = 0, zeros = 0;
  };
  std::vector<Sorted> sorted;
  std::vector<std::string> missing;
  std::vector<double> means;
  bool binary = true, zeros = false;
  for (const ScoreDistribution& system : data.systems) {
    Sorted s{system.label, {}};
    for (const double v : system.values) {
      if (!std::isfinite(v)) continue;
      s.values.push_back(v);
      s.mean += v;
      s.zeros += v == 0 ? 1 : 0;
      binary = binary && (v == 0 || v == 1);
    }
    if (s.values.empty()) {
      missing.push_back(system.label);
      continue;
    }
    std::sort(s.values.begin(), s.values.end());
    s.mean /= static_cast<double>(s.values.size()), s.zeros /= static_cast<double>(s.values.size());
    zeros = zeros || s.zeros > 0;
    means.push_back(s.mean);
    sorted.push_back(std::move(s));
  }
  if (sorted.empty()) throw UsageError("no system has values of {}", data.metric);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Sorted& a, const Sorted& b) { return beats(a.mean, b.mean, data.direction); });
  const int decimals = decimals_for(means);
  figure.x.label = fmt::format("{} of single {}, {}", data.metric, data.of, better(data.direction));
  figure.x.unit = data.unit;
  if (binary) figure.x.label = fmt::format("Share of {} with {} = 1", data.of, data.metric);
  figure.description = fmt::format("Distributions of {} over {}.", data.metric, data.of);
  Strips strips;
  Bars ones;
  for (std::size_t row = 0; row < sorted.size(); ++row) {
    const Sorted& s = sorted[row];
    const Tone tone = s.mean == sorted.front().mean ? Tone::kBest : Tone::kPlain;
    figure.y.categories.push_back({s.label, tone});
    const auto at = [&](double q) { return quantile_of_sorted(s.values, q); };
    const std::string text = zeros ? share_text(s.zeros) + " zeros" : "";
    if (binary)
      ones.bars.push_back({row, s.mean, kNotANumber, kNotANumber,
                           decimal_text(s.mean, decimals) + (text.empty() ? "" : ", " + text), tone});
    else
      strips.strips.push_back({row, at(.05), at(.25), at(.5), at(.75), at(.95), s.mean, text});
    figure.description += fmt::format(" {}: mean {}, quartiles {}, {}, {}{};", s.label, decimal_text(s.mean, decimals),
                                      decimal_text(at(.25), decimals), decimal_text(at(.5), decimals),
                                      decimal_text(at(.75), decimals), text.empty() ? "" : ", " + text);
  }
  figure.description.back() = '.';
  if (binary) {
    figure.note = fmt::format("Every value is 0 or 1, so a bar stands for the share of ones.");
    figure.layers.emplace_back(std::move(ones));
  } else {
    figure.note = "Line: 5th to 95th percentile. Box: quartiles. Stroke: median. Diamond: mean.";
    figure.layers.emplace_back(std::move(strips));
  }
  add_missing(figure.note, "Without values", missing);
  return figure;
}

}  // namespace segue::plot
