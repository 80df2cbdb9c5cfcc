// The marks of files, as three arrays of a group: "path", "bytes", "modified". Internal to framework/audio.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/audio/feature_file.hpp"
#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"

namespace segue::audio {

// Record: anything with a FileMark `file`.
template <class Record>
void save_marks(H5Writer& out, const std::string& group, const std::vector<Record>& records) {
  std::vector<std::string> paths;
  std::vector<std::uint64_t> bytes;
  std::vector<std::int64_t> modified;
  for (const Record& r : records) {
    paths.push_back(r.file.path);
    bytes.push_back(r.file.bytes);
    modified.push_back(r.file.modified);
  }
  out.strings(group + "/path", paths);
  out.array(group + "/bytes", bytes);
  out.array(group + "/modified", modified);
}

// DataError where the arrays are not of one length.
template <class Record>
std::vector<Record> load_marks(const H5Reader& in, const std::string& group) {
  const std::vector<std::string> paths = in.strings(group + "/path");
  const auto bytes = in.array<std::uint64_t>(group + "/bytes");
  const auto modified = in.array<std::int64_t>(group + "/modified");
  if (bytes.size() != paths.size() || modified.size() != paths.size())
    throw DataError("{}: '{}' holds {} paths, {} sizes and {} times", in.path().string(), group, paths.size(),
                    bytes.size(), modified.size());
  std::vector<Record> out(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) out[i].file = {paths[i], bytes[i], modified[i]};
  return out;
}

}  // namespace segue::audio
