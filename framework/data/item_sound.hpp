// Listening to a data set: fingerprints of all items, made once and kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "framework/base/executor.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/loader.hpp"

namespace segue {

// What is listened to of each item, from its middle; all of a shorter one.
inline constexpr double kHeardSeconds = 30;

// What an ItemSound holds, to the last setting: equal texts, comparable numbers.
std::string item_sound_definition();

struct ListeningProgress {
  std::size_t done = 0, total = 0;  // items that had to be listened to
  double sound_seconds = 0;         // of them
};

// The facet ItemSound of a data set that has ItemAudio, through its loader's sound(). What was heard is kept in `cache`
// (under sound/), by sound_identity(): a second call listens only to what is new. A sound that cannot be read is no
// error, but a warning with the first reason; DataError where none can. progress is called from several threads, one at
// a time, for every item listened to; where it returns false no other is begun, and the result is null. The same bits
// for any number of threads and whatever the cache holds.
std::shared_ptr<const ItemSound> hear_items(const Dataset& dataset, const DatasetLoader& loader,
                                            const std::filesystem::path& cache, const Executor& exec,
                                            const std::function<bool(const ListeningProgress&)>& progress = {});

}  // namespace segue
