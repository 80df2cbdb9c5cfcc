// What finished suites show: which results a command means, leaderboards, plots and where the files lie.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "framework/report/evidence.hpp"
#include "framework/report/leaderboard.hpp"

namespace segue {

// RESULTS... and --task of a command: folders that `segue run` made, each as FOLDER or FOLDER:TASK.
struct ResultsArguments {
  std::vector<std::string> folders;
  std::string task;
};
void add_results(CLI::App& command, ResultsArguments& arguments);
// One folder and the task behind its colon; empty where there is none.
std::pair<ResultsFolder, std::string> parse_results(const std::string& text);
// Their tasks, those of one id merged. UsageError where a folder holds no results, or not that task.
std::vector<TaskEvidence> gather(const ResultsArguments& arguments);
// Ids of the tasks that every one of the arguments means.
std::vector<std::string> shared_tasks(const ResultsArguments& arguments);

// "full: full ranking on Demo  (task 0123)", as a heading of its format; nothing for CSV and JSON.
void show_heading(const ManifestTask& task, const std::string& leaks, TableFormat format, bool first);
// Below a table, a line each; nothing for CSV and JSON.
void show_notes(const std::vector<std::string>& notes, TableFormat format);

// Heading, leak line, table and legend of each board, to stdout.
void show_leaderboards(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options, TableFormat format);

}  // namespace segue
