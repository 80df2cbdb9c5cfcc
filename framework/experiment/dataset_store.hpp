// Data sets by their entry in a suite: loaded once a process, and summarised without loading when nothing changed, so that
// an "up to date" answer takes no time.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/data/item_sound.hpp"
#include "framework/data/loader.hpp"
#include "framework/experiment/spec.hpp"

namespace segue {

// What a plan needs to know of a data set.
struct DatasetSummary {
  std::string title, fingerprint;
  std::vector<std::string> given, facets;
  bool has_times = true, has_ratings = false, has_negatives = false;
  std::uint64_t users = 0, items = 0, events = 0;
};

class DatasetStore {
 public:
  // cache: folder for summaries, keyed by path, size and modification time of the source files.
  DatasetStore(const DatasetRegistry& registry, DataRoots roots, std::filesystem::path cache);

  const DatasetSummary& summary(const DatasetEntry& entry);
  const Dataset& load(const DatasetEntry& entry);  // stays in memory until release()
  // The same with the facet ItemSound, listening to what was never heard. False where progress ended it.
  bool hear(const DatasetEntry& entry, const Executor& exec, const std::function<bool(const ListeningProgress&)>& progress);
  void release(const DatasetEntry& entry);
  const DataRoots& roots() const { return roots_; }

 private:
  std::string cache_key(const DatasetEntry& entry) const;
  const DatasetRegistry& registry_;
  DataRoots roots_;
  std::filesystem::path cache_;
  std::map<std::string, Dataset> loaded_;            // by label
  std::map<std::string, DatasetSummary> summaries_;  // by label
};

// $XDG_CACHE_HOME/segue, or ~/.cache/segue.
std::filesystem::path cache_folder();

}  // namespace segue
