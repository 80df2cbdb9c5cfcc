#include "framework/cli/results.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/cli/commands.hpp"
#include "framework/data/task_spec.hpp"
#include "framework/report/comparison.hpp"
#include "framework/report/html.hpp"
#include "framework/report/text.hpp"

namespace segue {

void add_results(CLI::App& command, ResultsArguments& arguments) {
  command.add_option("RESULTS", arguments.folders, "folders that `segue run` made; FOLDER:TASK means one of its tasks")->required()->type_name("DIR");
  command.add_option("--task", arguments.task, "one task, by name or id")->type_name("NAME");
}

std::pair<ResultsFolder, std::string> parse_results(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos && colon + 1 == text.size() && !std::filesystem::exists(text))
    throw UsageError("'{}' names no task; write FOLDER, or FOLDER:TASK", text);
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

Value task_defaults() {
  Value task = Value::map();
  task.set("feedback", FeedbackSpec::schema().to_value({}));
  task.set("filter", FilterSpec::schema().to_value({}));
  task.set("split", SplitSpec::schema().to_value({}));
  Value out = Value::map();
  out.set("task", std::move(task));
  return out;
}

std::string heading_of(const ManifestTask& task) {
  return fmt::format("{}: {} on {}  (task {})", task.name, task.ratings ? "ratings" : task.sampled ? "ranking of sampled candidates" : task.retrieval.empty() ? "full ranking" : "lists of an index (" + task.retrieval + ")",
                     task.dataset_title.empty() ? task.dataset : task.dataset_title, task.id);
}

namespace {

// A line of its own, as wide as the terminal, what does not fit below it and set in.
void print_wrapped(const std::string& text) {
  const std::size_t width = terminal_width(1);
  const std::vector<std::string> lines = wrap_text(text, width > 4 ? width - 2 : 0);
  for (std::size_t i = 0; i < lines.size(); ++i) fmt::print("{}{}\n", i == 0 ? "" : "  ", lines[i]);
}

}  // namespace

void show_heading(const ManifestTask& task, const std::string& leaks, TableFormat format, bool first) {
  if (for_programs(format)) return;
  if (!first) fmt::print("\n");
  if (format == TableFormat::kText) {
    print_wrapped(heading_of(task));
    if (!leaks.empty()) print_wrapped(leaks);
  } else if (format == TableFormat::kMarkdown) {
    fmt::print("### {}\n\n{}{}", heading_of(task), leaks, leaks.empty() ? "" : "\n\n");
  }
}

std::string caption_of(const ManifestTask& task, const std::string& leaks) {
  return heading_of(task) + (leaks.empty() ? "" : "\n" + leaks);
}

void show_notes(const std::vector<std::string>& notes, TableFormat format) {
  if (for_programs(format) || notes.empty()) return;
  if (format == TableFormat::kMarkdown) fmt::print("\n");
  if (format == TableFormat::kHtml) fmt::print("<ul>\n");
  for (const std::string& note : notes) {
    switch (format) {
      case TableFormat::kMarkdown:
        fmt::print("- {}\n", note);
        break;
      case TableFormat::kLatex:
        fmt::print("% {}\n", note);
        break;
      case TableFormat::kHtml:
        fmt::print("<li>{}</li>\n", html_text(note));
        break;
      default:
        print_wrapped(note);
    }
  }
  if (format == TableFormat::kHtml) fmt::print("</ul>\n");
}

void show_for_programs(const std::vector<TablePart>& parts, TableFormat format) {
  if (!parts.empty()) show(stack(parts), format);
}

std::vector<std::pair<std::string, Cell>> part_of(const ManifestTask& task) { return {{"task", Cell(task.name)}, {"task id", Cell(task.id)}}; }

void show_leaderboards(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options, TableFormat format) {
  if (format == TableFormat::kJson) {
    fmt::print("{}", leaderboard_json(boards));
    return;
  }
  std::vector<TablePart> parts;
  for (std::size_t b = 0; b < boards.size(); ++b) {
    const Leaderboard& board = boards[b];
    // Rows that --only has left out so far are counted, not listed; JSON lists them.
    Leaderboard shown = board;
    std::erase_if(shown.rows, [](const LeaderboardRow& row) { return row.status == "not run"; });
    Table table = leaderboard_table(shown, format);
    if (for_programs(format)) {
      parts.push_back({part_of(board.task), std::move(table)});
      continue;
    }
    show_heading(board.task, board.leaks, format, b == 0);
    show(table, format, caption_of(board.task, board.leaks));
    std::vector<std::string> notes = leaderboard_notes(shown, options);
    if (const std::size_t waiting = board.rows.size() - shown.rows.size(); waiting > 0)
      notes.insert(notes.begin(), fmt::format("{} more {} not run yet", waiting, waiting == 1 ? "row has" : "rows have"));
    for (std::size_t other = 0; other < b; ++other)
      if (boards[other].task.name == board.task.name && boards[other].task.dataset_fingerprint == board.task.dataset_fingerprint)
        notes.push_back(fmt::format("another task than {}; they differ in {}", boards[other].task.id, fmt::join(task_differences(boards[other].task, board.task, task_defaults()), "; ")));
    show_notes(notes, format);
    // What has not run yet is counted, as above; `segue reproduce` lists it.
    std::vector<Reproduction> published = reproductions(board);
    const std::size_t all = published.size();
    std::erase_if(published, [](const Reproduction& r) { return r.verdict == Verdict::kNotRun && r.missing.empty(); });
    if (published.empty()) continue;
    if (format == TableFormat::kText || format == TableFormat::kMarkdown) fmt::print("\n");
    show_reproductions(board.task, published, all - published.size(), format);
  }
  show_for_programs(parts, format);
}

void show_reproductions(const ManifestTask& task, std::span<const Reproduction> rows, std::size_t waiting, TableFormat format) {
  const std::string heading = fmt::format("{} on {}: published figures and ours", task.name, task.dataset_title.empty() ? task.dataset : task.dataset_title);
  if (format == TableFormat::kText) print_wrapped(heading);
  if (format == TableFormat::kMarkdown) fmt::print("#### {}\n\n", heading);
  show(reproduction_table(rows, format), format, heading);
  std::vector<std::string> notes = reproduction_notes(rows);
  if (waiting > 0) notes.insert(notes.begin(), fmt::format("{} more {} not run yet", waiting, waiting == 1 ? "figure has" : "figures have"));
  show_notes(notes, format);
}

}  // namespace segue
