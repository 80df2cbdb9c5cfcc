// Where tests find real data, which is never part of the repository.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace segue::test {

// Folders named by $SEGUE_DATA_DIR (parted by ':'), or ../shared/data beside the source tree when it is not set.
inline std::vector<std::filesystem::path> data_folders() {
  const char* variable = std::getenv("SEGUE_DATA_DIR");
  if (variable == nullptr || *variable == '\0') return {std::filesystem::path(SEGUE_SOURCE_DIR) / "../shared/data"};
  std::vector<std::filesystem::path> out;
  std::istringstream list(variable);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty()) out.emplace_back(folder);
  }
  return out;
}

// The file or folder `relative` ("ml-100k/u.data") where one of the folders holds it.
//   const auto path = real_data("ml-100k");
//   if (!path) GTEST_SKIP() << missing_data("ml-100k");
inline std::optional<std::filesystem::path> real_data(const std::string& relative) {
  for (const auto& folder : data_folders()) {
    if (std::filesystem::exists(folder / relative)) return folder / relative;
  }
  return std::nullopt;
}

inline std::string missing_data(const std::string& relative) {
  return "no '" + relative + "' in $SEGUE_DATA_DIR or ../shared/data; this test needs the real data set";
}

}  // namespace segue::test
