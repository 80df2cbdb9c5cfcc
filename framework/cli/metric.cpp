// segue metric list | show
#include <cmath>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/eval/metrics.hpp"

namespace segue {

namespace {

struct Options {
  std::string name;
  TableFormat format = TableFormat::kText;
};

std::string display_name(const MetricCard& card) { return card.has_cutoff ? card.name + "@k" : card.name; }

std::string range(const MetricCard& card) {
  return std::isinf(card.high) ? fmt::format("[{:g}, inf)", card.low)
                               : fmt::format("[{:g}, {:g}]", card.low, card.high);
}

ExitCode list(const Options& o) {
  Table table{.columns = {{"name"},
                          {"title", Align::kLeft, Wrap::kYes},
                          {"range"},
                          {"better"},
                          {"mean over", Align::kLeft, Wrap::kYes}}};
  for (const MetricCard& card : metric_cards())
    table.add({display_name(card), card.title, range(card), card.higher_is_better ? "higher" : "lower", card.averaged});
  if (o.format == TableFormat::kText) {  // too long for a line; `metric show` has it
    table.columns.pop_back();
    for (auto& row : table.rows) row.pop_back();
  }
  show(table, o.format);
  return ExitCode::kOk;
}

ExitCode show_one(const Options& o) {
  const MetricCard& card = find_metric(o.name.substr(0, o.name.find('@')));  // "ndcg@10" means ndcg here
  Table record = record_table();
  record.add({"name", Cell(display_name(card), Cell::Data(card.name))});
  record.add({"title", card.title});
  record.add({"formula", card.formula});
  record.add({"citation", card.citation});
  record.add({"range", range(card)});
  record.add({"better", card.higher_is_better ? "higher" : "lower"});
  record.add({"mean over", card.averaged});
  if (!card.variants.empty()) record.add({"variants", card.variants});
  record.add({"version", card.version});
  show(record, o.format);
  return ExitCode::kOk;
}

}  // namespace

void add_metric(CLI::App& app, Session& session) {
  CLI::App& metric = add_command(
      app, "metric", "the metrics and what exactly they compute",
      {{"segue metric list", "every metric in one line"}, {"segue metric show ndcg", "its definition card"}});
  metric.require_subcommand(1);

  auto o = std::make_shared<Options>();
  CLI::App& all = add_command(metric, "list", "lists the metrics",
                              {{"segue metric list", "name, title, range, direction"},
                               {"segue metric list --format md", "as a Markdown table"}});
  add_format(all, o->format);
  on_run(all, session, [o] { return list(*o); });

  CLI::App& one = add_command(metric, "show", "shows the definition card of one metric",
                              {{"segue metric show ndcg", "formula, citation, and what other libraries compute"},
                               {"segue metric show recall@20", "the same card for every cut-off"}});
  one.add_option("NAME", o->name, "the metric, with or without @k")->required()->type_name("METRIC");
  add_format(one, o->format);
  on_run(one, session, [o] { return show_one(*o); });
}

}  // namespace segue
