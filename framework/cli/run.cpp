#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/report/cache.hpp"
#include "framework/report/figures.hpp"
#include "framework/cli/suite.hpp"
#include "framework/experiment/estimate.hpp"
#include "framework/experiment/process.hpp"
#include "framework/experiment/runner.hpp"
#include "framework/experiment/trial.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

struct RunArguments {
  std::string suite, output, timeout, checkpoint_every = "30s";
  std::vector<std::string> overrides, only, plugins;
  int threads = 0, jobs = 1;
  bool dry_run = false, fresh = false;
  TableFormat format{};
};

// Labels of --only, each of which must name a row, a grid or an algorithm of the suite.
std::vector<std::string> resolve_only(const std::vector<std::string>& only, const Spec& spec) {
  std::vector<std::string> known, out;
  for (const AlgorithmEntry& a : spec.algorithms) known.push_back(a.label);
  for (const std::string& name : only) {
    bool found = false;
    for (const AlgorithmEntry& a : spec.algorithms) {
      if (name != a.label && name != a.group && name != a.algorithm && name != a.tuned_from) continue;
      out.push_back(a.label);
      found = true;
    }
    if (!found) throw UsageError("--only: the suite has no '{}'{}", name, suggestion(name, known));
  }
  return out;
}

ExitCode dry_run(const LoadedSuite& suite, const Plan& plan, const Session& session, DatasetStore& datasets, const RunOptions& options, TableFormat format) {
  const auto journal = Journal(options.results.journal_file()).last_by_fit();
  Table table;
  table.columns = {{"fit"}, {"label", Align::kLeft, Wrap::kYes}, {"data set"}, {"fold"}, {"seed", Align::kRight}, {"state"}, {"time", Align::kRight}, {"memory", Align::kRight}, {"measured", Align::kRight}};
  double seconds = 0;
  std::size_t total = 0, left = 0, tuning_left = 0;
  bool unknown = false;
  const auto add = [&](const PlannedTrial& t, const std::string& fit, std::string label, const std::string& state, double expected, double bytes, std::size_t all, std::size_t to_do, double measured = 0) {
    total += all;
    left += to_do;
    if (to_do > 0) {
      if (expected >= 0) seconds += expected;
      else unknown = true;
    }
    table.add({fit, std::move(label), t.dataset->label, t.fold, static_cast<std::int64_t>(t.seed), state,
               expected < 0 ? Cell("?", Cell::Data{}) : Cell("~" + format_seconds(expected), expected), Cell("~" + format_bytes(bytes), bytes), measured > 0 ? Cell(format_bytes(measured), measured) : Cell("-", Cell::Data{})});
  };
  const auto cost = [&](const PlannedTrial& t) { return estimate(suite.spec, t, datasets.summary(*t.dataset), session.algorithms, journal, trial_threads(options)); };
  for (const Work& work : find_work(suite.spec, plan, session.algorithms, options)) {
    const PlannedTrial& t = plan.trials[work.trial];
    const Estimate e = cost(t);
    double measured = 0;
    if (const fs::path file = options.results.trial_file(t.fit); fs::exists(file)) measured = static_cast<double>(TrialFile(file).timing().peak_rss_bytes);
    const std::string state = !work.any() ? "done" : work.fit ? "to do" : work.views ? "lists missing" : "latency missing";
    add(t, t.fit, t.algorithm->label, state, e.seconds, e.bytes, 1, work.any() ? 1 : 0, measured);
  }
  // What is left of a tuner, at what the proposals of its next round cost.
  const auto tuning_estimate = [&](const PlannedTrial& row, const Tuning& tuning) {
    Estimate all = cost(row);
    double seconds_of_round = 0, fits = 0;
    for (const std::size_t i : tuning.missing()) {
      PlannedTrial trial = row;
      trial.fit = tuning.trials[i].fit;
      trial.params = tuning.trials[i].params;
      const Estimate e = cost(trial);
      seconds_of_round = seconds_of_round < 0 || e.seconds < 0 ? -1 : seconds_of_round + e.seconds;
      fits += tuning.share(i);
      all.bytes = std::max(all.bytes, e.bytes);
    }
    if (fits > 0) all.seconds = seconds_of_round < 0 ? -1 : seconds_of_round / fits * tuning.rest;
    return all;
  };
  // Rows that wait for their tuner.
  for (const PlannedTrial& t : plan.trials) {
    if (!t.tuning || !is_wanted(*t.algorithm, options.only)) continue;
    const Tuning& tuning = plan.tunings[*t.tuning];
    const Estimate e = cost(t);
    const std::size_t to_do = tuning.left();
    if (t.seed == tuning.seed) {
      tuning_left += to_do;
      const Estimate search = tuning_estimate(t, tuning);
      add(t, fmt::format("{} tuning trials", tuning.planned), t.algorithm->label, to_do == 0 ? "done" : fmt::format("{} to do", to_do),
          search.seconds, search.bytes, tuning.planned, to_do);
    }
    if (t.open) add(t, "", t.algorithm->label, tuning.finished ? "all its trials failed" : "after tuning", e.seconds, e.bytes, 1, tuning.finished ? 0 : 1);
  }
  show(table, format);
  if (format == TableFormat::kText)
    fmt::print("{} of {} trials to run{}{}; nothing was run\n", left, total, tuning_left > 0 ? fmt::format(", {} of them for tuning", tuning_left) : "", left == 0 ? "" : unknown ? ", too little known to say how long" : fmt::format(", about {} with --jobs {}", format_seconds(seconds / options.jobs), options.jobs));
  return ExitCode::kOk;
}

ExitCode run_suite(Session& session, const RunArguments& args) {
  LoadedSuite suite = load_suite(session, args.suite, args.overrides, args.plugins);
  RunOptions options;
  options.results.root = args.output.empty() ? fs::path("results") / suite.spec.name : fs::path(args.output);
  options.program = fs::read_symlink("/proc/self/exe");
  options.threads = args.threads;
  options.jobs = args.jobs;
  options.only = resolve_only(args.only, suite.spec);
  options.fresh = args.fresh;
  options.quiet = session.quiet;
  if (!args.timeout.empty()) options.timeout_seconds = parse_duration(args.timeout);
  options.checkpoint_seconds = args.checkpoint_every == "never" ? -1 : args.checkpoint_every == "epoch" ? 0 : parse_duration(args.checkpoint_every);
  if (args.jobs < 1) throw UsageError("--jobs is 1 or more, not {}", args.jobs);

  // Files of a suite are looked for below the data folders, then beside the suite.
  const fs::path folder = fs::absolute(args.suite).parent_path();
  session.roots.folders.push_back(folder);
  DatasetStore datasets = open_datasets(session);
  TuningResults tuned = stored_tuning_results(options.results);
  if (args.fresh)  // what cannot be read is no obstacle to doing it anew
    tuned = [read = std::move(tuned)](const std::string& fit) -> std::optional<TuningResult> {
      try {
        return read(fit);
      } catch (const DataError&) {
        return std::nullopt;
      }
    };
  Plan plan = make_plan(suite.spec, session.algorithms, datasets, tuned);
  plan.manifest.folder = folder.string();
  if (args.dry_run) return dry_run(suite, plan, session, datasets, options, args.format);

  const RunSummary summary = run_plan(suite.spec, plan, session.algorithms, datasets, options);
  if (summary.interrupted) {
    log_warning("interrupted; what was finished is kept. The same command goes on where it stopped.");
    return ExitCode::kInterrupted;
  }
  if (summary.up_to_date) log_info("up to date: all {} trials are in {}", summary.trials, options.results.root.string());
  const LeaderboardOptions statistics;
  std::vector<Leaderboard> boards;
  const Executor exec(args.threads);
  for (const TaskEvidence& evidence : gather_evidence({&options.results, 1})) boards.push_back(cached_leaderboard(evidence, statistics, exec));
  show_leaderboards(boards, statistics, args.format);
  std::fflush(stdout);  // before what goes to stderr, where both end in one file
  if (!summary.up_to_date) {
    std::vector<DrawnPlot> plots;
    if (!suite.spec.plots.empty()) plots = draw_plots(gather({{options.results.root.string()}, ""}), {.plots = suite.spec.plots, .metric = {}, .folder = {}, .statistics = statistics}, exec);
    if (!session.quiet) {
      fmt::print(stderr, "\nresults  {}\n", (options.results.root / "trials").string());
      for (const ManifestTask& t : plan.manifest.tasks) fmt::print(stderr, "task     {}\n", options.results.task_file(t.id).string());
      for (const DrawnPlot& plot : plots) fmt::print(stderr, "plot     {}\n", plot.figure.png.string());
    }
  }
  return summary.failed > 0 ? ExitCode::kSomeTrialsFailed : ExitCode::kOk;
}

ExitCode run_trial_process(Session& session, const std::string& file) {
  const auto send = [](const TrialMessage& m) {
    const std::string line = m.to_line();
    for (std::size_t at = 0; at < line.size();) {
      const ssize_t n = ::write(kMessagePipe, line.data() + at, line.size() - at);
      if (n <= 0) return;
      at += static_cast<std::size_t>(n);
    }
  };
  const auto error = [&](const std::string& text, ExitCode code) {
    send({TrialMessage::Kind::kError, text, 0, 0, 0, {}});
    return code;
  };
  try {
    const Job job = Job::from_json(read_text_file(file));
    enter_trial_process(job.memory_limit);
    load_plugins(session, job.plugins);
    try {
      run_trial(job, session.algorithms, send, trial_interrupted);
    } catch (const std::bad_alloc&) {
      return error(fmt::format("out of memory: needed more than its cap of {}", format_bytes(static_cast<double>(job.memory_limit))), ExitCode::kSomeTrialsFailed);
    }
    return ExitCode::kOk;
  } catch (const Error& e) {
    return error(e.what(), e.code() == ExitCode::kInterrupted ? ExitCode::kInterrupted : ExitCode::kSomeTrialsFailed);
  } catch (const std::exception& e) {
    return error(e.what(), ExitCode::kSomeTrialsFailed);
  } catch (...) {
    return error("an exception of an unknown type", ExitCode::kSomeTrialsFailed);
  }
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  auto args = std::make_shared<RunArguments>();
  CLI::App& cmd = add_command(app, "run", "runs a suite: plans, trains, ranks, stores, shows the leaderboard",
                              {{"segue run experiments/quickstart.yaml", "seven algorithms on the built-in music world"},
                               {"segue run suite.yaml --only popular,item_knn --threads 2", "some rows, two threads"},
                               {"segue run suite.yaml algorithms.implicit_als.factors=32,64 seeds=[1,2]", "overrides; a list is a grid"},
                               {"segue run suite.yaml --dry-run", "what would run, with ids and estimates"}});
  cmd.add_option("SUITE", args->suite, "the suite to run")->required()->type_name("FILE");
  cmd.add_option("OVERRIDES", args->overrides, "a.b=1 changes, +a.b=1 adds, ~a.b removes")->type_name("KEY=VALUE");
  cmd.add_option("-o,--output", args->output, "folder of results; default: results/<suite name>")->type_name("DIR");
  cmd.add_option("--threads", args->threads, "threads per trial; 0: all cores, shared between jobs")->type_name("N");
  cmd.add_option("--jobs", args->jobs, "trials at the same time; latency is always measured alone")->type_name("N")->default_str("1");
  cmd.add_option("--only", args->only, "labels of rows to run, separated by commas")->delimiter(',')->allow_extra_args(false)->type_name("LABEL");
  cmd.add_option("--timeout", args->timeout, "longest time for a trial, e.g. 30m; of a resumed one, all of it")->type_name("TIME");
  cmd.add_option("--checkpoint-every", args->checkpoint_every, "how often a fit in epochs is saved, to go on there if it is stopped: a time, or epoch (behind each), or never")->type_name("TIME")->default_str("30s");
  add_plugins(cmd, args->plugins);
  cmd.add_flag("--dry-run", args->dry_run, "resolve everything, list the trials, run nothing");
  cmd.add_flag("--fresh", args->fresh, "redo what is already done, from nothing");
  add_format(cmd, args->format);
  on_run(cmd, session, [args, &session] { return run_suite(session, *args); });

  auto job = std::make_shared<std::string>();
  CLI::App& trial = add_command(app, "__trial", "runs one trial for a supervisor", {});
  trial.group("");  // not for people
  trial.add_option("JOB", *job)->required();
  on_run(trial, session, [job, &session] { return run_trial_process(session, *job); });
}

}  // namespace segue
