#include "framework/cli/stored_model.hpp"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

#include "framework/base/errors.hpp"
#include "framework/cli/suite.hpp"
#include "framework/data/feedback.hpp"
#include "framework/h5/file.hpp"
#include "framework/model/h5_archive.hpp"
#include "framework/model/history_query.hpp"
#include "framework/store/imports.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<fs::path> result_folders(const std::string& results) {
  if (!results.empty()) return {results};
  std::vector<fs::path> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("results", none))
    if (fs::exists(entry.path() / "plan.json")) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

struct Found {
  ResultsFolder folder;
  Manifest manifest;
  ManifestTrial trial;
};

Found find_trial(std::string wanted, std::string results) {
  if (const fs::path path = wanted; path.extension() == ".h5") {
    wanted = path.stem().string();
    results = path.parent_path().parent_path().string();
  }
  std::vector<Found> found;
  std::vector<std::string> labels;
  const std::vector<fs::path> folders = result_folders(results);
  for (const fs::path& folder : folders) {
    const ResultsFolder r{folder};
    const Manifest manifest = r.read_manifest();
    for (const ManifestTrial& t : manifest.trials) {
      labels.push_back(t.label);
      const bool fits = t.fit.starts_with(wanted) || t.label == wanted || t.label.starts_with(wanted + " ");  // a point of a grid
      if (!fits || !fs::exists(r.trial_file(t.fit))) continue;
      // Of several folds and seeds under one label the first speaks for all.
      if (std::none_of(found.begin(), found.end(), [&](const Found& f) { return f.folder.root == folder && f.trial.label == t.label; })) found.push_back({r, manifest, t});
    }
  }
  // "als" means the row of that name, not "als (tuned)" beside it.
  const auto exact = [&](const Found& f) { return f.trial.label == wanted || f.trial.fit.starts_with(wanted); };
  if (std::any_of(found.begin(), found.end(), exact)) std::erase_if(found, [&](const Found& f) { return !exact(f); });
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  if (found.empty())
    throw UsageError("no trained trial '{}' in {}{}", wanted, folders.empty() ? "results/ (there are no results here)" : results.empty() ? "results/" : results, suggestion(wanted, labels));
  if (found.size() > 1) {
    std::string all;
    for (const Found& f : found) all += fmt::format("{}{} in {}", all.empty() ? "" : ", ", f.trial.fit, f.folder.root.string());
    throw UsageError("'{}' fits several trials: {}; name one id, or --results", wanted, all);
  }
  return found.front();
}

}  // namespace

void add_stored_model(CLI::App& command, std::string& trial, std::string& results, int& n) {
  command.add_option("--trial", trial, "a label, a trial's id or its beginning, or a trial file")->required()->type_name("ID");
  command.add_option("--results", results, "folder of results; default: every folder below results/")->type_name("DIR");
  command.add_option("-n", n, "how many")->check(CLI::Range(1, 100000))->type_name("N")->default_str("10");
}

StoredModel open_stored_model(Session& session, const std::string& wanted, const std::string& results) {
  const Found found = find_trial(wanted, results);
  if (found.trial.algorithm == kImported) throw UsageError("'{}' was imported: its lists are stored, but no model", found.trial.label);
  const Spec spec = spec_of_results(session, found.manifest.spec);
  if (!found.manifest.folder.empty()) session.roots.folders.emplace_back(found.manifest.folder);  // as when the suite ran
  DatasetStore datasets = open_datasets(session);
  const auto entry = std::find_if(spec.datasets.begin(), spec.datasets.end(), [&](const DatasetEntry& d) { return d.label == found.trial.dataset; });
  SEGUE_CHECK(entry != spec.datasets.end(), "the plan names data set '{}', its suite does not", found.trial.dataset);
  StoredModel out;
  out.trial = found.trial;
  const auto row = std::find_if(spec.algorithms.begin(), spec.algorithms.end(), [&](const AlgorithmEntry& a) { return a.label == found.trial.label; });
  const TaskSpec task = row == spec.algorithms.end() ? spec.task : row->task(spec.task);
  out.fold = prepare_fold(datasets.load(*entry), task, found.trial.fold);
  const Event play{.kind = EventKind::kPlay, .value = static_cast<float>(std::max(1.0, task.feedback.min_value.value_or(1)))};
  if (const float weight = pair_weight({&play, 1}, task.learned_feedback()); !out.fold.has_ratings && weight > 0) out.play_weight = weight;
  const H5Reader file(found.folder.trial_file(found.trial.fit));
  const std::string stored = file.attribute_text("/", "dataset_fingerprint").value_or("");
  if (stored != out.fold.dataset_fingerprint)
    throw DataError("data set '{}' has changed since {} was trained on it; run the suite again", found.trial.dataset, found.folder.trial_file(found.trial.fit).string());
  out.model = session.algorithms.make(found.trial.algorithm, Value::from_json(found.trial.params));
  out.model->load(H5ArchiveReader(file, "/model"));
  return out;
}

std::string StoredModel::title(ItemIdx item) const {
  const ItemText* text = fold.facets.find<ItemText>();
  if (text != nullptr && !text->titles[raw(item)].empty()) return std::string(text->titles[raw(item)]);
  return std::string(fold.items[raw(item)]);
}

std::string StoredModel::artist(ItemIdx item) const {
  const ItemArtist* artists = fold.facets.find<ItemArtist>();
  if (artists == nullptr || artists->artist_of[raw(item)] == kNoArtist) return "";
  return std::string(artists->artists[artists->artist_of[raw(item)]]);
}

std::vector<ItemIdx> StoredModel::whole_matches(const std::string& text) const {
  if (const auto position = fold.items.find(text)) return {item_at(*position)};
  const std::string wanted = lower(text);
  std::vector<ItemIdx> out;
  for (std::size_t i = 0; i < fold.items.size(); ++i)
    if (lower(title(item_at(i))) == wanted) out.push_back(item_at(i));
  return out;
}

ItemIdx StoredModel::find_item(const std::string& text, Match match) const {
  std::vector<ItemIdx> fits = whole_matches(text);
  if (fits.size() == 1) return fits.front();
  constexpr std::size_t kNear = 3;
  std::vector<std::string> near;  // what may have been meant
  if (fits.empty()) {
    const std::string wanted = lower(text);
    std::vector<std::string> titles;  // in lower case
    for (std::size_t i = 0; i < fold.items.size(); ++i) {
      titles.push_back(lower(title(item_at(i))));
      if (titles.back().find(wanted) != std::string::npos) fits.push_back(item_at(i));
    }
    if (match == Match::kWhole) {
      for (std::size_t n = 0; n < std::min(kNear, fits.size()); ++n) near.push_back(title(fits[n]));
      fits.clear();
    }
    while (fits.empty() && near.size() < kNear) {
      const auto at = std::find(titles.begin(), titles.end(), nearest_name(wanted, titles));
      if (at == titles.end() || at->empty()) break;
      const std::string next = title(item_at(static_cast<std::size_t>(at - titles.begin())));
      if (std::find(near.begin(), near.end(), next) == near.end()) near.push_back(next);
      at->clear();  // the next nearest
    }
  }
  if (fits.size() == 1) return fits.front();
  if (fits.empty())
    throw UsageError("no item '{}' in data set '{}'{}{}{}", text, trial.dataset, near.empty() ? "" : "; did you mean '", fmt::join(near, "' or '"), near.empty() ? "" : "'?");
  std::string several;
  for (std::size_t i = 0; i < std::min<std::size_t>(5, fits.size()); ++i) several += fmt::format("{}{} '{}'", i > 0 ? ", " : "", fold.items[raw(fits[i])], title(fits[i]));
  throw UsageError("'{}' fits {} items: {}{}; give an id", text, fits.size(), several, fits.size() > 5 ? " ..." : "");
}

Query StoredModel::query(UserIdx user) const {
  for (std::size_t q = 0; q < fold.test.size(); ++q)
    if (fold.test.users[q] == user) return history_query(user, fold.test.histories[q], fold.test.now[q]);
  const HistoryView history = fold.train_histories.of(user);
  return history_query(user, history, history.times.empty() ? 0 : history.times.back());
}

}  // namespace segue
