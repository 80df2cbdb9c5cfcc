// Inside report: from evidence to the plain numbers that charts are made of. All throw UsageError with the reason where there is
// nothing to show.
#pragma once

#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/plot/charts.hpp"
#include "framework/report/evidence.hpp"
#include "framework/report/leaderboard.hpp"

namespace segue {

struct NamedFigure {
  std::string suffix;  // of the file's name, where a plot has several
  plot::Figure figure;
};

struct ChartData {
  const TaskEvidence& evidence;
  Leaderboard board;
  std::string title;   // of each figure: the data set, and the task where there are several
  std::string metric;  // that plots of one metric show
  plot::FigureSize size;
  const Executor& exec;
};

std::vector<NamedFigure> bars(const ChartData& data);
std::vector<NamedFigure> latency_scatter(const ChartData& data);
std::vector<NamedFigure> cost_scatter(const ChartData& data);
std::vector<NamedFigure> cutoffs(const ChartData& data);
std::vector<NamedFigure> bins(const ChartData& data);
std::vector<NamedFigure> distributions(const ChartData& data);
std::vector<NamedFigure> p_values(const ChartData& data);
std::vector<NamedFigure> sensitivity(const ChartData& data);
std::vector<NamedFigure> latencies(const ChartData& data);
std::vector<NamedFigure> critical_difference_of_users(const ChartData& data);
std::vector<NamedFigure> critical_difference_of_tasks(const std::vector<TaskEvidence>& tasks, const std::string& metric, plot::FigureSize size, const Executor& exec);
std::vector<NamedFigure> curves(const std::vector<TaskEvidence>& tasks);

}  // namespace segue
