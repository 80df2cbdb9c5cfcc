#include <algorithm>
#include <cstdio>

#include <fmt/core.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/report/cache.hpp"
#include "framework/report/gate.hpp"
#include "framework/report/latex_numbers.hpp"

namespace segue {

namespace {

struct LeaderboardArguments {
  ResultsArguments results;
  LeaderboardOptions options;
  std::string gate, numbers;
  bool fresh = false;
  TableFormat format{};
};

ExitCode leaderboard(LeaderboardArguments& args) {
  std::vector<GateRule> rules;
  if (!args.gate.empty()) rules = read_gate(args.gate);
  if (!args.options.inference && std::any_of(rules.begin(), rules.end(), [](const GateRule& r) { return r.use != "mean"; }))
    throw UsageError("{}: a rule uses the end of an interval, and --no-inference computes none", args.gate);
  const Executor exec;
  std::vector<Leaderboard> boards;
  for (const TaskEvidence& evidence : gather(args.results)) {
    LeaderboardOptions options = args.options;
    if (const auto extra = gate_metrics(rules, evidence.task); !extra.empty()) {
      if (options.metrics.empty()) options.metrics = evidence.task.metrics;
      options.metrics.insert(options.metrics.end(), extra.begin(), extra.end());
    }
    boards.push_back(cached_leaderboard(evidence, options, exec, args.fresh));
  }
  show_leaderboards(boards, args.options, args.format);
  if (!args.numbers.empty()) write_text_file(args.numbers, latex_numbers(boards, args.options));
  std::fflush(stdout);  // before what goes to stderr, where both end in one file
  bool kept = true;
  for (const GateResult& r : check_gate(rules, boards)) {
    fmt::print(stderr, "gate {}: {}\n", r.kept ? "kept" : "MISSED", r.text);
    kept = kept && r.kept;
  }
  return kept ? ExitCode::kOk : ExitCode::kGateFailed;
}

}  // namespace

void add_leaderboard(CLI::App& app, Session& session) {
  auto args = std::make_shared<LeaderboardArguments>();
  CLI::App& cmd = add_command(app, "leaderboard", "ranks the rows of results folders, computed from the stored lists",
                              {{"segue leaderboard results/quickstart", "one table a task"},
                               {"segue leaderboard results/a results/b", "rows of the same task stand in one table"},
                               {"segue leaderboard results/quickstart:full --format latex", "one task, for a paper"},
                               {"segue leaderboard results/quickstart --metrics ndcg@10,recall@20:cold", "any metric, without training again"},
                               {"segue leaderboard results/quickstart --numbers numbers.tex", "every figure by name, for LaTeX"},
                               {"segue leaderboard results/quickstart --gate floors.yaml", "exit code 5 where a floor is missed"}});
  add_results(cmd, args->results);
  cmd.add_option("--metrics", args->options.metrics, "instead of those of the suite, separated by commas")->delimiter(',')->allow_extra_args(false)->type_name("METRIC");
  cmd.add_option("--gate", args->gate, "YAML list of floors: {label: popular, metric: ndcg@10, min: 0.1}")->type_name("FILE");
  cmd.add_option("--numbers", args->numbers, "write every figure as a LaTeX definition, for a paper")->type_name("FILE");
  cmd.add_option("--level", args->options.level, "level of the intervals")->check(between(0.5, 0.9999))->type_name("SHARE")->default_str("0.95");
  cmd.add_option("--alpha", args->options.alpha, "level of the tests against the best")->check(between(0.0001, 0.5))->type_name("SHARE")->default_str("0.05");
  cmd.add_flag_callback("--no-inference", [args] { args->options.inference = false; }, "means only: no intervals, no tests");
  cmd.add_flag("--fresh", args->fresh, "compute everything again, although nothing has changed");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] { return leaderboard(*args); });
}

void add_hash(CLI::App& app, Session& session) {
  auto results = std::make_shared<std::string>();
  CLI::App& cmd = add_command(app, "hash", "prints one content hash over all results, timings left out",
                              {{"segue hash results/quickstart", "the same for any number of threads"}});
  cmd.add_option("RESULTS", *results, "folder that `segue run` made")->required()->type_name("DIR");
  on_run(cmd, session, [results] {
    fmt::print("{}\n", ResultsFolder{*results}.hash());
    return ExitCode::kOk;
  });
}

}  // namespace segue
