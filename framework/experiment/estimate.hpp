// What a trial will cost, before it runs.
#pragma once

#include <map>
#include <string>

#include "framework/experiment/plan.hpp"

namespace segue {

struct Estimate {
  double seconds = -1;  // from the journal: this fit, or other folds and seeds of its label; -1 where nothing is known
  double bytes = 0;     // the fold's arrays, factors where the algorithm has them, and a block of scores
};

Estimate estimate(const PlannedTrial& trial, const DatasetSummary& dataset, const std::map<std::string, JournalEntry>& journal);

}  // namespace segue
