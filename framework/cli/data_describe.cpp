// segue data describe
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/dataset_figures.hpp"
#include "framework/eval/summary.hpp"

namespace segue {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> settings;
  TableFormat format = TableFormat::kText;
};

// Three digits where there is a fraction, whole numbers from 100 on: a row fits 80 columns.
Cell figure(double value) { return value < 100 ? Cell::general(value, 3) : Cell::fixed(value, 0); }

void add_distribution(Table& table, const std::string& what, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<Cell> row{what, values.size(), figure(mean_of(values))};
  for (const double p : {0, 10, 25, 50, 75, 90, 99, 100}) row.push_back(figure(percentile_of_sorted(values, p)));
  row.push_back(Cell::fixed(gini(values), 2));
  table.add(std::move(row));
}

Table distributions(const Dataset& data) {
  const Align right = Align::kRight;
  Table table{.columns = {{"per", Align::kLeft},
                          {"n", right},
                          {"mean", right},
                          {"min", right},
                          {"10%", right},
                          {"25%", right},
                          {"50%", right},
                          {"75%", right},
                          {"90%", right},
                          {"99%", right},
                          {"max", right},
                          {"gini", right}}};
  add_distribution(table, "events/user", events_per_user(data));
  add_distribution(table, "events/item", events_per_item(data));
  if (data.has_sessions) add_distribution(table, "events/session", events_per_session(data.events));
  return table;
}

Table shares(const std::string& name, const std::vector<std::pair<Cell, std::size_t>>& counts, std::size_t total) {
  Table table{.columns = {{name}, {"events", Align::kRight}, {"share", Align::kRight}}};
  for (const auto& [what, n] : counts) {
    const double share = static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(1, total));
    table.add({what, n, Cell(fmt::format("{:.1f} %", 100 * share), share)});
  }
  return table;
}

// How many items of each class there are, in all and in each fold.
Table classes(const ItemClass& kind) {
  Table table{.columns = {{"class", Align::kLeft}, {"items", Align::kRight}}};
  for (std::size_t f = 0; f < kind.folds.size(); ++f)
    table.columns.push_back({fmt::format("fold {}", kind.folds[f]), Align::kRight});
  std::vector<std::vector<std::size_t>> counts(kind.classes.size() + 1,
                                               std::vector<std::size_t>(kind.folds.size() + 1));
  for (std::size_t i = 0; i < kind.class_of.size(); ++i) {
    auto& row = counts[std::min<std::size_t>(kind.class_of[i], kind.classes.size())];
    ++row[0];
    if (kind.fold_of[i] != ItemClass::kNone) ++row[1 + kind.fold_of[i]];
  }
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (c == kind.classes.size() && counts[c][0] == 0) continue;
    std::vector<Cell> row{c == kind.classes.size() ? Cell("none", Cell::Data()) : Cell(std::string(kind.classes[c]))};
    row.insert(row.end(), counts[c].begin(), counts[c].end());
    table.add(std::move(row));
  }
  return table;
}

void show_all(NamedTables tables, TableFormat format) {
  if (format == TableFormat::kText) {
    for (auto& [name, table] : tables) name.clear();
  }
  show(tables, format);
}

ExitCode describe(const Options& o, const Session& session) {
  const Dataset data = find_dataset(session, o.name).make()->load(parse_settings(o.settings), session.roots);
  const Events& events = data.events;
  NamedTables tables;
  if (const auto* kind = data.facets.find<ItemClass>()) tables.emplace_back("classes", classes(*kind));
  if (has_only_items(data)) {
    if (tables.empty())
      throw UsageError("data set '{}' has neither events nor classes: {}", dataset_text(o.name, o.settings),
                       contents_of(data));
    show_all(std::move(tables), o.format);
    return ExitCode::kOk;
  }
  tables.emplace_back("distributions", distributions(data));

  std::map<EventKind, std::size_t> kinds;
  std::map<float, std::size_t> stars;
  for (std::size_t i = 0; i < events.size(); ++i) {
    ++kinds[events.kinds()[i]];
    if (events.kinds()[i] == EventKind::kRating && stars.size() <= 20) ++stars[events.values()[i]];
  }
  const std::size_t repeats = events.size() - distinct_pairs(events);
  std::vector<std::pair<Cell, std::size_t>> rows;
  for (const auto& [kind, n] : kinds) rows.emplace_back(event_kind_name(kind), n);
  rows.emplace_back("an item again, of any kind", repeats);
  tables.emplace_back("kinds", shares("kind", rows, events.size()));
  if (data.has_ratings && stars.size() > 1 && stars.size() <= 20) {
    rows.clear();
    for (const auto& [value, n] : stars) rows.emplace_back(Cell::general(static_cast<double>(value)), n);
    tables.emplace_back("ratings", shares("rating", rows, events.size()));
  }
  show_all(std::move(tables), o.format);
  return ExitCode::kOk;
}

}  // namespace

void add_data_describe(CLI::App& data, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(data, "describe", "loads a data set and prints how events and classes are spread",
                  {{"segue data describe demo", "events per user and item, kinds, repeats"},
                   {"segue data describe movielens edition=100k", "with a setting of the loader"},
                   {"segue data describe demo --format json", "for programs"}});
  add_dataset(cmd, o->name, o->settings);
  add_format(cmd, o->format);
  on_run(cmd, session, [o, &session] { return describe(*o, session); });
}

}  // namespace segue
