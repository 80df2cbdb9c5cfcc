#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/base/errors.hpp"
#include "framework/plot/charts_curves.hpp"

namespace segue::plot {
namespace {

class Sensitivity {
 public:
  Sensitivity(const ParameterSensitivity& data, const std::string& title, FigureSize size) : data_(data) {
    figure_.title = title;
    figure_.size = size;
  }

  Figure draw() {
    read_values();
    place_values();
    figure_.y.label = metric_title(data_.metric, data_.direction);
    figure_.x.label = data_.parameter;
    figure_.x.unit = data_.unit;
    figure_.names = drawn_.size() > kDirectLabels ? Names::kInLegend : Names::kAtEnds;
    figure_.description = fmt::format("{} ({}) against {}.", data_.metric, better(data_.direction), data_.parameter);
    mark_default();
    Points runs, rings;
    runs.named = rings.named = false;
    std::vector<Layer> lines;
    for (std::size_t i = 0; i < drawn_.size(); ++i) lines.emplace_back(line(i, runs, rings));
    figure_.description.back() = '.';
    if (!runs.points.empty()) figure_.layers.emplace_back(runs);
    if (!rings.points.empty()) figure_.layers.emplace_back(rings);
    for (Layer& layer : lines) figure_.layers.push_back(std::move(layer));
    notes(!runs.points.empty(), !rings.points.empty());
    return std::move(figure_);
  }

 private:
  void read_values() {
    std::size_t named = 0, all = 0;
    for (std::size_t i = 0; i < data_.curves.size(); ++i) {
      const SensitivityCurve& curve = data_.curves[i];
      std::set<std::string> seen;
      bool finite = false;
      for (const Setting& s : curve.settings) {
        ++all, named += s.name.empty() ? 0 : 1;
        if (s.name.empty() && !std::isfinite(s.at))
          throw UsageError("'{}' has a result at no value of {}", curve.label, data_.parameter);
        if (!seen.insert(s.name.empty() ? fmt::format("{}", s.at) : s.name).second)
          throw UsageError("'{}' has two results at the same value of {}", curve.label, data_.parameter);
        finite = finite || std::isfinite(s.mean);
        intervals_ = intervals_ || (std::isfinite(s.lo) && std::isfinite(s.hi));
      }
      if (finite)
        drawn_.push_back(i);
      else
        missing_.push_back(curve.label);
    }
    if (drawn_.empty()) throw UsageError("no value of {} has a value of {}", data_.parameter, data_.metric);
    if (named != 0 && named != all) throw UsageError("'{}' has both names and numbers as values", data_.parameter);
    names_ = named > 0;
  }

  // The axis, with a tick at every value that was tried.
  void place_values() {
    std::vector<double> values;
    for (const std::size_t i : drawn_) {
      const SensitivityCurve& curve = data_.curves[i];
      for (const Setting& s : curve.settings) {
        if (names_ && std::find(order_.begin(), order_.end(), s.name) == order_.end()) order_.push_back(s.name);
        if (!names_) values.push_back(s.at);
      }
    }
    if (names_) {
      for (std::size_t i = 0; i < order_.size(); ++i) figure_.x.ticks.push_back({static_cast<double>(i), order_[i]});
      figure_.x.names = true;
      figure_.x.range = std::pair{-0.5, static_cast<double>(order_.size()) - 0.5};
      return;
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (const double v : values) {
      std::string text = fmt::format("{:g}", v);
      if (text[0] == '-') text.replace(0, 1, "−");
      figure_.x.ticks.push_back({v, std::move(text)});
    }
    double lo = values.front(), hi = values.back();
    for (const std::size_t i : drawn_) {
      if (const auto& v = data_.curves[i].default_value; v && std::isfinite(*v))
        lo = std::min(lo, *v), hi = std::max(hi, *v);
    }
    const bool wide = lo > 0 && hi >= 20 * lo;
    figure_.x.scale = data_.scale.value_or(wide ? AxisScale::kLog : AxisScale::kLinear);
    if (figure_.x.scale == AxisScale::kLog && lo <= 0)
      throw UsageError("{} has the value {}, which has no place on a logarithmic axis", data_.parameter, lo);
    if (lo == hi) return;
    const double room = 0.05;
    if (figure_.x.scale == AxisScale::kLog)
      figure_.x.range = std::pair{lo * std::pow(lo / hi, room), hi * std::pow(hi / lo, room)};
    else
      figure_.x.range = std::pair{lo - room * (hi - lo), hi + room * (hi - lo)};
  }

  // Where the default of a curve lies; NaN where it has none.
  double default_of(const SensitivityCurve& curve) const {
    if (!names_) return curve.default_value.value_or(kNotANumber);
    if (!curve.default_name) return kNotANumber;
    const auto it = std::find(order_.begin(), order_.end(), *curve.default_name);
    return it == order_.end() ? kNotANumber : static_cast<double>(it - order_.begin());
  }

  // A little to the right, where whiskers do not hide it.
  double beside(double at) const {
    if (!figure_.x.range) return at;
    const auto [lo, hi] = *figure_.x.range;
    return figure_.x.scale == AxisScale::kLog ? at * std::pow(hi / lo, 0.015) : at + (hi - lo) * 0.015;
  }

  void mark_default() {
    std::set<double> defaults;
    for (const std::size_t i : drawn_) {
      const double at = default_of(data_.curves[i]);
      if (std::isfinite(at)) defaults.insert(at);
    }
    shared_ = defaults.size() == 1;
    if (!shared_) return;
    const double at = *defaults.begin();
    const std::string text = names_ ? "default" : fmt::format("default {:g}", at);
    figure_.layers.emplace_back(Rules{{{at, -kEdge, at, kEdge, Weight::kAxis, true}}});
    figure_.layers.emplace_back(Labels{{{at, kEdge, text, Align::kCenter, true}}});
    figure_.description += fmt::format(" The {}{}.", text, names_ ? " is " + order_[static_cast<std::size_t>(at)] : "");
  }

  Line line(std::size_t position, Points& runs, Points& rings) {
    const std::size_t i = drawn_[position];
    const SensitivityCurve& curve = data_.curves[i];
    std::vector<std::pair<double, const Setting*>> settings;
    for (const Setting& s : curve.settings) {
      double at = s.at;
      if (names_) at = static_cast<double>(std::find(order_.begin(), order_.end(), s.name) - order_.begin());
      settings.emplace_back(at, &s);
    }
    std::sort(settings.begin(), settings.end());
    const double step = 0.5 / static_cast<double>(drawn_.size());  // names: beside each other about their place
    const double aside =
        names_ ? step * (static_cast<double>(position) - static_cast<double>(drawn_.size() - 1) / 2) : 0;
    Line out;
    out.label = data_.curves.size() > 1 ? curve.label : "";
    out.color = i;
    out.marks = Marks::kAll;
    out.connected = !names_;
    out.whiskers = names_ || drawn_.size() == 1;
    const bool drawn_intervals = intervals_ && (out.whiskers || drawn_.size() <= kBands);
    figure_.description += fmt::format(" {}:", curve.label);
    const double fallback = default_of(curve);
    for (const auto& [at, s] : settings) {
      out.x.push_back(at + aside), out.y.push_back(s->mean);
      if (drawn_intervals) {
        const bool whole = std::isfinite(s->lo) && std::isfinite(s->hi);
        out.lo.push_back(whole ? s->lo : kNotANumber), out.hi.push_back(whole ? s->hi : kNotANumber);
      }
      for (const double run : s->runs) {
        if (std::isfinite(run))
          runs.points.push_back(
              {beside(at + aside), run, curve.label, Tone::kFaint, kNotANumber, kNotANumber, {}, {}, 0.5});
      }
      if (!shared_ && at == fallback && std::isfinite(s->mean))
        rings.points.push_back(
            {at + aside, s->mean, curve.label, Tone::kPlain, kNotANumber, kNotANumber, {}, i, 1.9, true});
      figure_.description +=
          fmt::format(" {} at {},", decimal_text(s->mean, 4), names_ ? s->name : fmt::format("{:g}", s->at));
    }
    figure_.description.back() = ';';
    return out;
  }

  void notes(bool runs, bool rings) {
    std::string& note = figure_.note;
    const auto say = [&](const std::string& text) { note += (note.empty() ? "" : " ") + text + "."; };
    const bool whiskers = names_ || drawn_.size() == 1;
    if (intervals_ && !whiskers && drawn_.size() > kBands)
      say(fmt::format("Intervals of {} curves would hide each other and are left out", drawn_.size()));
    else if (intervals_ && !data_.interval.empty())
      say((whiskers ? "Whiskers: " : "Bands: ") + data_.interval);
    if (runs) say("Small dots: single " + (data_.runs.empty() ? std::string("runs") : data_.runs));
    if (rings) say("Rings: defaults");
    std::vector<std::string> untried;
    for (const std::size_t i : drawn_) {
      const SensitivityCurve& curve = data_.curves[i];
      if (names_ && curve.default_name && !std::isfinite(default_of(curve)))
        untried.push_back(fmt::format("{} ({})", *curve.default_name, curve.label));
      if (!names_ && !shared_ && curve.default_value &&
          std::none_of(curve.settings.begin(), curve.settings.end(),
                       [&](const Setting& s) { return s.at == *curve.default_value; }))
        untried.push_back(fmt::format("{:g} ({})", *curve.default_value, curve.label));
    }
    add_missing(note, "Defaults that were not tried", untried);
    add_missing(note, "Without values", missing_);
  }

  const ParameterSensitivity& data_;
  Figure figure_;
  std::vector<std::size_t> drawn_;  // curves with values
  std::vector<std::string> order_, missing_;
  bool names_ = false, intervals_ = false, shared_ = false;
};

}  // namespace

Figure parameter_sensitivity(const ParameterSensitivity& data, const std::string& title, FigureSize size) {
  return Sensitivity(data, title, size).draw();
}

}  // namespace segue::plot
