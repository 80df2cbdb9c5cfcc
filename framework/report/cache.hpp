// Leaderboards that need no second computation: kept beside the results under a name that hashes everything they were
// made from, so a stale one is never found.
#pragma once

#include "framework/report/leaderboard.hpp"

namespace segue {

// What build_leaderboard() returns. The key is the files of the trials and of the task (path, size, time of change), the metrics
// with the versions of their definitions, the options and this build. Kept in <results>/cache/ of the first folder, one file a task;
// where that cannot be written nothing is kept, without a word. fresh: compute although a kept one fits.
Leaderboard cached_leaderboard(const TaskEvidence& evidence, const LeaderboardOptions& options, const Executor& exec, bool fresh = false);

}  // namespace segue
