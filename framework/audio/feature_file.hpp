// What was extracted from a folder of recordings, in one HDF5 file: of each a fingerprint, a Gaussian of its timbre and
// a summary; and which could not be read, and why. Files are known by path, size and time of change, so that an
// extraction goes on where it ended.
//
//   /                      attributes: version, definition (fingerprint_definition()), folder
//   /fields                names of a fingerprint's numbers
//   /tracks/path           relative to the folder, ascending by bytes
//   /tracks/bytes u64, /tracks/modified i64 (nanoseconds since 1970)
//   /tracks/seconds, tempo_bpm, loudness_lufs, energy, danceability, centroid_hz f64[n]; /tracks/key texts
//   /tracks/fingerprint f32[n, fields]; /tracks/statistics f32[n, statistics_fields()]; /tracks/timbre_mean f32[n, 20];
//   /tracks/timbre_covariance f32[n, 210] (lower triangle, row by row) /failures/path, /failures/reason,
//   /failures/bytes, /failures/modified
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/audio/fingerprint.hpp"

namespace segue::audio {

struct FileMark {
  std::string path;  // relative, '/' between folders
  std::uint64_t bytes = 0;
  std::int64_t modified = 0;
  bool operator==(const FileMark&) const = default;
};

struct TrackRecord {
  FileMark file;
  double seconds = 0, tempo_bpm = 0, loudness = 0, energy = 0, danceability = 0, centroid = 0;
  std::string key;
  std::vector<float> fingerprint, statistics, timbre_mean, timbre_covariance;
};

struct Failure {
  FileMark file;
  std::string reason;
};

struct FeatureFile {
  std::string definition, folder;
  std::vector<TrackRecord> tracks;  // ascending by path
  std::vector<Failure> failures;    // likewise

  // DataError where it is not such a file.
  static FeatureFile load(const std::filesystem::path& path);
  // Replaces the file at `path` as a whole. EnvironmentError where that cannot be done.
  void save(const std::filesystem::path& path) const;
};

TrackRecord record_of(const FileMark& file, const Track& track);
TimbreModel timbre_of(const TrackRecord& record);

// What is known of a file without reading it, zeros where it cannot be found; path as given.
FileMark mark_of(const std::filesystem::path& file);

// The recordings below a folder, by the endings of their names, hidden ones left out, ascending by path. DataError
// where it is no folder.
std::vector<FileMark> find_recordings(const std::filesystem::path& folder);

}  // namespace segue::audio
