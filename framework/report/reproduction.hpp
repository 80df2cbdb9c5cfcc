// Published figures beside ours: what a suite says others measured (its `published`), what the stored lists say, and
// whether that reproduces it. The figure is the mean over a row's folds and seeds, as in the leaderboard; a row that
// lacks trials reproduces nothing, as in a gate (gate.hpp), whose rule each figure is.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/report/leaderboard.hpp"

namespace segue {

// Better: by more than the tolerance, which is as suspicious as worse where the model is exact.
enum class Verdict { kReproduced, kBetter, kWorse, kNotRun };
const char* verdict_text(Verdict verdict);

struct Reproduction {
  PublishedFigure published;
  Verdict verdict = Verdict::kNotRun;
  std::optional<double> ours;
  // Standard deviation between seeds; between folds where there is one seed; NaN for one trial.
  double spread = std::numeric_limits<double>::quiet_NaN();
  std::size_t trials = 0;
  std::string missing;  // why there is no figure
};

// One a figure that the board's task has, in the suite's order; figures of metrics that the board does not show are
// left out.
std::vector<Reproduction> reproductions(const Leaderboard& board);

// People: sources are numbered, and reproduction_notes() spells them out. Programs: every value and text in full.
Table reproduction_table(std::span<const Reproduction> rows, TableFormat format = TableFormat::kText);
std::vector<std::string> reproduction_notes(std::span<const Reproduction> rows);

}  // namespace segue
