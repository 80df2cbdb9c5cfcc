// segue reproduce
#include <algorithm>

#include <fmt/core.h>

#include "framework/base/errors.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/report/cache.hpp"

namespace segue {

namespace {

struct Arguments {
  ResultsArguments results;
  bool gate = false;
  TableFormat format{};
};

ExitCode reproduce(const Arguments& args) {
  const Executor exec;
  std::vector<TablePart> parts;
  bool any = false, kept = true;
  for (const TaskEvidence& evidence : gather(args.results)) {
    if (evidence.task.published.empty()) continue;
    const Leaderboard board = cached_leaderboard(evidence, {}, exec);
    const std::vector<Reproduction> rows = reproductions(board);
    if (any && (args.format == TableFormat::kText || args.format == TableFormat::kMarkdown)) fmt::print("\n");
    any = true;
    for (const Reproduction& r : rows)
      kept = kept && (r.verdict == Verdict::kReproduced || r.verdict == Verdict::kBetter);
    if (for_programs(args.format))
      parts.push_back({part_of(board.task), reproduction_table(rows, args.format)});
    else
      show_reproductions(board.task, rows, 0, args.format);
  }
  if (!any)
    throw UsageError("the suite of {} states no published figures; a list `published` in it would",
                     fmt::join(args.results.folders, ", "));
  show_for_programs(parts, args.format);
  return kept || !args.gate ? ExitCode::kOk : ExitCode::kGateFailed;
}

}  // namespace

void add_reproduce(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd =
      add_command(app, "reproduce", "sets the figures that others published beside ours, each with a verdict",
                  {{"segue reproduce results/ncf-ml-1m", "published, ours, difference, verdict, source"},
                   {"segue reproduce results/ncf-ml-1m:given --format latex", "one task, for a paper"},
                   {"segue reproduce results/ncf-ml-1m --gate", "exit code 5 where a figure is worse or has not run"}});
  add_results(cmd, args->results);
  cmd.add_flag("--gate", args->gate, "exit code 5 where a figure is worse than its tolerance, or has not run");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] { return reproduce(*args); });
}

}  // namespace segue
