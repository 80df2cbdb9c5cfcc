// The plots of a results folder, drawn from stored trials: what `segue run` draws at its end, `segue plot` again, and
// `segue report` shows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/plot/render.hpp"
#include "framework/report/evidence.hpp"
#include "framework/report/leaderboard.hpp"
#include "framework/store/plots.hpp"

namespace segue {

struct PlotOptions {
  std::vector<std::string> plots;    // names; empty: all that have something to show
  std::string metric;                // for plots of one metric; empty: the first of each task
  plot::FigureSize size = plot::FigureSize::kColumn;
  std::filesystem::path folder;      // empty: <results>/plots of the first folder
  LeaderboardOptions statistics;
};

struct DrawnPlot {
  std::string kind, task;            // task: its name; empty where the plot is of the whole folder
  plot::RenderedFigure figure;
};

// Plots for which there is nothing to draw are skipped, with the reason on the log where they were asked for by name. UsageError for
// unknown names.
std::vector<DrawnPlot> draw_plots(const std::vector<TaskEvidence>& tasks, const PlotOptions& options, const Executor& exec);

}  // namespace segue
