// When items are heard: by how much more often than everything else in each hour of the day.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/data/interactions.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

inline constexpr int kHoursOfDay = 24;

// 0 .. 23, by the clock of the data; seconds since 1970, before it too.
int hour_of(std::int64_t time);

struct HourSettings {
  double bandwidth = 1.5;  // hours: standard deviation of the bell by which a play counts for the hours around its own,
                           // 0: for its own alone
  double prior =
      20;  // plays that an item is given besides its own, spread over the hours as those of its tags; positive
};

// log P(hour | item) / P(hour), natural: items x 24. Counts of events but skips per hour are spread by a bell over the
// circle of hours;
//   P(h | i) = (c_ih + prior q_ih) / (c_i + prior),   q_ih = mean over its tags, by weight, of (C_th + prior P(h)) /
//   (C_t + prior),
// where C_t adds up the plays of a tag's items by its weight in them (rows of `tags` scaled to a sum of 1), and P(h) is
// the share of all plays. Without tags (null) or for an item that has none, q_i = P. All 0 where nothing was played.
Matrix<float> hour_lifts(const Histories& plays, std::size_t items, const ItemTags* tags, const HourSettings& settings);

}  // namespace segue
