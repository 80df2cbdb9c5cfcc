// A prepared fold as one file of named arrays that trial processes map into memory: prepared once, read without a copy,
// shared between processes by the page cache. A private format of one run on one machine; not for keeping.
#pragma once

#include <filesystem>

#include "framework/data/task.hpp"

namespace segue {

void write_snapshot(const PreparedFold& fold, const std::filesystem::path& path);  // temporary name, then renamed
PreparedFold map_snapshot(const std::filesystem::path& path);                      // DataError where truncated or foreign

}  // namespace segue
