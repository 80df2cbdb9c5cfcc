// segue report
#include "framework/report/report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/report/figures.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  ResultsArguments results;
  std::vector<std::string> plots;
  std::string output, title;
  bool no_plots = false;
};

std::vector<ReportFigure> draw(const std::vector<TaskEvidence>& tasks, const Arguments& args, const fs::path& folder, const Executor& exec) {
  std::vector<ReportFigure> figures;
  if (args.no_plots) return figures;
  try {
    for (const DrawnPlot& plot : draw_plots(tasks, {.plots = args.plots, .metric = {}, .folder = folder, .statistics = {}}, exec)) {
      const plot::RenderedFigure& f = plot.figure;
      figures.push_back(report_figure(f.svg.stem().string(), f.title, f.description, read_text_file(f.svg)));
    }
  } catch (const EnvironmentError& error) {  // no gnuplot: everything else is worth having
    log_warning("the report has no figures: {}", error.what());
    figures.clear();
  }
  return figures;
}

ExitCode report(const Arguments& args) {
  if (args.results.folders.size() > 1 && args.output.empty())
    throw UsageError("a report on several folders needs a place: -o FILE");
  ReportInput input;
  for (const std::string& text : args.results.folders) input.folders.push_back(parse_results(text).first);
  const Executor exec;
  input.tasks = gather(args.results);
  const fs::path output = args.output.empty() ? input.folders.front().root / "report.html" : fs::path(args.output);
  if (output.has_parent_path()) fs::create_directories(output.parent_path());
  // Plots of one folder are that folder's own, where it can be written to; those over several belong to none.
  const bool own = input.folders.size() == 1 && ::access(input.folders.front().root.c_str(), W_OK) == 0;
  const fs::path plots = own ? fs::path() : fs::path(output.string() + ".plots");
  input.figures = draw(input.tasks, args, plots, exec);
  input.title = args.title;
  write_text_file(output, render_html(build_report(input, exec)));
  fmt::print("{}\n", output.string());
  return ExitCode::kOk;
}

}  // namespace

void add_report(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(
      app, "report", "writes leaderboards, figures and provenance as one HTML file",
      {{"segue report results/quickstart", "writes results/quickstart/report.html"},
       {"segue report results/a results/b -o report.html", "several folders, one file"},
       {"segue report results/a --plots metric_bars --title 'Table 2'", "one kind of plot, another title"}});
  add_results(cmd, args->results);
  cmd.add_option("-o,--output", args->output, "the file to write; default: RESULTS/report.html")->type_name("FILE");
  cmd.add_option("--title", args->title, "heading; default: the suite's name")->type_name("TEXT");
  cmd.add_option("--plots", args->plots, "which, separated by commas; default: all that have something to show (see `segue plot --list`)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("PLOT");
  cmd.add_flag("--no-plots", args->no_plots, "draw nothing");
  on_run(cmd, session, [args] { return report(*args); });
}

}  // namespace segue
