// What a report says, gathered from results folders. Everything comes from stored files, so the same results give the
// same page; it knows no leaderboard column and no plot by itself, and shows whatever leaderboard_table() and the
// caller bring.
#pragma once

#include <string>
#include <vector>

#include "framework/report/html.hpp"
#include "framework/report/leaderboard.hpp"

namespace segue {

struct ReportSource {
  ResultsFolder results;
  std::vector<ReportFigure> figures;
};

// name: the file's without its ending; its kind is what stands before the first '-' ("metric_bars-full" -> "Metric
// bars").
ReportFigure report_figure(const std::string& name, const std::string& title, const std::string& description,
                           const std::string& svg);

// One page about all the folders, in this order. Empty title: the names of their suites. UsageError where a folder
// holds no results or no folder is given, DataError for a file that cannot be read.
ReportPage build_report(const std::vector<ReportSource>& sources, const std::string& title = "");

// The lines of the leak meter, all folds together; empty where the task file is missing.
std::vector<ReportFact> leak_facts(const ResultsFolder& results, const ManifestTask& task);

}  // namespace segue
