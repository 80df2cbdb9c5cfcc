// segue data: the group, and segue data list.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "framework/base/clock.hpp"
#include "framework/cli/commands.hpp"
#include "framework/download/fetch.hpp"

namespace segue {

namespace {

const Source* source_of(const std::string& name) {
  for (const Source& source : sources()) {
    if (source.name == name || source.folder == name) return &source;
  }
  return nullptr;
}

struct State {
  std::string text;  // "here", "not here", "generated", "your files"
  std::string where;
};

State state_of(const Source& source, const DataRoots& roots) {
  for (const auto& root : roots.folders) {
    if (is_fetched(source, root)) return {"here", (root / source.folder).string()};
  }
  return {"not here", ""};
}

// Of a data set that cannot be fetched: what its loader says to default parameters.
State state_of(const DatasetRegistry::Entry& entry, const DataRoots& roots) {
  try {
    const auto files = entry.make()->files(Value::map(), roots);
    if (files.empty()) return {"generated", ""};
    std::filesystem::path folder = files.front().parent_path();  // that holds all of them
    for (const auto& file : files) {
      while (std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first != folder.end())
        folder = folder.parent_path();
    }
    return {"here", folder.string()};
  } catch (const UsageError&) {
    return {"your files", ""};  // it needs a path
  } catch (const Error&) {
    return {"not here", ""};
  }
}

Cell state_cell(const State& state) {
  return Cell(state.text).mark(state.text == "not here" ? Emphasis::kFaint : Emphasis::kGood);
}

ExitCode list(TableFormat format, const Session& session) {
  const Align left = Align::kLeft;
  Table table{.columns = {{"data set"},
                          {"download"},
                          {"state"},
                          {"size", Align::kRight},
                          {"licence", left, Wrap::kYes},
                          {"where", left, Wrap::kYes}}};
  std::vector<std::string> shown;
  const auto add = [&](const std::string& dataset, const Source& source) {
    const State state = state_of(source, session.roots);
    const Cell size = source.bytes == 0 ? Cell("?", Cell::Data())
                                        : Cell(format_bytes(static_cast<double>(source.bytes)), source.bytes);
    table.add({dataset, source.name, state_cell(state), size, source.licence, state.where});
    shown.push_back(source.name);
  };
  for (const std::string& name : session.datasets.names()) {
    const DatasetRegistry::Entry& entry = session.datasets.find(name);
    bool fetched = false;
    for (const std::string& fetchable : entry.info.fetchable) {
      if (const Source* source = source_of(fetchable)) add(name, *source), fetched = true;
    }
    if (fetched) continue;
    const State state = state_of(entry, session.roots);
    table.add(
        {name, Cell("-", Cell::Data()), state_cell(state), Cell("-", Cell::Data()), entry.info.licence, state.where});
  }
  for (const Source& source : sources()) {
    if (std::find(shown.begin(), shown.end(), source.name) == shown.end()) add("-", source);
  }
  if (format == TableFormat::kText) {  // licence and folder make lines too long for a terminal; `data info` has them
    for (auto& row : table.rows) row.erase(row.begin() + 4);
    table.columns.erase(table.columns.begin() + 4);
  }
  show(table, format);
  return ExitCode::kOk;
}

void add_list(CLI::App& data, Session& session) {
  auto format = std::make_shared<TableFormat>(TableFormat::kText);
  CLI::App& cmd = add_command(data, "list", "lists the data sets: what is here, and what can be fetched",
                              {{"segue data list", "state, size and folder"},
                               {"segue data list --format csv", "with licences, for programs"},
                               {"SEGUE_DATA_DIR=~/data segue data list", "looks there first"}});
  add_format(cmd, *format);
  on_run(cmd, session, [format, &session] { return list(*format, session); });
}

}  // namespace

void add_data(CLI::App& app, Session& session) {
  CLI::App& data = add_command(app, "data", "data sets: list, inspect, check and fetch them",
                               {{"segue data list", "what is here, and what can be fetched"},
                                {"segue data fetch movielens-100k", "downloads, verifies and unpacks"},
                                {"segue data info movielens edition=100k", "counts, time span, side data"},
                                {"segue data check delimited path=plays.tsv", "is my own file in order?"}});
  data.require_subcommand(1);
  add_list(data, session);
  add_data_info(data, session);
  add_data_describe(data, session);
  add_data_check(data, session);
  add_data_render(data, session);
  add_data_fetch(data, session);
}

}  // namespace segue
