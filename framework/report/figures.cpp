#include "framework/report/figures.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/report/cache.hpp"
#include "framework/report/chart_data.hpp"

namespace segue {

namespace {

std::string safe_name(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != '@') c = '-';
  return out;
}

class Drawer {
 public:
  Drawer(const std::vector<TaskEvidence>& tasks, const PlotOptions& options, const Executor& exec) : tasks_(tasks), options_(options), exec_(exec) {
    folder_ = !options.folder.empty() ? options.folder : tasks.empty() ? std::filesystem::path(".") : tasks.front().folders.front().plots();
  }

  std::vector<DrawnPlot> operator()() {
    for (const std::string& name : options_.plots) check_name(name);
    for (const TaskEvidence& task : tasks_) {
      if (std::none_of(task.rows.begin(), task.rows.end(), [](const auto& r) { return r.present() > 0; })) continue;
      LeaderboardOptions statistics = options_.statistics;
      if (!options_.metric.empty()) {
        statistics.metrics = task.task.metrics;
        const std::string metric = parse_metric(options_.metric).text();
        if (std::find(statistics.metrics.begin(), statistics.metrics.end(), metric) == statistics.metrics.end()) statistics.metrics.push_back(metric);
      }
      draw_task(ChartData{task, cached_leaderboard(task, statistics, exec_), title_of(task.task), options_.metric.empty() ? task.task.metrics.front() : options_.metric, options_.size, exec_});
    }
    draw_whole();
    return std::move(drawn_);
  }

 private:
  static void check_name(const std::string& name) {
    const std::vector<std::string> known = plot_names();
    if (std::find(known.begin(), known.end(), name) == known.end()) throw UsageError("unknown plot '{}'{}", name, suggestion(name, known));
  }

  std::string title_of(const ManifestTask& task) const {
    const std::string data = task.dataset_title.empty() ? task.dataset : task.dataset_title;
    return tasks_.size() > 1 ? data + ", " + task.name : data;
  }

  bool named(const std::string& kind) const { return std::find(options_.plots.begin(), options_.plots.end(), kind) != options_.plots.end(); }

  // Draws what `make` returns, under a name that holds the task's where there are several.
  template <class Make>
  void draw(const std::string& kind, const std::string& task, const Make& make) {
    if (!options_.plots.empty() && !named(kind)) return;
    const std::string stem = kind + (task.empty() || tasks_.size() == 1 ? "" : "-" + task);
    try {
      const std::vector<NamedFigure> figures = make();
      for (const NamedFigure& f : figures)
        drawn_.push_back({kind, task, plot::render(f.figure, folder_ / safe_name(stem + (f.suffix.empty() ? "" : "-" + f.suffix)))});
    } catch (const UsageError& e) {
      // What a chart refuses (nothing to show, a fact that the data lacks) is the reason why it is not there.
      if (named(kind)) log_warning("no {} plot{}: {}", kind, task.empty() ? "" : " for '" + task + "'", e.what());
    }
  }

  void draw_task(const ChartData& data) {
    const std::string& task = data.evidence.task.name;
    draw("metric_bars", task, [&] { return bars(data); });
    draw("accuracy_latency", task, [&] { return latency_scatter(data); });
    draw("accuracy_cost", task, [&] { return cost_scatter(data); });
    draw("metric_cutoff", task, [&] { return cutoffs(data); });
    draw("per_bin", task, [&] { return bins(data); });
    draw("score_distributions", task, [&] { return distributions(data); });
    draw("p_values", task, [&] { return p_values(data); });
    draw("parameter_sensitivity", task, [&] { return sensitivity(data); });
    draw("latency_cdf", task, [&] { return latencies(data); });
    if (tasks_.size() == 1 || !across()) draw("critical_difference", task, [&] { return critical_difference_of_users(data); });
  }

  // Several folders mean several data sets: ranks are then taken over tasks instead of users.
  bool across() const {
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& t) { return t.folders.front().root != tasks_.front().folders.front().root; });
  }

  void draw_whole() {
    if (tasks_.empty()) return;
    draw("learning_curves", "", [&] { return curves(tasks_); });
    if (across())
      draw("critical_difference", "", [&] {
        return critical_difference_of_tasks(tasks_, options_.metric.empty() ? tasks_.front().task.metrics.front() : options_.metric, options_.size, exec_);
      });
  }

  const std::vector<TaskEvidence>& tasks_;
  const PlotOptions& options_;
  const Executor& exec_;
  std::filesystem::path folder_;
  std::vector<DrawnPlot> drawn_;
};

}  // namespace

std::vector<DrawnPlot> draw_plots(const std::vector<TaskEvidence>& tasks, const PlotOptions& options, const Executor& exec) {
  return Drawer(tasks, options, exec)();
}

}  // namespace segue
