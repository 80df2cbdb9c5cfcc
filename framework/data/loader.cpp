#include "framework/data/loader.hpp"

#include <fstream>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

std::filesystem::path DataRoots::find(const std::string& relative, const std::string& fetch_name) const {
  std::vector<std::string> looked;
  for (const std::filesystem::path& folder : folders) {
    std::error_code unreadable;  // counts as absent
    if (std::filesystem::exists(folder / relative, unreadable)) return folder / relative;
    looked.push_back((folder / relative).string());
    if (std::filesystem::path(relative).is_absolute()) break;  // then every root leads to the same place
  }
  const std::string where =
      looked.empty() ? "no data folder is set" : fmt::format("looked for {}", fmt::join(looked, ", "));
  const std::string get = fetch_name.empty() ? "" : fmt::format("get it with `segue data fetch {}`, or ", fetch_name);
  throw DataError("no data '{}': {}; {}set SEGUE_DATA_DIR to the folder that holds it", relative, where, get);
}

std::unique_ptr<audio::SampleSource> DatasetLoader::sound(std::string_view source, int sample_rate) const {
  return std::make_unique<audio::SoundFile>(std::filesystem::path(source), sample_rate);
}

std::string DatasetLoader::sound_identity(std::string_view source) const {
  std::ifstream file(std::filesystem::path(source), std::ios::binary);
  Hasher hash;
  std::vector<char> piece(1 << 16);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0)
    hash.bytes(piece.data(), static_cast<std::size_t>(file.gcount()));
  if (!file.eof()) throw DataError("{}: cannot be read", source);  // nor could it be opened
  return "file " + hash.hex();
}

void DatasetRegistry::add(Entry entry) {
  const std::string name = entry.info.name;
  const bool added = entries_.emplace(name, std::move(entry)).second;
  SEGUE_CHECK(added, "two data sets claim the name '{}'", name);
}

const DatasetRegistry::Entry& DatasetRegistry::find(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw UsageError("unknown data set '{}'{}", name, suggestion(name, names()));
  return it->second;
}

std::vector<std::string> DatasetRegistry::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

}  // namespace segue
