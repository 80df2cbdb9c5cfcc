// What a data set folder under datasets/ provides, and the registry it enters. An ordinary object made in main() and in
// tests; no static initialisers.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/audio/sound_file.hpp"
#include "framework/data/dataset.hpp"
#include "framework/param/schema.hpp"
#include "framework/param/value.hpp"

namespace segue {

// Where data is looked for: $SEGUE_DATA_DIR (several folders parted by ':'), then the cache of `segue data fetch`.
struct DataRoots {
  std::vector<std::filesystem::path> folders;
  // The first root that holds `relative`; DataError listing where it looked and how to get it (fetch_name may be empty).
  std::filesystem::path find(const std::string& relative, const std::string& fetch_name) const;
};

struct DatasetInfo {
  std::string name;         // "movielens"
  std::string summary;      // one line
  std::string licence;      // one line
  std::string source;       // where it comes from
  std::vector<std::string> fetchable{};  // names for `segue data fetch`
  int version = 1;          // bump when the loader or generator gives other content for the same files
};

class DatasetLoader {
 public:
  virtual ~DatasetLoader() = default;
  // Files that decide the content for these parameters, in a fixed order (for the cached fingerprint); empty: generated.
  virtual std::vector<std::filesystem::path> files(const Value& params, const DataRoots& roots) const = 0;
  // Reads everything. DataError with file and line on bad input.
  virtual Dataset load(const Value& params, const DataRoots& roots) const = 0;

  // The one door to how an item sounds: what a text of this data set's ItemAudio stands for, mono at `sample_rate` Hz
  // (above 0). By default the text is the path of a sound file, absolute where the loader wrote it; a loader that writes
  // anything else, such as recipes of sounds that are made when they are heard, overrides both functions. DataError
  // naming the text where it cannot be heard.
  virtual std::unique_ptr<audio::SampleSource> sound(std::string_view source, int sample_rate) const;
  // What stored features of that sound are keyed by, without hearing it: equal identities, equal sounds. By default the
  // content hash of the file.
  virtual std::string sound_identity(std::string_view source) const;
};

class DatasetRegistry {
 public:
  struct Entry {
    DatasetInfo info;
    AnySchema schema;
    std::function<std::unique_ptr<DatasetLoader>()> make;
  };
  void add(Entry entry);                            // LogicError where the name is taken
  const Entry& find(const std::string& name) const; // UsageError with a suggestion
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace segue

// SEGUE_DATASET(movielens, MovielensParams, MovielensLoader, {info...}): defines the registration function that CMake's
// segue_dataset(movielens) lists. MovielensParams declares its parameters by schema().
#define SEGUE_DATASET(name_, Params_, Loader_, ...)                                                       \
  void segue_register_dataset_##name_(::segue::DatasetRegistry& registry);                                \
  void segue_register_dataset_##name_(::segue::DatasetRegistry& registry) {                               \
    registry.add({__VA_ARGS__, ::segue::AnySchema::of<Params_>(), [] { return std::make_unique<Loader_>(); }}); \
  }
