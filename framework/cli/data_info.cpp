// segue data info
#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/dataset_figures.hpp"

namespace segue {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> settings;
  TableFormat format = TableFormat::kText;
};

Cell counted(std::size_t value) { return Cell(thousands(value), value); }

std::string day(std::int64_t seconds) { return fmt::format("{:%Y-%m-%d}", fmt::gmtime(seconds)); }

Table facts(const DatasetInfo& info, const Dataset& data) {
  Table record = record_table();
  record.add({"name", data.title.empty() ? data.name : data.title});
  record.add({"what", info.summary});
  record.add({"licence", info.licence});
  record.add({"source", info.source});
  if (has_only_items(data)) {
    record.add({"items", counted(data.items.size())});
    record.add({"contents", contents_of(data)});
    record.add({"fingerprint", data.fingerprint()});
    return record;
  }
  record.add({"users", counted(data.users.size())});
  record.add({"items", counted(data.items.size())});
  record.add({"events", counted(data.events.size())});
  const std::size_t pairs = distinct_pairs(data.events);
  const double cells = static_cast<double>(data.users.size()) * static_cast<double>(data.items.size());
  const double density = cells > 0 ? static_cast<double>(pairs) / cells : 0;
  record.add({"pairs", counted(pairs)});
  record.add({"density", Cell(fmt::format("{:.3g} %", 100 * density), density)});
  if (data.has_times && !data.events.empty()) {
    const auto [first, last] = std::minmax_element(data.events.times().begin(), data.events.times().end());
    record.add({"time span", fmt::format("{} to {}", day(*first), day(*last))});
  } else {
    record.add({"time span", Cell("no times, only the order of each user's events", Cell::Data())});
  }
  record.add({"ratings", data.has_ratings});
  record.add({"sessions", data.has_sessions});
  if (!data.given.empty()) {
    std::vector<std::string> names;
    for (const GivenSplit& split : data.given) {
      names.push_back(split.negatives.nnz() > 0
                          ? fmt::format("{} (with {} negatives)", split.name, thousands(split.negatives.nnz()))
                          : split.name);
    }
    record.add({"given splits", fmt::format("{}", fmt::join(names, ", "))});
  }
  record.add({"fingerprint", data.fingerprint()});
  return record;
}

Table facet_table(const Dataset& data) {
  Table table{.columns = {{"side data"},
                          {"with it", Align::kRight},
                          {"share", Align::kRight},
                          {"what", Align::kLeft, Wrap::kYes}}};
  for (const auto& [name, facet] : data.facets.all()) {
    const FacetCoverage coverage = coverage_of(*facet);
    const std::size_t rows = coverage.rows > 0 ? coverage.rows : data.items.size();
    const double share = static_cast<double>(coverage.items) / static_cast<double>(std::max<std::size_t>(1, rows));
    table.add({name, counted(coverage.items), Cell(fmt::format("{:.1f} %", 100 * share), share), coverage.detail});
  }
  return table;
}

ExitCode info(const Options& o, const Session& session) {
  const DatasetRegistry::Entry& entry = find_dataset(session, o.name);
  const Dataset data = entry.make()->load(parse_settings(o.settings), session.roots);
  NamedTables tables{{o.format == TableFormat::kText ? "" : "data set", facts(entry.info, data)}};
  if (!data.facets.all().empty()) tables.emplace_back("side data", facet_table(data));
  if (!data.notes.empty()) {
    Table notes{.columns = {{"note", Align::kLeft, Wrap::kYes}}};
    for (const std::string& note : data.notes) notes.add({note});
    tables.emplace_back("notes", std::move(notes));
  }
  if (!entry.schema.fields().empty()) {
    Table settings{.columns = {{"setting"}, {"default"}, {"meaning", Align::kLeft, Wrap::kYes}}};
    for (const FieldInfo& field : entry.schema.fields()) {
      const std::string choices = field.choices.empty() ? "" : fmt::format(": {}", fmt::join(field.choices, ", "));
      settings.add({field.name, field.default_text, field.doc + choices});
    }
    tables.emplace_back("settings", std::move(settings));
  }
  if (o.format == TableFormat::kText) {  // headings that repeat a column's name say nothing
    for (auto& [name, table] : tables) name.clear();
  }
  show(tables, o.format);
  return ExitCode::kOk;
}

}  // namespace

void add_data_info(CLI::App& data, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(data, "info", "loads a data set and prints its counts, time span and side data",
                              {{"segue data info demo", "the built-in music world"},
                               {"segue data info movielens edition=1m", "with a setting of the loader"},
                               {"segue data info demo --format json", "for programs"}});
  add_dataset(cmd, o->name, o->settings);
  add_format(cmd, o->format);
  on_run(cmd, session, [o, &session] { return info(*o, session); });
}

}  // namespace segue
