#include "framework/report/chart_data.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/eval/slices.hpp"
#include "framework/param/value.hpp"
#include "framework/report/comparison.hpp"

namespace segue {

namespace {

// More rows than these make a picture of lines or boxes unreadable; the best of the table are shown.
constexpr std::size_t kMostLines = 6, kMostBoxes = 12, kMostCells = 10;
// More bars than these make a page that gnuplot cannot draw, more points one that nobody can read.
constexpr std::size_t kMostBars = 40;

plot::Direction direction(const std::string& metric) { return parse_metric(metric).card->higher_is_better ? plot::Direction::kHigherIsBetter : plot::Direction::kLowerIsBetter; }

std::string interval_text(double level = 0.95) { return fmt::format("{:g} % bootstrap interval over users", 100 * level); }

// Rows with figures, best first by the table's order.
std::vector<const LeaderboardRow*> shown(const ChartData& data, std::size_t most) {
  std::vector<const LeaderboardRow*> rows;
  for (const LeaderboardRow& row : data.board.rows)
    if (row.trials > 0 && rows.size() < most) rows.push_back(&row);
  return rows;
}

// Says so where not all rows are shown.
void note_best_of(plot::Figure& figure, const ChartData& data, std::size_t most) {
  const auto all = static_cast<std::size_t>(std::count_if(data.board.rows.begin(), data.board.rows.end(), [](const auto& r) { return r.trials > 0; }));
  if (all > most) figure.note += fmt::format("{}The best {} of {} rows.", figure.note.empty() ? "" : " ", most, all);
}

const MetricSummary* summary(const LeaderboardRow& row, const std::string& metric) {
  const auto it = row.metrics.find(metric);
  return it == row.metrics.end() || std::isnan(it->second.mean) ? nullptr : &it->second;
}

plot::MetricBar bar_of(const LeaderboardRow& row, const std::string& metric) {
  plot::MetricBar bar;
  bar.label = row.label;
  const MetricSummary* s = summary(row, metric);
  bar.failed = s == nullptr;
  if (s == nullptr) return bar;
  bar.mean = s->mean;
  bar.lo = s->low;
  bar.hi = s->high;
  bar.tied = s->tied;
  return bar;
}

}  // namespace

std::vector<NamedFigure> bars(const ChartData& data) {
  std::vector<NamedFigure> figures;
  for (const std::string& metric : data.board.task.metrics) {
    plot::MetricBarGroup group{.metric = metric, .direction = direction(metric), .bars = {}};
    for (const LeaderboardRow& row : data.board.rows)
      if (row.status != "not run" && group.bars.size() < kMostBars) group.bars.push_back(bar_of(row, metric));
    group.interval = interval_text();
    group.tied = "paired randomisation test, Holm-adjusted, 5 %";
    figures.push_back({metric, plot::metric_bars({group}, data.title, data.size)});
    note_best_of(figures.back().figure, data, kMostBars);
  }
  return figures;
}

std::vector<NamedFigure> latency_scatter(const ChartData& data) {
  plot::AccuracyLatency chart{.metric = data.metric, .direction = direction(data.metric), .points = {}, .unit = {}};
  for (const LeaderboardRow* row : shown(data, kMostBars))
    if (const MetricSummary* s = summary(*row, data.metric)) chart.points.push_back({row->label, row->latency_p50, s->mean});
  plot::Figure figure = plot::accuracy_latency(chart, data.title, data.size);
  note_best_of(figure, data, kMostBars);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> cost_scatter(const ChartData& data) {
  plot::AccuracyCost chart{.metric = data.metric, .direction = direction(data.metric), .points = {}, .unit = {}};
  chart.memory = "Peak memory of the trial";
  for (const LeaderboardRow* row : shown(data, kMostBars))
    if (const MetricSummary* s = summary(*row, data.metric)) chart.points.push_back({row->label, row->latency_p50, s->mean, static_cast<double>(row->peak_rss_bytes)});
  plot::Figure figure = plot::accuracy_cost(chart, data.title, data.size);
  note_best_of(figure, data, kMostBars);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> cutoffs(const ChartData& data) {
  const MetricSpec metric = parse_metric(data.metric);
  if (!metric.card->has_cutoff) throw UsageError("{} has no cut-off", data.metric);
  plot::MetricAgainstCutoff chart{.metric = metric.card->name, .direction = direction(data.metric), .cutoffs = {}, .curves = {}};
  std::vector<MetricSpec> specs;
  for (const std::size_t k : {1u, 2u, 5u, 10u, 20u, 50u, 100u}) {
    chart.cutoffs.push_back(static_cast<double>(k));
    MetricSpec at = metric;
    at.k = k;
    specs.push_back(at);
  }
  const auto rows = shown(data, kMostLines);
  for (const LeaderboardRow* row : rows) {
    plot::CutoffCurve curve{.label = row->label, .values = {}};
    // NaN where a metric over lists asks for longer ones than are stored; those from ranks do not end there.
    for (const RowMetric& at : data.evidence.evaluate(data.evidence.find(row->label), specs)) curve.values.push_back(at.mean);
    chart.curves.push_back(std::move(curve));
  }
  plot::Figure figure = plot::metric_against_cutoff(chart, data.title, data.size);
  note_best_of(figure, data, kMostLines);
  return {{"", std::move(figure)}};
}

namespace {

std::string range_text(double low, double high, const std::string& of) { return low == high ? fmt::format("{:g} {}", low, of) : fmt::format("{:g} to {:g} {}", low, high, of); }

plot::Figure parts_figure(const ChartData& data, const SliceParts& parted) {
  plot::PerBin chart{.metric = data.metric, .direction = direction(data.metric), .bins = {}, .systems = {}};
  chart.interval = interval_text();
  std::vector<MetricSpec> specs{parse_metric(data.metric)};
  if (specs.front().slice.card != nullptr) throw UsageError("{} is already a slice", data.metric);
  for (const auto& [slice, meaning] : parted.parts) specs.push_back(parse_metric(data.metric + ":" + slice));
  const auto rows = shown(data, 4);
  if (rows.empty()) throw UsageError("no row has figures");
  // What the bins are, and how large, is the task's: any trial tells.
  const EvidenceRow& first = data.evidence.find(rows.front()->label);
  const auto trial = std::find_if(first.trials.begin(), first.trials.end(), [](const auto& t) { return t.present; });
  std::vector<std::string> missing;
  const std::vector<MetricValue> whole = data.evidence.evaluate_trial(*trial, TrialFile(trial->file), specs, &missing);
  for (const std::string& reason : missing)
    if (!reason.empty()) throw UsageError("{}", reason);
  std::vector<std::size_t> kept;
  for (std::size_t b = 0; b < parted.parts.size(); ++b) {
    const MetricValue& v = whole[b + 1];
    if (v.n == 0) continue;
    kept.push_back(b + 1);
    chart.bins.push_back({parted.parts[b].meaning.empty() ? range_text(v.slice_low, v.slice_high, parted.counts) : parted.parts[b].meaning,
                          static_cast<double>(v.n) / static_cast<double>(whole[0].n)});
  }
  if (kept.size() < 2) throw UsageError("all truth is in one bin");
  double held = 0;
  for (const auto& bin : chart.bins) held += bin.share;
  if (parted.of_some_tasks && held < 1 - 1e-9) throw UsageError("the task does not part its queries by {}", parted.name);
  for (const LeaderboardRow* row : rows) {
    const std::vector<RowMetric> figures = data.evidence.evaluate(data.evidence.find(row->label), specs);
    plot::BinnedSystem system{row->label, {}};
    for (const std::size_t b : kept) {
      plot::BinValue value{.mean = figures[b].mean};
      if (const std::vector<double> units = figures[b].units(); units.size() > 1) {
        const auto interval = stats::bootstrap_means(units, 1, units.size(), {.resamples = 2000}, Rng(1), data.exec).front();
        value.lo = interval.low;
        value.hi = interval.high;
      }
      system.bins.push_back(value);
    }
    chart.systems.push_back(std::move(system));
  }
  plot::Figure figure = plot::per_bin(chart, data.title, data.size);
  note_best_of(figure, data, 4);
  return figure;
}

}  // namespace

std::vector<NamedFigure> bins(const ChartData& data) {
  std::vector<NamedFigure> figures;
  std::string reason = "nothing to part";
  for (const SliceParts& parted : slice_parts()) {
    if (!parted.plotted) continue;
    try {
      figures.push_back({parted.name, parts_figure(data, parted)});
    } catch (const UsageError& e) {
      reason = e.what();  // a fact that this data lacks: other parts may have theirs
    }
  }
  if (figures.empty()) throw UsageError("{}", reason);
  return figures;
}

std::vector<NamedFigure> distributions(const ChartData& data) {
  plot::ScoreDistributions chart{.metric = data.metric, .direction = direction(data.metric), .systems = {}};
  const MetricSpec metric = parse_metric(data.metric);
  for (const LeaderboardRow* row : shown(data, kMostBoxes)) {
    std::vector<double> units = data.evidence.evaluate(data.evidence.find(row->label), {&metric, 1}).front().own();
    if (!units.empty()) chart.systems.push_back({row->label, std::move(units)});
  }
  plot::Figure figure = plot::score_distributions(chart, data.title, data.size);
  note_best_of(figure, data, kMostBoxes);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> p_values(const ChartData& data) {
  ComparisonOptions options;
  options.all_pairs = true;
  for (const LeaderboardRow* row : shown(data, kMostCells)) options.labels.push_back(row->label);
  const Comparison c = compare(data.evidence, parse_metric(data.metric), options, data.exec);
  plot::PValueHeatmap chart{.metric = data.metric, .direction = direction(data.metric), .systems = {}, .pairs = {}, .test = {}};
  for (const ComparedRow& row : c.rows) chart.systems.push_back({.label = row.label, .mean = row.mean});
  for (const ComparedPair& pair : c.pairs) chart.pairs.push_back({pair.a, pair.b, pair.p_adjusted, pair.difference});
  chart.alpha = options.alpha;
  chart.test = "Paired randomisation test, Holm-adjusted";
  plot::Figure figure = plot::p_value_heatmap(chart, data.title, data.size);
  note_best_of(figure, data, kMostCells);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> sensitivity(const ChartData& data) {
  // By suite entry: its rows with their parameters.
  std::map<std::string, std::vector<std::pair<const LeaderboardRow*, Value>>> groups;
  for (const LeaderboardRow& row : data.board.rows)
    if (summary(row, data.metric) != nullptr) groups[data.evidence.find(row.label).group].emplace_back(&row, Value::from_json(row.params));
  std::map<std::string, plot::ParameterSensitivity> charts;  // by parameter
  for (const auto& [group, rows] : groups) {
    if (rows.size() < 2) continue;
    std::map<std::string, std::map<std::string, std::vector<std::pair<Value, const LeaderboardRow*>>>> by_key;  // key -> value's text -> rows
    for (const auto& [row, params] : rows)
      for (const auto& entry : params.entries()) by_key[entry.key][entry.value.text()].emplace_back(entry.value, row);
    for (const auto& [key, values] : by_key) {
      if (values.size() < 2) continue;
      plot::SensitivityCurve curve{.label = group, .settings = {}};
      for (const auto& [text, settings] : values) {
        plot::Setting setting;
        if (settings.front().first.is_number()) setting.at = settings.front().first.as_real();
        else setting.name = text;
        double sum = 0;
        for (const auto& [value, row] : settings) {
          sum += summary(*row, data.metric)->mean;
          if (settings.size() > 1) setting.runs.push_back(summary(*row, data.metric)->mean);
        }
        setting.mean = sum / static_cast<double>(settings.size());
        if (settings.size() == 1) {
          setting.lo = summary(*settings.front().second, data.metric)->low;
          setting.hi = summary(*settings.front().second, data.metric)->high;
        }
        curve.settings.push_back(std::move(setting));
      }
      plot::ParameterSensitivity& chart = charts[key];
      chart.parameter = key;
      chart.metric = data.metric;
      chart.direction = direction(data.metric);
      chart.interval = interval_text();
      chart.runs = "the grid's other settings";
      chart.curves.push_back(std::move(curve));
    }
  }
  if (charts.empty()) throw UsageError("no entry of the suite is a grid");
  std::vector<NamedFigure> figures;
  for (const auto& [key, chart] : charts) figures.push_back({key, plot::parameter_sensitivity(chart, data.title, data.size)});
  return figures;
}

std::vector<NamedFigure> latencies(const ChartData& data) {
  std::vector<plot::LatencySamples> systems;
  for (const LeaderboardRow* row : shown(data, kMostLines)) {
    plot::LatencySamples curve{row->label, {}};
    for (const EvidenceTrial& trial : data.evidence.find(row->label).trials) {
      if (!trial.present) continue;
      const StoredTiming timing = TrialFile(trial.file).timing();
      const std::vector<LatencySamples>& latency = timing.latency_of(data.evidence.task.id, !data.evidence.task.retrieval.empty());
      if (!latency.empty()) curve.us.insert(curve.us.end(), latency.front().microseconds_per_query.begin(), latency.front().microseconds_per_query.end());
    }
    if (!curve.us.empty()) systems.push_back(std::move(curve));
  }
  if (systems.empty()) throw UsageError("the suite measures no latency; add `latency: true`");
  plot::Figure figure = plot::latency_cdf(systems, data.title, data.size);
  note_best_of(figure, data, kMostLines);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> critical_difference_of_users(const ChartData& data) {
  const MetricSpec metric = parse_metric(data.metric);
  std::vector<std::string> labels;
  std::vector<std::vector<double>> columns;
  for (const LeaderboardRow* row : shown(data, kMostBoxes)) {
    std::vector<double> units = data.evidence.evaluate(data.evidence.find(row->label), {&metric, 1}).front().shares();
    if (units.empty() || (!columns.empty() && units.size() != columns.front().size())) continue;
    labels.push_back(row->label);
    columns.push_back(std::move(units));
  }
  if (columns.size() < 3) throw UsageError("ranks need three rows or more with a value a user");
  const std::size_t n = columns.front().size();
  std::vector<double> values;
  for (std::size_t u = 0; u < n; ++u)
    for (const auto& column : columns) values.push_back(metric.card->higher_is_better ? column[u] : -column[u]);
  const stats::FriedmanTest friedman = stats::friedman_test(values, n, columns.size());
  plot::CriticalDifference chart;
  for (std::size_t s = 0; s < labels.size(); ++s) chart.systems.push_back({labels[s], friedman.mean_ranks[s]});
  chart.difference = stats::nemenyi_critical_difference(n, labels.size());
  chart.over = fmt::format("{} users, {}", n, data.metric);
  chart.test = "Nemenyi, 5 %";
  plot::Figure figure = plot::critical_difference(chart, data.title, data.size);
  note_best_of(figure, data, kMostBoxes);
  return {{"", std::move(figure)}};
}

std::vector<NamedFigure> critical_difference_of_tasks(const std::vector<TaskEvidence>& tasks, const std::string& metric, plot::FigureSize size, const Executor& exec) {
  const AcrossTasks across = compare_across(tasks, metric, 0.05, exec);
  plot::CriticalDifference chart;
  for (std::size_t s = 0; s < across.labels.size(); ++s) chart.systems.push_back({across.labels[s], across.friedman.mean_ranks[s]});
  chart.difference = across.critical_difference;
  chart.over = fmt::format("{} tasks, {}", across.tasks.size(), across.metric);
  chart.test = "Nemenyi, 5 %";
  chart.cliques = across.cliques;
  return {{"", plot::critical_difference(chart, "", size)}};
}

std::vector<NamedFigure> curves(const std::vector<TaskEvidence>& tasks) {
  std::map<std::string, std::vector<plot::LearningCurve>> by_series;
  std::set<std::string> folders, datasets;
  for (const TaskEvidence& t : tasks) datasets.insert(t.task.dataset);
  for (const TaskEvidence& t : tasks)
    for (const ResultsFolder& folder : t.folders) {
      if (!folders.insert(folder.root.string()).second) continue;
      for (const Curve& c : learning_curve_data(folder))
        by_series[c.series].push_back({.label = c.label + (datasets.size() > 1 ? " on " + c.dataset : ""), .series = c.series, .unit = "", .epochs = c.epochs, .values = c.values});
    }
  if (by_series.empty()) throw UsageError("no algorithm of this suite trains in epochs");
  std::vector<NamedFigure> figures;
  for (const auto& [series, lines] : by_series) figures.push_back({by_series.size() > 1 ? series : "", plot::learning_curves(lines)});
  return figures;
}

}  // namespace segue
