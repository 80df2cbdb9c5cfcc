// segue algo list | show
#include <algorithm>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"

namespace segue {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> plugins;
  std::string family;
  TableFormat format = TableFormat::kText;
};

ExitCode list(const Options& o, const Session& session) {
  Table table{.columns = {{"name"}, {"family"}, {"summary", Align::kLeft, Wrap::kYes}, {"needs"}}};
  std::vector<std::string> families;
  for (const std::string& name : session.algorithms.names()) {
    const AlgorithmInfo& info = session.algorithms.find(name).info;
    families.push_back(info.family);
    if (!o.family.empty() && info.family != o.family) continue;
    table.add({info.name, info.family, info.summary, fmt::format("{}", fmt::join(info.needs, ", "))});
  }
  if (table.rows.empty() && !o.family.empty()) {
    std::sort(families.begin(), families.end());
    families.erase(std::unique(families.begin(), families.end()), families.end());
    throw UsageError("unknown family '{}'{}", o.family, suggestion(o.family, families));
  }
  show(table, o.format);
  return ExitCode::kOk;
}

Table parameter_table(const AnySchema& schema) {
  const Align left = Align::kLeft;
  Table table{.columns = {{"parameter"},
                          {"type", left, Wrap::kYes},
                          {"default"},
                          {"range", left, Wrap::kYes},
                          {"search", left, Wrap::kYes},
                          {"meaning", left, Wrap::kYes}}};
  for (const FieldInfo& field : schema.fields()) {
    const std::string range =
        field.choices.empty() ? field.range_text : fmt::format("{}", fmt::join(field.choices, ", "));
    table.add({field.name, field.type, field.default_text, range, field.search_text, field.doc});
  }
  return table;
}

Table facts(const Registry::Entry& entry) {
  const AlgorithmInfo& info = entry.info;
  std::vector<std::string> can;
  if (info.ranks) can.push_back("ranks items");
  if (info.predicts_ratings) can.push_back("predicts ratings");
  if (info.embeddings) can.push_back("embeddings (similar items, vector search)");
  if (info.iterative) can.push_back("trains in epochs (learning curve, early stopping)");
  Table record = record_table();
  record.add({"name", info.name});
  record.add({"summary", info.summary});
  record.add({"family", info.family});
  record.add({"citation", info.citation});
  record.add({"can", fmt::format("{}", fmt::join(can, "; "))});
  record.add({"personalised", info.personalised});
  record.add({"needs", info.needs.empty() ? Cell("nothing but interactions", Cell::Data())
                                          : Cell(fmt::format("{}", fmt::join(info.needs, ", ")))});
  record.add({"version", info.version});
  record.add({"from", entry.origin});
  return record;
}

ExitCode show_one(const Options& o, const Session& session) {
  const Registry::Entry& entry = session.algorithms.find(o.name);
  NamedTables tables{{o.format == TableFormat::kText ? "" : "algorithm", facts(entry)}};
  if (!entry.schema.fields().empty()) tables.emplace_back("parameters", parameter_table(entry.schema));
  show(tables, o.format);
  return ExitCode::kOk;
}

}  // namespace

void add_algo(CLI::App& app, Session& session) {
  CLI::App& algo = add_command(app, "algo", "the algorithms and their parameters",
                               {{"segue algo list", "every algorithm in one line"},
                                {"segue algo show implicit_als", "one algorithm: citation, needs, parameters"}});
  algo.require_subcommand(1);

  auto o = std::make_shared<Options>();
  CLI::App& all = add_command(algo, "list", "lists the algorithms",
                              {{"segue algo list", "name, family, summary and the side data it needs"},
                               {"segue algo list --family baseline", "only one family"},
                               {"segue algo list --format json", "for programs"}});
  all.add_option("--family", o->family, "only this family, for example neighbourhood")->type_name("NAME");
  add_plugins(all, o->plugins);
  add_format(all, o->format);
  on_run(all, session, [o, &session] {
    load_plugins(session, o->plugins);
    return list(*o, session);
  });

  CLI::App& one = add_command(algo, "show", "shows one algorithm: summary, citation, capabilities and parameters",
                              {{"segue algo show implicit_als", "parameters with type, default, range and meaning"},
                               {"segue algo show item_knn --format md", "as a Markdown table"}});
  one.add_option("NAME", o->name, "the algorithm")->required()->type_name("ALGORITHM");
  add_plugins(one, o->plugins);
  add_format(one, o->format);
  on_run(one, session, [o, &session] {
    load_plugins(session, o->plugins);
    return show_one(*o, session);
  });
}

}  // namespace segue
