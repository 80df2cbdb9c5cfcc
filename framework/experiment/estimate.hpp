// What a trial will cost, before it runs.
#pragma once

#include <map>
#include <string>

#include "framework/experiment/plan.hpp"

namespace segue {

struct Estimate {
  // From the journal: this fit, or other folds and seeds of its label. Else from the algorithm's operation count at a rate typical of
  // two cores, good to a factor of a few; -1 where neither is known.
  double seconds = -1;
  double bytes = 0;     // the fold's arrays, what the algorithm says it holds, and a block of scores
};

Estimate estimate(const PlannedTrial& trial, const DatasetSummary& dataset, const Registry& algorithms,
                  const std::map<std::string, JournalEntry>& journal);

}  // namespace segue
