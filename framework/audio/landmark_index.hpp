// Which recording is this, and where in it? An inverted index from landmark hashes to where they stand in a collection,
// as one file that is mapped into memory: it opens at once however large it is.
//
//   bytes 0..127   magic "segue-landmarks", version, counts, checksums of what follows and of this head
//   definition     LandmarkSettings::canonical(), padded to a multiple of 64 bytes, as the others are
//   frames         u32[tracks]: the last frame of each that a landmark begins in, and 1
//   hashes         u32[hashes], ascending
//   begins         u64[hashes + 1]: where the postings of each begin
//   postings       (u32 track, u32 frame)[postings], ascending for each hash
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/landmarks.hpp"
#include "framework/base/array.hpp"
#include "framework/base/executor.hpp"

namespace segue::audio {

struct LandmarkMatch {
  std::uint32_t track = 0;
  double offset = 0;        // seconds of the recording where the clip begins; below 0 where it begins earlier
  std::uint32_t votes = 0;  // landmarks of the recording that the clip has at that offset
  double share = 0;         // of those that the clip would have as a recording: 0.9 to 1 of an untouched copy
};

struct Identification {
  std::vector<LandmarkMatch> best;  // most votes first
  bool found = false;               // whether the first is that recording
};

class LandmarkIndex {
 public:
  struct Posting {
    std::uint32_t track, frame;
    auto operator<=>(const Posting&) const = default;
  };

  // tracks: landmarks of each, found with these settings. The same bits for any number of threads.
  static LandmarkIndex build(std::span<const std::vector<Landmark>> tracks, const LandmarkSettings& settings,
                             const Executor& exec);
  // Replaces the file as a whole. EnvironmentError where that cannot be done.
  void save(const std::filesystem::path& path) const;
  // Maps it. DataError where it is not such a file, of another layout, damaged in its head, cut short, or of landmarks
  // that were found with other settings.
  static LandmarkIndex open(const std::filesystem::path& path, const LandmarkSettings& settings = {});
  // Reads all of an opened file. DataError where it is not what was saved.
  void verify() const;

  std::size_t tracks() const { return frames_.size(); }
  std::size_t postings() const { return postings_.size(); }
  std::size_t hashes() const { return hashes_.size(); }
  // The `count` recordings with the most votes, most first, then by track: each at its best offset. Landmarks that
  // agree on the offset within kSlack hops vote together, each landmark of the recording once however often the clip
  // has it. Offsets are proposed by the rarest hashes, as many as make kMostPairs pairs of landmarks: what a search
  // costs is bounded however large the index, and frequent hashes say little.
  //
  // Found: at least kLeastVotes, and either at least kLeastShare, or kClear times one more than the second has, since
  // one recording may be there twice. Clips of other music that share a drum loop or a chord with a recording have
  // votes too, but few, or as many for several recordings.
  //
  // The floors were chosen by experience, not derived: of 2,000 rendered demo tracks, some of which share patterns,
  // clips had up to 0.26 of a share with another track, and then as many votes for a third; clips of those indexed had
  // 0.2 to 0.3 only under noise 10 dB below, and then eight times the votes of the second. Of real recordings that
  // share no source clips had at most 6 votes; sounds that are noise themselves (rain, waves) have a small share with
  // their own, which the votes of the second tell apart.
  //
  // except: a track that is passed over, as if it were not there.
  Identification identify(const ClipLandmarks& clip, std::size_t count, std::uint32_t except = kNoTrack) const;
  static constexpr std::uint32_t kNoTrack = 0xffffffff;
  static constexpr std::uint32_t kLeastVotes = 7;
  static constexpr double kLeastShare = 0.3, kClear = 2.5;
  static constexpr double kSlack = 0.75;
  static constexpr std::size_t kMostPairs = 1 << 16;

 private:
  std::span<const Posting> postings_of(std::uint32_t hash, std::size_t& from) const;
  std::uint64_t body_checksum() const;
  [[noreturn]] void damaged() const;  // what is read does not fit: the body is not verified on opening

  std::string definition_;
  double frame_seconds_ = 0;
  Array<std::uint32_t> frames_, hashes_;
  Array<std::uint64_t> begins_;
  Array<Posting> postings_;
  std::filesystem::path path_;         // where it was opened
  std::uint64_t stored_checksum_ = 0;  // of the body, likewise
};

}  // namespace segue::audio
