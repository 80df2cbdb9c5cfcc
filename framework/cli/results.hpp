// What a finished suite shows: leaderboards, plots and where the files lie.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/report/leaderboard.hpp"

namespace segue {

// Heading, leak line, table and legend of each board, to stdout.
void show_leaderboards(const ResultsFolder& results, const std::vector<Leaderboard>& boards, TableFormat format);

// Draws the named plots into results/plots; returns the PNGs. Plots for which there is nothing to draw are skipped
// with a reason on stderr.
std::vector<std::filesystem::path> draw_plots(const ResultsFolder& results, const std::vector<std::string>& plots);

}  // namespace segue
