#include "framework/experiment/dataset_store.hpp"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path cache_folder() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "segue";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "segue";
  return fs::temp_directory_path() / "segue-cache";
}

DatasetStore::DatasetStore(const DatasetRegistry& registry, DataRoots roots, fs::path cache)
    : registry_(registry), roots_(std::move(roots)), cache_(std::move(cache)) {}

std::string DatasetStore::cache_key(const DatasetEntry& entry) const {
  const DatasetRegistry::Entry& known = registry_.find(entry.name);
  Hasher hasher;
  hasher.add("dataset summary 1").add(entry.name).add(known.info.version).add(entry.params.canonical());
  for (const fs::path& file : known.make()->files(entry.params, roots_)) {
    std::error_code error;
    hasher.add(file.string());
    hasher.add(static_cast<std::uint64_t>(fs::file_size(file, error)));
    hasher.add(static_cast<std::int64_t>(fs::last_write_time(file, error).time_since_epoch().count()));
  }
  return hasher.hex();
}

const Dataset& DatasetStore::load(const DatasetEntry& entry) {
  if (const auto it = loaded_.find(entry.label); it != loaded_.end()) return it->second;
  return loaded_[entry.label] = registry_.find(entry.name).make()->load(entry.params, roots_);
}

bool DatasetStore::hear(const DatasetEntry& entry, const Executor& exec, const std::function<bool(const ListeningProgress&)>& progress) {
  load(entry);
  Dataset& dataset = loaded_.at(entry.label);
  if (dataset.facets.find<ItemSound>() != nullptr) return true;
  const std::shared_ptr<const ItemSound> heard = hear_items(dataset, *registry_.find(entry.name).make(), cache_, exec, progress);
  if (heard != nullptr) dataset.facets.add(heard);
  return heard != nullptr;
}

void DatasetStore::release(const DatasetEntry& entry) { loaded_.erase(entry.label); }

const DatasetSummary& DatasetStore::summary(const DatasetEntry& entry) {
  if (const auto it = summaries_.find(entry.label); it != summaries_.end()) return it->second;
  const fs::path file = cache_ / "summaries" / (cache_key(entry) + ".json");
  DatasetSummary s;
  if (std::ifstream in(file); in) {
    try {
      const Json j = Json::parse(in);
      s.title = j.at("title");
      s.fingerprint = j.at("fingerprint");
      s.given = j.at("given").get<std::vector<std::string>>();
      s.facets = j.at("facets").get<std::vector<std::string>>();
      s.has_times = j.at("has_times");
      s.has_ratings = j.at("has_ratings");
      s.has_negatives = j.at("has_negatives");
      s.users = j.at("users");
      s.items = j.at("items");
      s.events = j.at("events");
      return summaries_[entry.label] = s;
    } catch (const nlohmann::json::exception&) {
      s = {};  // damaged: made anew
    }
  }
  const Dataset& d = load(entry);
  s.title = d.title;
  s.fingerprint = d.fingerprint();
  for (const GivenSplit& g : d.given) {
    s.given.push_back(g.name);
    s.has_negatives = s.has_negatives || g.negatives.rows() > 0;
  }
  s.facets = d.facets.names();
  s.has_times = d.has_times;
  s.has_ratings = d.has_ratings;
  s.users = d.users.size();
  s.items = d.items.size();
  s.events = d.events.size();
  const Json j{{"title", s.title}, {"fingerprint", s.fingerprint}, {"given", s.given}, {"facets", s.facets}, {"has_times", s.has_times},
               {"has_ratings", s.has_ratings}, {"has_negatives", s.has_negatives}, {"users", s.users}, {"items", s.items}, {"events", s.events}};
  try {
    write_text_file(file, j.dump(1) + "\n");
  } catch (const std::exception&) {
    // A cache that cannot be written costs time, not correctness.
  }
  return summaries_[entry.label] = s;
}

}  // namespace segue
