// Models of sound ask for what no data set brings along: how its items sound.
#pragma once

#include "framework/experiment/dataset_store.hpp"
#include "framework/experiment/progress_display.hpp"
#include "framework/experiment/runner.hpp"

namespace segue {

// Listens to the data set where a wanted algorithm of the suite needs ItemSound. False where it was interrupted.
bool hear_sounds(const DatasetEntry& entry, const Spec& spec, const Registry& algorithms, const RunOptions& options,
                 DatasetStore& datasets, ProgressDisplay& display);

}  // namespace segue
