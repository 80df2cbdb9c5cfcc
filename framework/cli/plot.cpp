#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/report/figures.hpp"

namespace segue {

namespace {

struct Arguments {
  std::string results, output, size = "column";
  std::vector<std::string> also;
  PlotOptions options;
  bool all = false, list = false;
};

ExitCode draw(Arguments& args) {
  if (args.list) {
    Table table({{"plot"}, {"what", Align::kLeft, Wrap::kYes}});
    for (const PlotKind& kind : plot_kinds()) table.add({kind.name, kind.description});
    show(table, TableFormat::kText);
    return ExitCode::kOk;
  }
  if (args.results.empty()) throw UsageError("RESULTS is missing: name a folder that `segue run` made");
  if (args.size != "column" && args.size != "page") throw UsageError("--size: unknown '{}'{}", args.size, suggestion(args.size, {"column", "page"}));
  args.options.size = args.size == "page" ? plot::FigureSize::kPage : plot::FigureSize::kColumn;
  args.options.folder = args.output;
  ResultsArguments results{{args.results}, ""};
  results.folders.insert(results.folders.end(), args.also.begin(), args.also.end());
  if (args.options.plots.empty() && !args.all) {
    args.options.plots = parse_results(args.results).first.read_manifest().plots;
    if (args.options.plots.empty()) throw UsageError("the suite names no plots; name some, or --all: {}", fmt::join(plot_names(), ", "));
  }
  const Executor exec;
  const std::vector<DrawnPlot> drawn = draw_plots(gather(results), args.options, exec);
  for (const DrawnPlot& plot : drawn) fmt::print("{}\n", plot.figure.png.string());
  if (drawn.empty() && (args.all || !args.options.plots.empty())) throw UsageError("none of these plots has anything to show in {}", args.results);
  return ExitCode::kOk;
}

}  // namespace

void add_plot(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "plot", "draws plots from stored results, without training: .svg, .png, .pdf and what made them",
                              {{"segue plot results/quickstart", "those that the suite names"},
                               {"segue plot results/quickstart --all", "every plot that has something to show"},
                               {"segue plot results/quickstart p_values --metric recall@20", "one plot, of another metric"},
                               {"segue plot results/a critical_difference --also results/b --also results/c", "ranks over the tasks of several folders"},
                               {"segue plot --list", "all plots"}});
  cmd.add_option("RESULTS", args->results, "folder that `segue run` made, or FOLDER:TASK")->type_name("DIR");
  cmd.add_option("PLOTS", args->options.plots, "which; default: those of the suite")->type_name("PLOT");
  cmd.add_flag("--all", args->all, "every plot that has something to show");
  cmd.add_flag("--list", args->list, "lists the plots and draws none");
  cmd.add_option("--metric", args->options.metric, "for plots of one metric; default: the first of each task")->type_name("METRIC");
  cmd.add_option("--also", args->also, "further results folders; may be repeated")->allow_extra_args(false)->type_name("DIR");
  cmd.add_option("--size", args->size, "width in a two-column paper: 3.4 or 7 inches")->type_name("column|page")->default_str("column");
  cmd.add_option("-o,--output", args->output, "folder for the files; default: RESULTS/plots")->type_name("DIR");
  on_run(cmd, session, [args] { return draw(*args); });
}

}  // namespace segue
