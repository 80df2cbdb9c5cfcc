// What was heard of recordings, in one HDF5 file: what an index is built from, and what a second run does not hear
// again. Files are known by path, size and time of change.
//
//   /                      attributes: version, definition (heard_definition())
//   /tracks/path           ascending by bytes
//   /tracks/bytes u64, /tracks/modified i64 (nanoseconds since 1970), /tracks/seconds f64
//   /tracks/rows u32       vectors of each
//   /vectors/values f32[rows, sound_vector_size()], /vectors/begin_s f64[rows]
//   /tracks/landmarks u64  how many each has; /landmarks/hash, /landmarks/frame u32
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/audio/sound_vector.hpp"

namespace segue::audio {

struct HeardFile {
  std::string definition;
  std::vector<HeardRecording> recordings;  // ascending by path, no two the same

  // DataError where it is not such a file.
  static HeardFile load(const std::filesystem::path& path);
  // Replaces the file at `path` as a whole. EnvironmentError where that cannot be done.
  void save(const std::filesystem::path& path) const;
};

}  // namespace segue::audio
