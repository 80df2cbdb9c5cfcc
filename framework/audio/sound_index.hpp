// A folder of recordings that is searched by sound. Two questions are kept apart: which recordings sound like a clip
// (vectors, framework/index), and which recording a clip is of, and where in it (landmarks).
//
//   heard.h5        what was heard of each recording (heard_file.hpp); read only when the index is built
//   tracks.h5       attributes: version, definition (heard_definition()), made_of, windows, distractors; /tracks/path,
//                   /tracks/seconds f64; /rows/track u32, /rows/begin_s f64; /scale/mean, /scale/scale f32
//   vectors.idx     standardised vectors, weighted, zeros up to kSoundDims, under the Euclidean distance
//   landmarks.idx   landmark_index.hpp
//
// tracks.h5 is taken away first and written last: an index without it is not finished, and says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/heard_file.hpp"
#include "framework/audio/landmark_index.hpp"
#include "framework/index/vector_index.hpp"

namespace segue::audio {

inline constexpr std::size_t kSoundDims = 512;

struct SoundIndexSettings {
  // Of 100,000 sounds a width of 64 finds 0.973 of the ten nearest, 96 finds 0.987 (tests/bench/PEERS.md).
  IndexSettings vectors{.kind = IndexKind::kHnsw, .distance = Distance::kL2, .effort = {.search_width = 96}};
  std::size_t windows = 0;      // with which `heard` was heard
  std::size_t distractors = 0;  // resampled_rows() besides the recordings, to measure among many
  std::uint64_t seed = 1;       // of these
};

struct SimilarRecording {
  std::uint32_t track = 0;
  double distance = 0;  // Euclidean, of standardised vectors
  double begin = 0;     // seconds: of its nearest window; 0 where that is the whole
};

class SoundIndex {
 public:
  // Builds and writes the three files that are searched. The same bytes for any number of threads. UsageError where
  // the settings do not fit the recordings.
  static void build(const std::filesystem::path& folder, const HeardFile& heard, const SoundIndexSettings& settings,
                    const Executor& exec, const IndexProgress& progress = {});
  // Whether build() would write what is there.
  static bool is_of(const std::filesystem::path& folder, const HeardFile& heard, const SoundIndexSettings& settings);
  // DataError where it is no such folder, was not finished, or follows other definitions than this program's.
  static SoundIndex open(const std::filesystem::path& folder);
  static bool is_index(const std::filesystem::path& folder);  // finished or not
  static std::filesystem::path heard_path(const std::filesystem::path& folder) { return folder / "heard.h5"; }

  std::size_t tracks() const { return paths_.size(); }      // recordings
  std::size_t distractors() const { return distractors_; }  // tracks() and above
  std::size_t windows() const { return windows_; }
  std::string path(std::uint32_t track) const;  // "distractor 000123" above
  double seconds(std::uint32_t track) const { return track < seconds_.size() ? seconds_[track] : 0; }

  // What is searched: a sound_vector() as the index has it.
  std::vector<float> placed(std::vector<float> sound_vector) const;
  // The nearest `count` recordings to a placed vector, each by its nearest row; then by track.
  std::vector<SimilarRecording> similar(std::span<const float> placed, std::size_t count) const;

  VectorIndex& vectors() { return *vectors_; }
  const VectorIndex& vectors() const { return *vectors_; }
  const LandmarkIndex& landmarks() const { return landmarks_; }

 private:
  std::vector<std::string> paths_;
  std::vector<double> seconds_, begins_;
  std::vector<std::uint32_t> track_of_;  // a row
  std::size_t windows_ = 0, distractors_ = 0;
  Standardiser scale_;
  std::unique_ptr<VectorIndex> vectors_;
  LandmarkIndex landmarks_;
};

}  // namespace segue::audio
