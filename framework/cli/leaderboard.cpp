#include <fmt/core.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/experiment/spec.hpp"

namespace segue {

void add_leaderboard(CLI::App& app, Session& session) {
  struct Arguments {
    std::string results, task;
    TableFormat format{};
  };
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "leaderboard", "ranks the rows of a results folder, computed from the stored lists",
                              {{"segue leaderboard results/quickstart", "one table a task"},
                               {"segue leaderboard results/quickstart --task full --format md", "one task, for a report"},
                               {"segue leaderboard results/quickstart --format json", "for scripts"}});
  cmd.add_option("RESULTS", args->results, "folder that `segue run` made")->required()->type_name("DIR");
  cmd.add_option("--task", args->task, "one task, by name or id")->type_name("NAME");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] {
    const ResultsFolder results{args->results};
    std::vector<Leaderboard> boards = build_leaderboards(results);
    if (!args->task.empty()) {
      const std::vector<Leaderboard> wanted = build_leaderboards(results, args->task);
      if (args->format == TableFormat::kJson) boards.insert(boards.begin(), wanted.front());  // first, and among all
      else boards = wanted;
    }
    show_leaderboards(results, boards, args->format);
    return ExitCode::kOk;
  });
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

void add_plot(CLI::App& app, Session& session) {
  struct Arguments {
    std::string results;
    std::vector<std::string> plots;
  };
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "plot", "draws a results folder's plots again, without training",
                              {{"segue plot results/quickstart", "those that the suite names"},
                               {"segue plot results/quickstart metric_bars accuracy_latency", "these"}});
  cmd.add_option("RESULTS", args->results, "folder that `segue run` made")->required()->type_name("DIR");
  cmd.add_option("PLOTS", args->plots, "which; default: those of the suite")->type_name("metric_bars|learning_curves|accuracy_latency");
  on_run(cmd, session, [args] {
    const ResultsFolder results{args->results};
    std::vector<std::string> plots = args->plots.empty() ? results.read_manifest().plots : args->plots;
    for (const std::string& p : plots)
      if (std::find(plot_names().begin(), plot_names().end(), p) == plot_names().end()) throw UsageError("unknown plot '{}'{}", p, suggestion(p, plot_names()));
    if (plots.empty()) plots = plot_names();
    for (const auto& png : draw_plots(results, plots)) fmt::print("{}\n", png.string());
    return ExitCode::kOk;
  });
}

}  // namespace segue
