// segue report
#include "framework/report/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/experiment/spec.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> results, plots;
  std::string output, title;
  bool no_plots = false;
};

// What stands between <name> and </name>, its entities read.
std::string content(const std::string& svg, const std::string& name) {
  const std::size_t open = svg.find("<" + name + ">"), close = svg.find("</" + name + ">");
  if (open == std::string::npos || close == std::string::npos || close < open) return "";
  const std::size_t from = open + name.size() + 2;
  std::string text = svg.substr(from, close - from);
  for (const auto& [entity, c] : {std::pair{"&lt;", "<"}, std::pair{"&gt;", ">"}, std::pair{"&amp;", "&"}})
    for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; ++at)
      text.replace(at, std::string(entity).size(), c);
  return text;
}

std::vector<ReportFigure> draw(const ResultsFolder& results, const Arguments& args) {
  std::vector<ReportFigure> figures;
  if (args.no_plots) return figures;
  try {
    for (fs::path path : draw_plots(results, args.plots.empty() ? plot_names() : args.plots)) {
      const std::string svg = read_text_file(path.replace_extension(".svg"));
      figures.push_back(report_figure(path.stem().string(), content(svg, "title"), content(svg, "desc"), svg));
    }
  } catch (const EnvironmentError& error) {  // no gnuplot: everything else is worth having
    log_warning("the report has no figures: {}", error.what());
    figures.clear();
  }
  return figures;
}

ExitCode report(const Arguments& args) {
  for (const std::string& p : args.plots)
    if (std::find(plot_names().begin(), plot_names().end(), p) == plot_names().end())
      throw UsageError("unknown plot '{}'{}", p, suggestion(p, plot_names()));
  if (args.results.size() > 1 && args.output.empty())
    throw UsageError("a report on several folders needs a place: -o FILE");
  std::vector<ReportSource> sources;
  for (const std::string& folder : args.results) {
    const ResultsFolder results{folder};
    results.read_manifest();  // says that it is no results folder before anything is drawn
    sources.push_back({results, draw(results, args)});
  }
  const fs::path output = args.output.empty() ? sources.front().results.root / "report.html" : fs::path(args.output);
  if (output.has_parent_path()) fs::create_directories(output.parent_path());
  write_text_file(output, render_html(build_report(sources, args.title)));
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
  cmd.add_option("RESULTS", args->results, "folders that `segue run` made")->required()->type_name("DIR");
  cmd.add_option("-o,--output", args->output, "the file to write; default: RESULTS/report.html")->type_name("FILE");
  cmd.add_option("--title", args->title, "heading; default: the suite's name")->type_name("TEXT");
  cmd.add_option("--plots", args->plots, "which, separated by commas; default: all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name(fmt::format("{}", fmt::join(plot_names(), "|")));
  cmd.add_flag("--no-plots", args->no_plots, "draw nothing");
  on_run(cmd, session, [args] { return report(*args); });
}

}  // namespace segue
