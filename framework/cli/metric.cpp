// segue metric list | show
#include <cmath>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/eval/dialects.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/eval/slices.hpp"

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

std::string direction(const MetricCard& card) {
  if (card.descriptive) return "neither";
  return card.higher_is_better ? "higher" : "lower";
}

std::string needs(const MetricCard& card) {
  std::string text;
  for (const Fact fact : card.needs) text += (text.empty() ? "" : "; ") + std::string(fact_name(fact));
  return text;
}

// "trec: P_k (the same); lenskit: Precision@k": what the libraries of --as call it.
std::string elsewhere(const MetricCard& card) {
  std::string text;
  for (const std::string& library : dialect_names()) {
    for (const DialectMetric& m : dialect(library)) {
      if (m.ours != card.name) continue;
      std::string name = m.name;
      if (const std::size_t at = name.find("{k}"); at != std::string::npos) name.replace(at, 3, "k");
      text += fmt::format("{}{}: {}{}", text.empty() ? "" : "; ", library, name, m.same ? " (the same)" : "");
    }
  }
  return text;
}

// What of a metric a slice looks at.
std::string part(const SliceCard& slice) {
  return slice.kind == SliceKind::kItems ? "queries with truth in the slice" : "queries of the slice with truth";
}

void describe(Table& record, const SliceCard& slice) {
  record.add({"slice", slice.names()});
  record.add({"slice title", slice.title});
  record.add({"slice holds", slice.definition});
  record.add({"slice restricts", slice.kind == SliceKind::kItems
                                     ? "the truth: places in the lists stay as they are, and truth items outside are "
                                       "neither hits nor counted"
                                     : "the queries: their truth stays whole"});
  if (!slice.citation.empty()) record.add({"slice citation", slice.citation});
}

ExitCode list(const Options& o) {
  Table table{.columns = {{"name"},
                          {"title", Align::kLeft, Wrap::kYes},
                          {"range"},
                          {"better"},
                          {"mean over", Align::kLeft, Wrap::kYes}}};
  for (const MetricCard& card : metric_cards())
    table.add({display_name(card), card.title, range(card), direction(card), card.averaged});
  for (const SliceCard& slice : slice_cards()) table.add({":" + slice.names(), slice.title, "", "", part(slice)});
  if (o.format == TableFormat::kText) {  // too long for a line; `metric show` has it
    table.columns.pop_back();
    for (auto& row : table.rows) row.pop_back();
  }
  show(table, o.format);
  return ExitCode::kOk;
}

ExitCode show_one(const Options& o) {
  Table record = record_table();
  const std::size_t colon = o.name.find(':');
  const std::string name = o.name.substr(0, std::min(colon, o.name.find('@')));  // "ndcg@10" means ndcg here
  if (name.empty() && colon == 0) {                                              // ":cold": the slice alone
    describe(record, *parse_slice(o.name.substr(1)).card);
    show(record, o.format);
    return ExitCode::kOk;
  }
  const MetricCard& card = find_metric(name);
  record.add({"name", Cell(display_name(card), Cell::Data(card.name))});
  record.add({"title", card.title});
  record.add({"formula", card.formula});
  record.add({"citation", card.citation});
  record.add({"range", range(card)});
  record.add({"better", direction(card)});
  record.add({"mean over", card.averaged});
  if (!card.variants.empty()) record.add({"variants", card.variants});
  if (const std::string names = elsewhere(card); !names.empty()) record.add({"elsewhere", names});
  if (!card.needs.empty()) record.add({"needs", needs(card)});
  record.add({"version", card.version});
  if (colon != std::string::npos) {
    const std::string whole = card.has_cutoff ? MetricSpec{&card, 10}.text() : card.name;
    describe(record, *parse_metric(whole + o.name.substr(colon)).slice.card);  // refuses what does not go together
  }
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
  CLI::App& all = add_command(metric, "list", "lists the metrics and the slices",
                              {{"segue metric list", "name, title, range, direction"},
                               {"segue metric list --format md", "as a Markdown table"}});
  add_format(all, o->format);
  on_run(all, session, [o] { return list(*o); });

  CLI::App& one = add_command(metric, "show", "shows the definition card of one metric",
                              {{"segue metric show ndcg", "formula, citation, and what other libraries compute"},
                               {"segue metric show recall@20", "the same card for every cut-off"},
                               {"segue metric show ndcg@10:cold", "the metric, and what the slice 'cold' is"}});
  one.add_option("NAME", o->name, "the metric, with or without @k and :slice")->required()->type_name("METRIC");
  add_format(one, o->format);
  on_run(one, session, [o] { return show_one(*o); });
}

}  // namespace segue
