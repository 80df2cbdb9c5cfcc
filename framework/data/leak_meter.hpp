// Measures what a split leaks from the future and how much of its truth can be reached at all.
#pragma once

#include "framework/data/split.hpp"
#include "framework/data/task.hpp"

namespace segue {

// fold: everything but `leaks` is set.
LeakMeter measure_leaks(const PreparedFold& fold, const SplitEvents& parts);

}  // namespace segue
