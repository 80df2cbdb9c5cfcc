// Training data cut once more, for hybrids: their components learn from the earlier part, and what puts the components
// together learns from what came after. Nothing but training data is seen.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/model/recommender.hpp"

namespace segue {

struct InnerSplit {
  // users x items: pairs with an event in the earlier part. They weigh what its events add up to where all of a pair's
  // do so, else what they weigh in all of it.
  Interactions train;
  Histories histories;  // the earlier events
  Facets facets;
  std::vector<UserIdx> users;         // with something held out and something before it, ascending
  Csr<ItemIdx> held_out;              // one row each: distinct items of positive weight
  std::vector<std::int64_t> moments;  // of the first event held out
  TrainData data() const { return {train, histories, facets}; }
};

enum class HoldoutBy {
  kUser,  // the last `share` of each user's events, at least one where there are two, at most all but one
  kTime,  // the last `share` of all events: what came after one moment
};
// A cut as that of the task is the best teacher. repeats: whether an item that the user had before counts as held out.
// Of data without histories nothing is held out.
InnerSplit inner_split(const TrainData& data, double share, HoldoutBy by, bool repeats);

}  // namespace segue
