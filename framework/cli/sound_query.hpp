// One question to an index of sounds, timed stage by stage.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "framework/audio/sound_index.hpp"

namespace segue {

struct QueryTiming {
  double decode = 0, features = 0, search = 0;  // seconds; features: vector or landmarks of the clip
  double total() const { return decode + features + search; }
};

inline constexpr double kLeastClip = 1;  // second

// `seconds` of a sound file from second `from` on, at the rate that features and landmarks are taken at. DataError
// where it cannot be read, or less than kLeastClip is left of it.
std::vector<float> read_clip(const std::filesystem::path& file, double from, double seconds, QueryTiming& timing);

std::vector<audio::SimilarRecording> find_similar(const audio::SoundIndex& index, std::vector<float> clip,
                                                  std::size_t count, QueryTiming& timing);
audio::Identification identify_clip(const audio::SoundIndex& index, const std::vector<float>& clip, std::size_t count,
                                    QueryTiming& timing);

}  // namespace segue
