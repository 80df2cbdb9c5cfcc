// What finished suites show: which results a command means, leaderboards, plots and where the files lie.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "framework/param/value.hpp"
#include "framework/report/evidence.hpp"
#include "framework/report/leaderboard.hpp"
#include "framework/report/table.hpp"

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
// What a task's description leaves out because it is the default, for task_differences().
Value task_defaults();

// "full: full ranking on Demo  (task 0123)"
std::string heading_of(const ManifestTask& task);
// The heading and the leak line above a table of text or Markdown; nothing for the others. `first`: without a blank line above.
void show_heading(const ManifestTask& task, const std::string& leaks, TableFormat format, bool first);
// Both, as the caption of a table: where LaTeX and HTML have them.
std::string caption_of(const ManifestTask& task, const std::string& leaks);
// Below a table, a line each; nothing for CSV and JSON.
void show_notes(const std::vector<std::string>& notes, TableFormat format);

// The tables of all tasks as one, for CSV and JSON: each row begins with part_of() its task.
std::vector<std::pair<std::string, Cell>> part_of(const ManifestTask& task);
void show_for_programs(const std::vector<TablePart>& parts, TableFormat format);

// Heading, leak line, table and legend of each board, to stdout.
void show_leaderboards(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options, TableFormat format);

}  // namespace segue
