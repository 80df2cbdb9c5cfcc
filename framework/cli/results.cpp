#include "framework/cli/results.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/cli/commands.hpp"
#include "framework/report/text.hpp"

namespace segue {

void add_results(CLI::App& command, ResultsArguments& arguments) {
  command.add_option("RESULTS", arguments.folders, "folders that `segue run` made; FOLDER:TASK means one of its tasks")->required()->type_name("DIR");
  command.add_option("--task", arguments.task, "one task, by name or id")->type_name("NAME");
}

std::pair<ResultsFolder, std::string> parse_results(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (std::filesystem::exists(text) || colon == std::string::npos) return {ResultsFolder{text}, ""};
  return {ResultsFolder{text.substr(0, colon)}, text.substr(colon + 1)};
}

std::vector<TaskEvidence> gather(const ResultsArguments& arguments) {
  std::vector<ResultsFolder> folders;
  std::vector<std::string> wanted;
  bool any_wanted = false;
  for (const std::string& text : arguments.folders) {
    auto [folder, task] = parse_results(text);
    if (!task.empty() && !arguments.task.empty() && task != arguments.task)
      throw UsageError("'{}' and --task {} contradict each other", text, arguments.task);
    any_wanted = any_wanted || !task.empty();
    folders.push_back(std::move(folder));
    wanted.push_back(task.empty() ? arguments.task : task);
  }
  if (!any_wanted) return gather_evidence(folders, arguments.task);
  // Tasks are asked for by folder: gathered one by one, and joined where they are the same.
  std::vector<TaskEvidence> all = gather_evidence(folders);
  std::vector<std::string> ids;
  for (std::size_t f = 0; f < folders.size(); ++f)
    for (const TaskEvidence& t : gather_evidence({&folders[f], 1}, wanted[f])) ids.push_back(t.task.id);
  std::erase_if(all, [&](const TaskEvidence& t) { return std::find(ids.begin(), ids.end(), t.task.id) == ids.end(); });
  return all;
}

std::vector<std::string> shared_tasks(const ResultsArguments& arguments) {
  std::vector<std::string> shared;
  for (std::size_t f = 0; f < arguments.folders.size(); ++f) {
    std::vector<std::string> ids;
    for (const TaskEvidence& t : gather({{arguments.folders[f]}, arguments.task})) ids.push_back(t.task.id);
    if (f == 0) shared = ids;
    std::erase_if(shared, [&](const std::string& id) { return std::find(ids.begin(), ids.end(), id) == ids.end(); });
  }
  return shared;
}

void show_heading(const ManifestTask& task, const std::string& leaks, TableFormat format, bool first) {
  if (format != TableFormat::kText && format != TableFormat::kMarkdown) return;
  const bool markdown = format == TableFormat::kMarkdown;
  fmt::print("{}{}{}: {} on {}  (task {})\n", first ? "" : "\n", markdown ? "### " : "", task.name,
             task.ratings ? "ratings" : task.sampled ? "ranking of sampled candidates" : "full ranking", task.dataset_title.empty() ? task.dataset : task.dataset_title, task.id);
  if (!leaks.empty()) fmt::print("{}{}\n", leaks, markdown ? "\n" : "");
}

void show_notes(const std::vector<std::string>& notes, TableFormat format) {
  if (format != TableFormat::kText && format != TableFormat::kMarkdown) return;
  if (format == TableFormat::kMarkdown && !notes.empty()) fmt::print("\n");
  const std::size_t width = format == TableFormat::kText ? terminal_width(1) : 0;
  for (const std::string& note : notes) {
    const std::vector<std::string> lines = wrap_text(note, width > 4 ? width - 2 : 0);
    for (std::size_t i = 0; i < lines.size(); ++i) fmt::print("{}{}\n", format == TableFormat::kMarkdown ? (i == 0 ? "- " : "  ") : (i == 0 ? "" : "  "), lines[i]);
  }
}

void show_leaderboards(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options, TableFormat format) {
  if (format == TableFormat::kJson) {
    fmt::print("{}", leaderboard_json(boards));
    return;
  }
  for (std::size_t b = 0; b < boards.size(); ++b) {
    const Leaderboard& board = boards[b];
    show_heading(board.task, board.leaks, format, b == 0);
    // Rows that --only has left out so far are counted, not listed; JSON lists them.
    Leaderboard shown = board;
    std::erase_if(shown.rows, [](const LeaderboardRow& row) { return row.status == "not run"; });
    show(leaderboard_table(shown, format), format);
    std::vector<std::string> notes = leaderboard_notes(shown, options);
    if (const std::size_t waiting = board.rows.size() - shown.rows.size(); waiting > 0)
      notes.insert(notes.begin(), fmt::format("{} more {} not run yet", waiting, waiting == 1 ? "row has" : "rows have"));
    show_notes(notes, format);
  }
}

}  // namespace segue
