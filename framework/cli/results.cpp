#include "framework/cli/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/plot/charts.hpp"
#include "framework/plot/render.hpp"

namespace segue {

void show_leaderboards(const ResultsFolder& results, const std::vector<Leaderboard>& boards, TableFormat format) {
  if (format == TableFormat::kJson) {
    fmt::print("{}", leaderboard_json(boards));
    return;
  }
  for (std::size_t b = 0; b < boards.size(); ++b) {
    const Leaderboard& board = boards[b];
    if (format == TableFormat::kText || format == TableFormat::kMarkdown) {
      fmt::print("{}{}{}: {} on {}  (task {})\n", b > 0 ? "\n" : "", format == TableFormat::kMarkdown ? "### " : "", board.task.name,
                 board.task.ratings ? "ratings" : board.task.sampled ? "ranking of sampled candidates" : "full ranking",
                 board.task.dataset_title.empty() ? board.task.dataset : board.task.dataset_title, board.task.id);
      const std::string leaks = leak_line(results, board.task);
      if (!leaks.empty()) fmt::print("{}{}\n", leaks, format == TableFormat::kMarkdown ? "\n" : "");
    }
    // Rows that --only has left out so far are counted, not listed; JSON lists them.
    Leaderboard shown = board;
    std::erase_if(shown.rows, [](const LeaderboardRow& row) { return row.status == "not run"; });
    show(leaderboard_table(shown), format);
    if (const std::size_t waiting = board.rows.size() - shown.rows.size(); waiting > 0 && format == TableFormat::kText)
      fmt::print("{} more {} not run yet\n", waiting, waiting == 1 ? "row has" : "rows have");
    if (format == TableFormat::kText && board.task.sampled) fmt::print("~ ranked among sampled candidates only: not comparable with full ranking, and may reverse it\n");
  }
}

namespace {

std::string safe_name(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != '@') c = '-';
  return out;
}

Direction direction(const std::string& metric) { return parse_metric(metric).card->higher_is_better ? Direction::kHigherIsBetter : Direction::kLowerIsBetter; }

Figure bars_of(const Leaderboard& board, const std::string& metric) {
  MetricBarGroup group;
  group.metric = metric;
  group.direction = direction(metric);
  for (const LeaderboardRow& row : board.rows) {
    const auto it = row.metrics.find(metric);
    MetricBar bar;
    bar.label = row.label;
    bar.failed = it == row.metrics.end();
    if (!bar.failed) bar.mean = it->second.mean;
    group.bars.push_back(bar);
  }
  return metric_bars({group}, board.task.dataset_title.empty() ? board.task.dataset : board.task.dataset_title);
}

Figure latency_of(const Leaderboard& board, const std::string& metric) {
  AccuracyLatency data;
  data.metric = metric;
  data.direction = direction(metric);
  for (const LeaderboardRow& row : board.rows)
    if (const auto it = row.metrics.find(metric); it != row.metrics.end()) data.points.push_back({row.label, row.latency_p50, it->second.mean});
  return accuracy_latency(data, board.task.dataset_title.empty() ? board.task.dataset : board.task.dataset_title);
}

}  // namespace

std::vector<std::filesystem::path> draw_plots(const ResultsFolder& results, const std::vector<std::string>& plots) {
  std::vector<std::filesystem::path> drawn;
  const auto draw = [&](const std::string& name, const Figure& figure) { drawn.push_back(render(figure, results.plots() / safe_name(name)).png); };
  if (plots.empty()) return drawn;
  const std::vector<Leaderboard> boards = build_leaderboards(results);
  const auto has = [&](const char* plot) { return std::find(plots.begin(), plots.end(), plot) != plots.end(); };
  for (const Leaderboard& board : boards) {
    const std::string suffix = boards.size() > 1 ? "-" + board.task.name : "";
    const bool any = std::any_of(board.rows.begin(), board.rows.end(), [](const auto& r) { return r.trials > 0; });
    if (!any) continue;
    if (has("metric_bars"))
      for (const std::string& metric : board.task.metrics) draw("metric_bars" + suffix + "-" + metric, bars_of(board, metric));
    const bool timed = std::any_of(board.rows.begin(), board.rows.end(), [](const auto& r) { return !std::isnan(r.latency_p50); });
    if (has("accuracy_latency") && timed) draw("accuracy_latency" + suffix, latency_of(board, board.task.metrics.front()));
    if (has("accuracy_latency") && !timed && !board.task.ratings) log_warning("no accuracy_latency plot for '{}': the suite has no 'latency'", board.task.name);
  }
  if (has("learning_curves")) {
    std::map<std::string, std::vector<LearningCurve>> by_series;
    for (const Curve& c : learning_curve_data(results)) by_series[c.series].push_back({c.label, c.series, "", c.epochs, c.values});
    for (const auto& [series, curves] : by_series) draw(by_series.size() > 1 ? "learning_curves-" + series : "learning_curves", learning_curves(curves));
    if (by_series.empty()) log_warning("no learning curves: no algorithm of this suite trains in epochs");
  }
  return drawn;
}

}  // namespace segue
