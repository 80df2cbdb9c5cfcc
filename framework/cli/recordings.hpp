// The recordings that a command of `segue audio` is about: files, folders of them, and items of a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/audio/feature_file.hpp"
#include "framework/cli/commands.hpp"

namespace segue {

struct RecordingOptions {
  std::vector<std::string> paths, settings;
  std::string data;
  std::size_t limit = 500;
  std::uint64_t seed = 1;
};
// PATH..., --data, --set and --limit; a --seed is the command's own.
void add_recordings(CLI::App& command, RecordingOptions& options);

struct NamedRecording {
  std::size_t place = 0;
  std::string name;      // the path as it was given, or the item's id
  audio::FileMark mark;  // path: absolute, or "demo/t00001"; of an item, bytes are a hash of its sound_identity()
  std::function<std::unique_ptr<audio::SampleSource>(int sample_rate, bool may_be_short)> open;
};

struct Recordings {
  std::vector<std::string> places;        // what was named
  std::vector<NamedRecording> all;        // in the order of places
  std::unique_ptr<DatasetLoader> loader;  // which items are opened with
};
// UsageError where nothing is named; DataError where a folder holds no recordings.
Recordings find_recordings(const RecordingOptions& options, const Session& session);

}  // namespace segue
