#include "framework/store/manifest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/store/imports.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kManifestVersion = 1;

Json to_json(const PublishedFigure& f) {
  return {{"label", f.label}, {"metric", f.metric}, {"value", f.value}, {"bound", f.bound}, {"source", f.source}, {"note", f.note}};
}

PublishedFigure figure_from(const Json& j) { return {j.at("label"), j.at("metric"), j.at("value"), j.at("bound"), j.at("source"), j.at("note")}; }

Json to_json(const ManifestTask& t) {
  Json j{{"id", t.id}, {"name", t.name}, {"dataset", t.dataset}, {"dataset_title", t.dataset_title},
         {"dataset_fingerprint", t.dataset_fingerprint}, {"metrics", t.metrics}, {"view", t.view},
         {"ratings", t.ratings}, {"sampled", t.sampled}, {"description", t.description}};
  if (!t.retrieval.empty()) j["retrieval"] = t.retrieval;
  for (const PublishedFigure& f : t.published) j["published"].push_back(to_json(f));
  return j;
}

ManifestTask task_from(const Json& j) {
  ManifestTask t;
  t.id = j.at("id");
  t.name = j.at("name");
  t.dataset = j.at("dataset");
  t.dataset_title = j.at("dataset_title");
  t.dataset_fingerprint = j.at("dataset_fingerprint");
  t.metrics = j.at("metrics").get<std::vector<std::string>>();
  t.view = j.at("view");
  t.ratings = j.at("ratings");
  t.sampled = j.at("sampled");
  t.retrieval = j.value("retrieval", "");
  t.description = j.at("description");
  if (j.contains("published"))
    for (const Json& f : j["published"]) t.published.push_back(figure_from(f));
  return t;
}

Json to_json(const ManifestTrial& t) {
  Json j{{"fit", t.fit}, {"label", t.label}, {"algorithm", t.algorithm}, {"dataset", t.dataset}, {"fold", t.fold},
          {"seed", t.seed}, {"tasks", t.tasks}, {"params", Json::parse(t.params)}, {"group", t.group}};
  if (t.tuned > 0) j["tuned"] = t.tuned;
  if (!t.tuned_from.empty()) j["tuned_from"] = t.tuned_from;
  if (t.refit) j["refit"] = true;
  return j;
}

ManifestTrial trial_from(const Json& j) {
  ManifestTrial t;
  t.fit = j.at("fit");
  t.label = j.at("label");
  t.algorithm = j.at("algorithm");
  t.dataset = j.at("dataset");
  t.fold = j.at("fold");
  t.seed = j.at("seed");
  t.tasks = j.at("tasks").get<std::vector<std::string>>();
  t.params = j.at("params").dump();
  t.group = j.value("group", t.label);
  t.tuned = j.value("tuned", std::size_t{0});
  t.tuned_from = j.value("tuned_from", "");
  t.refit = j.value("refit", false);
  return t;
}

Json to_json(const ManifestTuning& t) {
  Json trials = Json::array();
  for (const ManifestTuning::Trial& each : t.trials) {
    trials.push_back({{"fit", each.fit}, {"settings", Json::parse(each.settings)}});
    if (each.epochs > 0) trials.back()["epochs"] = each.epochs;
  }
  return {{"label", t.label}, {"dataset", t.dataset}, {"fold", t.fold}, {"strategy", t.strategy}, {"metric", t.metric}, {"space", t.space},
          {"seed", t.seed}, {"planned", t.planned}, {"winner", t.winner}, {"trials", std::move(trials)}};
}

ManifestTuning tuning_from(const Json& j) {
  ManifestTuning t;
  t.label = j.at("label");
  t.dataset = j.at("dataset");
  t.fold = j.at("fold");
  t.strategy = j.at("strategy");
  t.metric = j.at("metric");
  t.space = j.at("space");
  t.seed = j.at("seed");
  t.planned = j.at("planned");
  t.winner = j.at("winner");
  for (const Json& each : j.at("trials")) t.trials.push_back({each.at("fit"), each.at("settings").dump(), each.value("epochs", 0)});
  return t;
}

}  // namespace

void write_text_file(const fs::path& path, const std::string& text) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  const fs::path temporary = path.string() + fmt::format(".tmp-{}", getpid());
  {
    std::ofstream out(temporary, std::ios::binary);
    out << text;
    out.flush();
    if (!out) throw EnvironmentError("cannot write {}: {}", temporary.string(), std::strerror(errno));
  }
  fs::rename(temporary, path);
}

std::string read_text_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw EnvironmentError("cannot read {}: {}", path.string(), std::strerror(errno));
  return {std::istreambuf_iterator<char>(in), {}};
}

void ResultsFolder::write_manifest(const Manifest& m) const {
  Json j{{"segue_plan", kManifestVersion}, {"suite", m.suite}, {"folder", m.folder}, {"labels", m.labels}, {"plots", m.plots},
         {"tasks", Json::array()}, {"trials", Json::array()}};
  for (const ManifestTask& t : m.tasks) j["tasks"].push_back(to_json(t));
  for (const ManifestTrial& t : m.trials) j["trials"].push_back(to_json(t));
  for (const ManifestTuning& t : m.tuning) j["tuning"].push_back(to_json(t));
  j["spec"] = Json::parse(m.spec);
  write_text_file(manifest_file(), j.dump(1) + "\n");
}

Manifest ResultsFolder::read_manifest() const {
  std::ifstream in(manifest_file(), std::ios::binary);
  if (!in)
    throw UsageError("{} is not a results folder: {}; run a suite first, e.g. segue run experiments/quickstart.yaml", root.string(),
                     fs::exists(root) ? "it has no plan.json" : "there is no such folder");
  try {
    const Json j = Json::parse(in);
    if (j.at("segue_plan") != kManifestVersion) throw DataError("{} was written by another version of Segue; run the suite again", manifest_file().string());
    Manifest m;
    m.suite = j.at("suite");
    m.folder = j.at("folder");
    m.labels = j.at("labels").get<std::vector<std::string>>();
    m.plots = j.at("plots").get<std::vector<std::string>>();
    for (const Json& t : j.at("tasks")) m.tasks.push_back(task_from(t));
    for (const Json& t : j.at("trials")) m.trials.push_back(trial_from(t));
    if (j.contains("tuning"))
      for (const Json& t : j["tuning"]) m.tuning.push_back(tuning_from(t));
    m.spec = j.at("spec").dump();
    merge_imports(*this, m);
    return m;
  } catch (const nlohmann::json::exception& e) {
    throw DataError("{} is damaged: {}", manifest_file().string(), e.what());
  }
}

std::string ResultsFolder::hash() const {
  const Manifest manifest = read_manifest();
  std::vector<std::string> fits, tasks;
  for (const ManifestTrial& t : manifest.trials) fits.push_back(t.fit);
  for (const ManifestTuning& tuning : manifest.tuning)
    for (const ManifestTuning::Trial& t : tuning.trials) fits.push_back(t.fit);
  for (const ManifestTask& t : manifest.tasks) tasks.push_back(t.id);
  std::sort(fits.begin(), fits.end());
  fits.erase(std::unique(fits.begin(), fits.end()), fits.end());
  std::sort(tasks.begin(), tasks.end());
  Hasher hasher;
  for (const std::string& task : tasks) {
    if (!fs::exists(task_file(task))) continue;
    hasher.add(task);
    hash_task(task_file(task), hasher);
  }
  for (const std::string& fit : fits) {
    if (!fs::exists(trial_file(fit))) continue;
    hasher.add(fit);
    hash_trial(trial_file(fit), hasher);
  }
  return hasher.hex();
}

void Journal::append(JournalEntry e) const {
  e.time = utc_now();
  const Json j{{"time", e.time}, {"event", e.event}, {"fit", e.fit}, {"label", e.label}, {"fold", e.fold}, {"seed", e.seed},
               {"seconds", e.seconds}, {"error", e.error}};
  std::string line = j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path());
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw EnvironmentError("cannot write {}: {}", path_.string(), std::strerror(errno));
  // Behind a line that a crash cut short, this entry begins a line of its own, lest it be lost with that one.
  const off_t size = lseek(fd, 0, SEEK_END);
  char last = '\n';
  if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n') line.insert(0, "\n");
  const auto written = write(fd, line.data(), line.size());
  fsync(fd);
  close(fd);
  if (written != static_cast<ssize_t>(line.size())) throw EnvironmentError("cannot write {}: is the disk full?", path_.string());
}

std::map<std::string, JournalEntry> Journal::last_by_fit() const {
  std::map<std::string, JournalEntry> last;
  std::ifstream in(path_, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    try {
      const Json j = Json::parse(line);
      JournalEntry e;
      e.time = j.value("time", "");
      e.event = j.value("event", "");
      e.fit = j.at("fit");
      e.label = j.value("label", "");
      e.fold = j.value("fold", "");
      e.seed = j.value("seed", std::uint64_t{0});
      e.seconds = j.value("seconds", 0.0);
      e.error = j.value("error", "");
      last[e.fit] = e;
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
  return last;
}

}  // namespace segue
