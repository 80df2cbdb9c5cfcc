// Days and the time of day of a moment in seconds since 1970, by the clock of whoever wrote it down: UTC where that is
// known.
#pragma once

#include <cstdint>

namespace segue {

inline constexpr std::int64_t kSecondsPerHour = 3600, kSecondsPerDay = 24 * kSecondsPerHour;

// [0, kSecondsPerDay), before 1970 too.
constexpr std::int64_t second_of_day(std::int64_t time) {
  return (time % kSecondsPerDay + kSecondsPerDay) % kSecondsPerDay;
}

}  // namespace segue
