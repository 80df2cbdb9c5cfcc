// `segue tuning`: what the tuners of a suite have tried.
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "framework/base/errors.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/experiment/tuner.hpp"

namespace segue {

namespace {

struct Options {
  std::string results, label;
  TableFormat format{};
};

struct Row {
  std::size_t number = 0;  // in the order of proposal
  const ManifestTuning::Trial* trial = nullptr;
  std::optional<TuningResult> result;
};

// Best first: trials with more epochs, then the better value; what failed or has not run comes last.
std::vector<Row> rows_of(const ManifestTuning& tuning, const TuningResults& results) {
  std::vector<Row> rows;
  for (const ManifestTuning::Trial& t : tuning.trials) rows.push_back({rows.size() + 1, &t, results(t.fit)});
  const double sign = parse_metric(tuning.metric).card->higher_is_better ? 1 : -1;
  const auto place = [&](const Row& r) {
    const int kind = !r.result ? 0 : r.result->failed ? 1 : 2;
    return std::tuple(kind, r.trial->epochs, kind == 2 ? sign * r.result->value : 0.0);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return place(a) > place(b); });
  return rows;
}

Cell status_cell(const Row& row, const ManifestTuning& tuning) {
  if (!row.result) return Cell("to do").mark(Emphasis::kFaint);
  if (row.result->failed) return Cell(row.result->error).mark(Emphasis::kBad);
  return row.trial->fit == tuning.winner ? Cell("winner").mark(Emphasis::kGood) : Cell("ok");
}

ExitCode tuning(const Options& o) {
  const ResultsFolder folder{o.results};
  const Manifest manifest = folder.read_manifest();
  if (manifest.tuning.empty())
    throw UsageError("nothing was tuned in {}; see 'tune' in experiments/README.md", o.results);
  const TuningResults results = stored_tuning_results(folder);
  Table all;
  all.columns = {{"label", Align::kLeft, Wrap::kYes},
                 {"data set"},
                 {"fold"},
                 {"trial", Align::kRight},
                 {"fit"},
                 {"settings", Align::kLeft, Wrap::kYes},
                 {"epochs", Align::kRight},
                 {"metric"},
                 {"validation", Align::kRight},
                 {"fit s", Align::kRight},
                 {"status", Align::kLeft, Wrap::kYes}};
  std::vector<std::string> labels;
  bool first = true;
  for (const ManifestTuning& t : manifest.tuning) {
    labels.push_back(t.label);
    if (!o.label.empty() && o.label != t.label && o.label + " (tuned)" != t.label) continue;
    Table table;
    table.columns = {{"", Align::kRight},
                     {"settings", Align::kLeft, Wrap::kYes},
                     {t.metric + " on validation", Align::kRight},
                     {"fit s", Align::kRight},
                     {"status", Align::kLeft, Wrap::kYes}};
    std::size_t done = 0;
    for (const Row& row : rows_of(t, results)) {
      const bool ok = row.result && !row.result->failed;
      done += row.result.has_value();
      const std::string settings = settings_text(Value::from_json(row.trial->settings));
      const Cell value =
          ok ? Cell(fmt::format("{:.4f}", row.result->value), row.result->value) : Cell("-", Cell::Data{});
      const Cell seconds =
          row.result ? Cell(fmt::format("{:.2f}", row.result->seconds), row.result->seconds) : Cell("-", Cell::Data{});
      const Cell epochs =
          row.trial->epochs > 0 ? Cell(static_cast<std::int64_t>(row.trial->epochs)) : Cell("-", Cell::Data{});
      all.add({t.label, t.dataset, t.fold, static_cast<std::int64_t>(row.number), row.trial->fit, settings, epochs,
               t.metric, value, seconds, status_cell(row, t)});
      table.add({static_cast<std::int64_t>(row.number),
                 row.trial->epochs > 0 ? fmt::format("{}, epochs={}", settings, row.trial->epochs) : settings, value,
                 seconds, status_cell(row, t)});
    }
    if (o.format != TableFormat::kText && o.format != TableFormat::kMarkdown) continue;
    fmt::print("{}{}{} on {}{}: {} of {} trials by {}, seed {}\nspace: {}\n{}", first ? "" : "\n",
               o.format == TableFormat::kMarkdown ? "### " : "", t.label, t.dataset,
               t.fold == "all" ? "" : " " + t.fold, done, t.planned, t.strategy, t.seed, t.space,
               o.format == TableFormat::kMarkdown ? "\n" : "");
    show(table, o.format);
    first = false;
  }
  if (all.rows.empty()) throw UsageError("'{}' was not tuned{}", o.label, suggestion(o.label, labels));
  if (o.format != TableFormat::kText && o.format != TableFormat::kMarkdown) show(all, o.format);
  return ExitCode::kOk;
}

}  // namespace

void add_tuning(CLI::App& app, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(app, "tuning", "lists every setting that a suite's tuners have tried, best first",
                              {{"segue tuning results/tuned-demo", "settings, validation metric, seconds"},
                               {"segue tuning results/tuned-demo --label sgd_mf", "of one row"},
                               {"segue tuning results/tuned-demo --format csv", "a line a trial, for other programs"}});
  cmd.add_option("RESULTS", o->results, "folder that `segue run` made")->required()->type_name("DIR");
  cmd.add_option("--label", o->label, "one row, with or without its '(tuned)'")->type_name("LABEL");
  add_format(cmd, o->format);
  on_run(cmd, session, [o] { return tuning(*o); });
}

}  // namespace segue
