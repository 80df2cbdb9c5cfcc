#include "framework/data/recordings.hpp"

#include <fmt/format.h>

#include "framework/audio/feature_file.hpp"
#include "framework/base/errors.hpp"

namespace segue {

namespace fs = std::filesystem;

std::vector<Recording> recordings_below(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  std::vector<Recording> out;
  for (const audio::FileMark& file : audio::find_recordings(folder))
    out.push_back({file.path, (whole / file.path).string()});
  return out;
}

fs::path find_folder(const DataRoots& roots, const std::string& named, const std::vector<std::string>& usual) {
  if (!named.empty()) return roots.find(named, "");
  for (const fs::path& root : roots.folders) {
    for (const std::string& name : usual) {
      std::error_code unreadable;  // counts as absent
      if (fs::exists(root / name, unreadable)) return root / name;
    }
  }
  std::vector<std::string> looked;
  for (const fs::path& root : roots.folders) looked.push_back(root.string());
  const std::string where =
      looked.empty() ? "no data folder is set" : fmt::format("looked in {}", fmt::join(looked, ", "));
  throw DataError("no data '{}': {}; name its folder with 'folder', or set SEGUE_DATA_DIR to the folder that holds it",
                  fmt::join(usual, "' or '"), where);
}

std::string stem_of(const std::string& path) { return fs::path(path).stem().string(); }
std::string folder_of(const std::string& path) { return fs::path(path).parent_path().filename().string(); }

}  // namespace segue
