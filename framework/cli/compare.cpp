// segue compare: paired inference between the rows of one task.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/report/comparison.hpp"
#include "framework/report/leaks.hpp"

namespace segue {

namespace {

struct Arguments {
  ResultsArguments results;
  std::vector<std::string> metrics;
  ComparisonOptions options;
  std::string test = "randomisation", adjust = "holm", interval = "bca";
  bool across = false;
  TableFormat format{};
};

// Rows are compared where they were judged alike. Several folders therefore must share a task; what they do not share is left out.
void keep_shared_tasks(const Arguments& args, std::vector<TaskEvidence>& tasks) {
  if (args.results.folders.size() < 2) return;
  std::vector<std::vector<TaskEvidence>> given;
  for (const std::string& folder : args.results.folders) given.push_back(gather({{folder}, args.results.task}));
  const auto has = [](const std::vector<TaskEvidence>& all, const std::string& id) {
    return std::any_of(all.begin(), all.end(), [&](const TaskEvidence& t) { return t.task.id == id; });
  };
  const auto shared = [&](const TaskEvidence& t) {
    return std::all_of(given.begin(), given.end(), [&](const auto& all) { return has(all, t.task.id); });
  };
  if (std::any_of(tasks.begin(), tasks.end(), shared)) {
    std::erase_if(tasks, [&](const TaskEvidence& t) { return !shared(t); });
    return;
  }
  // The nearest two tasks of two arguments say best what is different.
  std::vector<std::string> nearest;
  std::pair<std::string, std::string> names;
  const auto name = [](const TaskEvidence& t) { return fmt::format("{} ({}, task {})", t.task.name, t.folders.front().root.string(), t.task.id); };
  for (std::size_t i = 0; i < given.size(); ++i)
    for (std::size_t j = i + 1; j < given.size(); ++j)
      for (const TaskEvidence& a : given[i])
        for (const TaskEvidence& b : given[j]) {
          std::vector<std::string> lines = task_differences(a.task, b.task, task_defaults());
          if (lines.empty() || (!nearest.empty() && lines.size() >= nearest.size())) continue;
          nearest = std::move(lines);
          names = {name(a), name(b)};
        }
  throw UsageError("{} and {} are different tasks, so their figures cannot be compared; they differ in {} (for ranks over several tasks: --across)", names.first, names.second,
                   fmt::join(nearest, "; "));
}

// CSV is one table, of the pairs; JSON has the rows too.
void show_parts(const std::vector<TablePart>& rows, const std::vector<TablePart>& pairs, TableFormat format) {
  if (format == TableFormat::kJson) show(NamedTables{{"rows", stack(rows)}, {"pairs", stack(pairs)}}, format);
  else show_for_programs(pairs, format);
}

ExitCode compare_rows(Arguments& args, std::vector<TaskEvidence> tasks, const Executor& exec) {
  keep_shared_tasks(args, tasks);
  std::vector<TablePart> rows, pairs;
  bool first = true;
  for (const TaskEvidence& evidence : tasks) {
    std::vector<std::string> metrics = args.metrics;
    if (metrics.empty()) metrics = {evidence.task.metrics.front()};
    for (const std::string& text : metrics) {
      const Comparison c = compare(evidence, parse_metric(text), args.options, exec);
      Table of_rows = comparison_rows(c, args.format), of_pairs = comparison_pairs(c, args.options, args.format);
      if (for_programs(args.format)) {
        rows.push_back({part_of(evidence.task), std::move(of_rows)});
        pairs.push_back({part_of(evidence.task), std::move(of_pairs)});
        continue;
      }
      const std::string leaks = leak_line(evidence);
      show_heading(evidence.task, leaks, args.format, first);
      first = false;
      show(of_rows, args.format, caption_of(evidence.task, leaks));
      fmt::print("\n");
      show(of_pairs, args.format, fmt::format("{} of {}: differences", c.metric, evidence.task.name));
      show_notes(comparison_notes(c, args.options), args.format);
    }
  }
  if (for_programs(args.format)) show_parts(rows, pairs, args.format);
  return ExitCode::kOk;
}

ExitCode compare_tasks(Arguments& args, const std::vector<TaskEvidence>& tasks, const Executor& exec) {
  std::vector<std::string> metrics = args.metrics;
  if (metrics.empty()) metrics = {tasks.front().task.metrics.front()};
  std::vector<TablePart> ranks, tests;
  for (const std::string& metric : metrics) {
    const AcrossTasks across = compare_across(tasks, metric, args.options.alpha, exec);
    if (for_programs(args.format)) {
      ranks.push_back({{}, across_table(across, args.format)});
      tests.push_back({{}, across_test(across)});
      continue;
    }
    const std::string heading = fmt::format("{}: mean ranks over {} tasks", across.metric, across.tasks.size());
    if (metric != metrics.front()) fmt::print("\n");
    if (args.format == TableFormat::kText) fmt::print("{}\n", heading);
    if (args.format == TableFormat::kMarkdown) fmt::print("### {}\n\n", heading);
    show(across_table(across, args.format), args.format, heading);
    show_notes(across_notes(across, args.options.alpha), args.format);
  }
  if (args.format == TableFormat::kJson) show(NamedTables{{"ranks", stack(ranks)}, {"tests", stack(tests)}}, args.format);
  else if (for_programs(args.format)) show_for_programs(ranks, args.format);
  return ExitCode::kOk;
}

template <class T>
T choice(const std::map<std::string, T>& choices, const std::string& text, const char* option) {
  if (const auto it = choices.find(text); it != choices.end()) return it->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : choices) known.push_back(name);
  throw UsageError("{}: unknown '{}'{}", option, text, suggestion(text, known));
}

ExitCode run(Arguments& args) {
  args.options.test = choice<PairedTest>({{"randomisation", PairedTest::kRandomisation}, {"t", PairedTest::kStudentT}, {"wilcoxon", PairedTest::kWilcoxon}}, args.test, "--test");
  args.options.adjustment = stats::adjustment(args.adjust);
  args.options.interval = stats::interval_method(args.interval);
  if (args.options.all_pairs && !args.options.baseline.empty()) throw UsageError("--all-pairs compares every two rows, so it takes no --baseline");
  const Executor exec;
  const std::vector<TaskEvidence> tasks = gather(args.results);
  return args.across ? compare_tasks(args, tasks, exec) : compare_rows(args, tasks, exec);
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "compare", "says which differences between rows are real: paired tests, intervals, effect sizes",
                              {{"segue compare results/quickstart", "every row against the best, by the first metric"},
                               {"segue compare results/quickstart --baseline popular --metrics ndcg@10,hr@10", "against a row of your choice"},
                               {"segue compare results/mine results/theirs", "rows of two folders that share a task"},
                               {"segue compare results/a results/b results/c --across", "mean ranks over several tasks (Friedman, Nemenyi)"}});
  add_results(cmd, args->results);
  ComparisonOptions& o = args->options;
  cmd.add_option("--metrics", args->metrics, "separated by commas; default: the first of the suite")->delimiter(',')->allow_extra_args(false)->type_name("METRIC");
  cmd.add_option("--rows", o.labels, "labels, separated by commas; default: all that are complete")->delimiter(',')->allow_extra_args(false)->type_name("LABEL");
  cmd.add_option("--baseline", o.baseline, "row that the others are compared with; default: the best")->type_name("LABEL");
  cmd.add_flag("--all-pairs", o.all_pairs, "every two rows");
  cmd.add_flag("--across", args->across, "ranks over several tasks instead of values in one");
  cmd.add_option("--test", args->test, "paired test")->type_name("randomisation|t|wilcoxon")->default_str("randomisation");
  cmd.add_option("--adjust", args->adjust, "for many comparisons: family-wise error or false discovery rate")->type_name("holm|bh|bonferroni|none")->default_str("holm");
  cmd.add_option("--interval", args->interval, "kind of interval")->type_name("bca|percentile|basic|t")->default_str("bca");
  cmd.add_option("--level", o.level, "level of the intervals")->check(between(0.5, 0.9999))->type_name("SHARE")->default_str("0.95");
  cmd.add_option("--alpha", o.alpha, "level of the tests")->check(between(0.0001, 0.5))->type_name("SHARE")->default_str("0.05");
  cmd.add_option("--resamples", o.resamples, "of the bootstrap, and draws of the randomisation test")->check(between(100, 1e7))->type_name("N")->default_str("10000");
  cmd.add_option("--seed", o.seed, "of both")->check(between(0, 9007199254740992.0))->type_name("N")->default_str("1");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] { return run(*args); });
}

}  // namespace segue
