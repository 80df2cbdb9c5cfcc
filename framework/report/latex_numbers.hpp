// Every figure of leaderboards as a LaTeX definition, so that a paper names its numbers instead of typing them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/report/leaderboard.hpp"

namespace segue {

// A line \seguenumber{KEY}{TEXT}{VALUE} a figure. TEXT is what is printed, escaped for LaTeX. VALUE is what LaTeX
// computes with: the number unrounded, or a name as it stands in keys. paper/segue.sty defines the command, and stops
// at names that have no such line. Keys:
//
//   suite/SUITE                      results of this suite are there
//   inference/WHAT                   level, alpha (both in percent), resamples, permutations, seed
//   SUITE/TASK/WHAT                  id, dataset, leaks, queries, rows (those with results)
//   SUITE/TASK/setting/PATH          what the task is, as in setting/split.strategy
//   SUITE/TASK/METRIC/best           label of the best row
//   SUITE/TASK/METRIC/tied           how many rows cannot be told from it
//   SUITE/TASK/LABEL/METRIC          the mean
//   SUITE/TASK/LABEL/METRIC/WHAT     low, high, half (longer side), p, stddev, seeds, n, mark ("best", "tied" or empty)
//   SUITE/TASK/LABEL/WHAT            place, trials, fit (seconds), peak, model (MiB), ties (percent of the queries)
//   SUITE/TASK/LABEL/p50, p99        microseconds a query, one by one
//   SUITE/TASK/LABEL/batch           the largest batch that was timed; p50/batch: microseconds a query in it
//   SUITE/TASK/LABEL/param/NAME      one of the row's parameters
//
// What a row does not have (it failed, or nothing was measured) has no line. UsageError where two figures would have
// one key, as where a suite has two tasks of one name.
std::string latex_numbers(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options = {});

// A name as it stands in keys: what TeX would not read as a letter or mark of its own becomes '-'.
std::string latex_key(std::string_view name);

}  // namespace segue
