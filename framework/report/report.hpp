// What a report says, gathered from results folders. Everything comes from stored files, so the same results give the
// same page; it knows no leaderboard column and no plot by itself, and shows whatever leaderboard_table() and the
// caller bring.
#pragma once

#include <string>
#include <vector>

#include "framework/report/html.hpp"
#include "framework/report/leaderboard.hpp"

namespace segue {

// name: the file's without its ending; its kind is what stands before the first '-' ("metric_bars-full" -> "Metric
// bars").
ReportFigure report_figure(const std::string& name, const std::string& title, const std::string& description,
                           const std::string& svg);

struct ReportInput {
  std::vector<ResultsFolder> folders;
  std::vector<TaskEvidence> tasks;     // gathered from the folders
  std::vector<ReportFigure> figures;
  std::string title;                   // empty: the names of the suites
  LeaderboardOptions statistics;
};

// One page about all the folders, in this order; rows of the same task stand in one table. UsageError where a folder
// holds no results or no folder is given, DataError for a file that cannot be read.
ReportPage build_report(const ReportInput& input, const Executor& exec);

}  // namespace segue
