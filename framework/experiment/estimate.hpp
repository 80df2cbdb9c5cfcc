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
  // Peak of the trial's resident set: the program, what fit and judges touch of the prepared fold, what the algorithm says it holds
  // (fit_bytes), factors, neighbour lists, and a block of scores a thread. Within a fifth for popular, implicit_als, ease and item_knn
  // from 50,000 to 100 million events; what else an algorithm holds while it fits is known only to its fit_bytes.
  double bytes = 0;
};

// `threads`: of the trial.
Estimate estimate(const Spec& spec, const PlannedTrial& trial, const DatasetSummary& dataset, const Registry& algorithms,
                  const std::map<std::string, JournalEntry>& journal, int threads);

}  // namespace segue
