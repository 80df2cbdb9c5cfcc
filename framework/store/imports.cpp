#include "framework/store/imports.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kImportsVersion = 1;

fs::path imports_file(const ResultsFolder& results) { return results.root / "imports.json"; }

bool same_place(const ImportEntry& a, const ImportEntry& b) {
  return a.label == b.label && a.task == b.task && a.fold == b.fold;
}

void write_imports(const ResultsFolder& results, const std::vector<ImportEntry>& entries) {
  if (entries.empty()) {
    fs::remove(imports_file(results));
    return;
  }
  Json j{{"segue_imports", kImportsVersion}, {"imports", Json::array()}};
  for (const ImportEntry& e : entries)
    j["imports"].push_back({{"label", e.label},
                            {"task", e.task},
                            {"fold", e.fold},
                            {"folds", e.folds},
                            {"fit", e.fit},
                            {"file", e.file},
                            {"content", e.content},
                            {"date", e.date},
                            {"command", e.command}});
  write_text_file(imports_file(results), j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string fit_of(const ImportEntry& entry, const TrialRecord& record) {
  Hasher hasher;
  hasher.add("import 1").add(entry.label).add(entry.task).add(entry.fold);
  const auto add = [&]<class T>(const std::vector<T>& values) { hasher.add(std::span<const T>(values)); };
  for (const StoredView& v : record.views) {
    add(v.items);
    add(v.scores);
  }
  for (const StoredRatings& r : record.ratings) {
    add(r.users);
    add(r.items);
    add(r.predicted);
  }
  return hasher.hex().substr(0, 16);
}

}  // namespace

std::vector<ImportEntry> read_imports(const ResultsFolder& results) {
  std::vector<ImportEntry> out;
  if (!fs::exists(imports_file(results))) return out;
  try {
    const Json j = Json::parse(read_text_file(imports_file(results)));
    if (j.at("segue_imports") != kImportsVersion)
      throw DataError("{} was written by another version of Segue; import again", imports_file(results).string());
    for (const Json& i : j.at("imports")) {
      ImportEntry e;
      e.label = i.at("label");
      e.task = i.at("task");
      e.fold = i.at("fold");
      e.folds = i.at("folds").get<std::vector<std::string>>();
      e.fit = i.at("fit");
      e.file = i.at("file");
      e.content = i.at("content");
      e.date = i.at("date");
      e.command = i.at("command");
      out.push_back(std::move(e));
    }
  } catch (const nlohmann::json::exception& e) {
    throw DataError("{} is damaged: {}; remove it and import again", imports_file(results).string(), e.what());
  }
  return out;
}

void check_import(const ResultsFolder& results, const ImportEntry& entry, bool force) {
  const std::vector<ImportEntry> entries = read_imports(results);
  const bool imported =
      std::any_of(entries.begin(), entries.end(), [&](const ImportEntry& e) { return e.label == entry.label; });
  const Manifest manifest = results.read_manifest();
  if (!imported)
    for (const ManifestTrial& t : manifest.trials)
      if (t.label == entry.label)
        throw UsageError(
            "the label '{}' is taken: it is a row of the suite '{}' (algorithm {}); choose another --label",
            entry.label, manifest.suite, t.algorithm);
  for (const ImportEntry& e : entries)
    if (same_place(e, entry) && !force)
      throw UsageError(
          "the label '{}' is taken: it was imported from {} on {}; --force replaces it, or choose another --label",
          e.label, e.file, e.date.substr(0, 10));
}

std::string store_import(const ResultsFolder& results, ImportEntry entry, TrialRecord record, bool force) {
  check_import(results, entry, force);
  std::vector<ImportEntry> entries = read_imports(results);
  entry.fit = fit_of(entry, record);
  record.attributes["fit"] = entry.fit;
  record.attributes["label"] = entry.label;
  record.attributes["algorithm"] = kImported;
  record.attributes["fold"] = entry.fold;
  const auto old =
      std::find_if(entries.begin(), entries.end(), [&](const ImportEntry& e) { return same_place(e, entry); });
  const std::string replaced = old == entries.end() ? "" : old->fit;
  if (old == entries.end())
    entries.push_back(entry);
  else
    *old = entry;
  fs::create_directories(results.root / "trials");
  write_trial(results.trial_file(entry.fit), record);
  try {
    write_imports(results, entries);
  } catch (...) {
    if (entry.fit != replaced) fs::remove(results.trial_file(entry.fit));
    throw;
  }
  if (!replaced.empty() && replaced != entry.fit) fs::remove(results.trial_file(replaced));
  return entry.fit;
}

std::vector<ImportEntry> remove_imports(const ResultsFolder& results, const std::string& label,
                                        const std::string& task) {
  std::vector<ImportEntry> kept, removed;
  std::vector<std::string> known;
  for (ImportEntry& e : read_imports(results)) {
    known.push_back(e.label);
    const bool wanted = e.label == label && (task.empty() || e.task == task);
    (wanted ? removed : kept).push_back(std::move(e));
  }
  if (removed.empty())
    throw UsageError("nothing is imported as '{}' in {}{}", label, results.root.string(),
                     known.empty() ? "; it holds no imports" : suggestion(label, known));
  write_imports(results, kept);
  for (const ImportEntry& e : removed) fs::remove(results.trial_file(e.fit));
  return removed;
}

void merge_imports(const ResultsFolder& results, Manifest& manifest) {
  const std::vector<std::string> of_suite = manifest.labels;
  std::vector<ImportEntry> rows;  // one a label and task
  const std::vector<ImportEntry> entries = read_imports(results);
  for (const ImportEntry& e : entries)
    if (std::none_of(rows.begin(), rows.end(),
                     [&](const ImportEntry& r) { return r.label == e.label && r.task == e.task; }))
      rows.push_back(e);
  for (const ImportEntry& row : rows) {
    const auto task = std::find_if(manifest.tasks.begin(), manifest.tasks.end(),
                                   [&](const ManifestTask& t) { return t.id == row.task; });
    if (task == manifest.tasks.end()) continue;
    const bool taken = std::find(of_suite.begin(), of_suite.end(), row.label) != of_suite.end();
    const std::string label = taken ? row.label + " (imported)" : row.label;
    if (std::find(manifest.labels.begin(), manifest.labels.end(), label) == manifest.labels.end())
      manifest.labels.push_back(label);
    for (const std::string& fold : row.folds) {
      ManifestTrial trial;
      trial.fit = "not-imported";  // a file that does not exist
      trial.label = label;
      trial.algorithm = kImported;
      trial.dataset = task->dataset;
      trial.fold = fold;
      trial.tasks = {row.task};
      trial.params = "{}";
      for (const ImportEntry& e : entries) {
        if (e.label != row.label || e.task != row.task || e.fold != fold) continue;
        trial.fit = e.fit;
        trial.params = Json{{"file", e.file}, {"content", e.content}, {"date", e.date}, {"command", e.command}}.dump(
            -1, ' ', false, Json::error_handler_t::replace);
      }
      manifest.trials.push_back(std::move(trial));
    }
  }
}

}  // namespace segue
