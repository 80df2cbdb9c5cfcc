// A recording, or a part of it, as one vector of timbre, harmony and rhythm; and everything that an index keeps of a
// recording, heard in one pass over it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/feature_file.hpp"
#include "framework/audio/fingerprint.hpp"
#include "framework/audio/landmarks.hpp"

namespace segue::audio {

// fingerprint(), frame_statistics(), mean and covariance (lower triangle) of MFCC, one after the other: at most 512
// numbers, in their units.
std::size_t sound_vector_size();
std::vector<float> sound_vector(const Track& track);
// Of samples at FeatureSettings().sample_rate.
std::vector<float> sound_vector(std::vector<float> samples);
// What each number counts, once all have unit variance: the covariance, the largest part, weighs as much as the mean.
const std::vector<float>& sound_vector_weights();

inline constexpr double kWindowSeconds = 10;

struct HeardRecording {
  FileMark file;  // path: by what it is known
  double seconds = 0;
  std::vector<float> vectors;       // rows x sound_vector_size(): the whole, then its windows
  std::vector<double> begins;       // seconds, of each row; 0 of the whole
  std::vector<Landmark> landmarks;  // of the whole
};

// windows: so many excerpts of kWindowSeconds, evenly spread, besides the whole; none of a recording that is no longer
// than one. The source is read to its end, then once more where windows are wanted or it is very long; its rate must
// be that of FeatureSettings. DataError where there are no samples.
HeardRecording hear_recording(SampleSource& source, const FileMark& file, std::size_t windows);

// What hear_recording() gives, to the last setting: equal texts, comparable recordings.
std::string heard_definition(std::size_t windows);

}  // namespace segue::audio
