// What loaders of recordings share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/data/loader.hpp"

namespace segue {

// A folder's recordings by paths relative to it, '/' between folders, ascending, and as DatasetBuilder::set_audio()
// wants them. DataError where it is no folder.
struct Recording {
  std::string path;      // "blues/blues.00000.wav"
  std::string absolute;  // as set_audio() wants it
};
std::vector<Recording> recordings_below(const std::filesystem::path& folder);

// The folder that was named, or else the first of the usual ones that a data folder holds. DataError that lists where
// it looked.
std::filesystem::path find_folder(const DataRoots& roots, const std::string& named,
                                  const std::vector<std::string>& usual);

// "blues.00000" of "blues/blues.00000.wav"; "blues", the folder it lies in, empty where that is none.
std::string stem_of(const std::string& path);
std::string folder_of(const std::string& path);

}  // namespace segue
