// Small data sets for tests of splits, filters and views: written out, or random with ties in time and repeats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/task_spec.hpp"

namespace segue::test {

struct LogRow {
  std::string user, item;
  std::int64_t time = 0;
  EventKind kind = EventKind::kPlay;
  float value = 1;
  std::uint32_t session = 0;
};
using Log = std::vector<LogRow>;

inline void add_rows(DatasetBuilder& builder, const Log& log) {
  for (const LogRow& r : log)
    builder.add(
        {.user = r.user, .item = r.item, .time = r.time, .kind = r.kind, .value = r.value, .session = r.session});
}

inline Dataset dataset_of(const Log& log, bool has_times = true, bool has_ratings = false) {
  DatasetBuilder builder("toy");
  builder.set_has_times(has_times);
  builder.set_has_ratings(has_ratings);
  add_rows(builder, log);
  return builder.build();
}

// Popularity falls with the item's number; few distinct times, so that many events are tied; some pairs repeat.
inline Log random_log(std::uint64_t seed, std::size_t users, std::size_t items, std::size_t events,
                      std::uint64_t distinct_times = 50) {
  constexpr EventKind kKinds[] = {EventKind::kPlay,   EventKind::kPlay, EventKind::kSkip,
                                  EventKind::kRepeat, EventKind::kLike, EventKind::kPlaylistAdd};
  Log out;
  Rng rng(seed);
  for (std::size_t e = 0; e < events; ++e) {
    const std::uint64_t item = rng.below(1 + rng.below(items));
    out.push_back({"user " + std::to_string(rng.below(users)), std::to_string(item),
                   static_cast<std::int64_t>(rng.below(distinct_times)), kKinds[rng.below(6)],
                   static_cast<float>(1 + rng.below(5))});
  }
  return out;
}

inline Log shuffled(Log log, std::uint64_t seed) {
  Rng(seed).shuffle(std::span(log));
  return log;
}

inline SplitSpec split_of(const std::string& strategy, double test = -1, double validation = 0) {
  SplitSpec spec;
  spec.strategy = strategy;
  spec.test = test;
  spec.validation = validation;
  return spec;
}

}  // namespace segue::test
