// How events part into training, validation and test.
#pragma once

#include <string>
#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/task_spec.hpp"

namespace segue {

struct SplitEvents {
  std::vector<Event> train, validation, test;
  std::vector<Event> known;  // what queries of held-out users know, in validation as in test; nobody is trained on it
  std::vector<std::string> warnings;
};

// Deterministic in (events as a set, spec, fold). events: feedback already selected; for `given` the fold's own rows.
// Sizes are round(share x events); a cut in time leaves at least its share behind it. UsageError where the spec contradicts itself, or a cut in time leaves one side empty.
// Works in place: the events are handed over, and those that train stay where they are.
SplitEvents split_events(std::vector<Event> events, const Dataset& dataset, const SplitSpec& split, const std::string& fold);

// The order in which a user's events stand: time, then tie_order(seed, user, item), then kind, value and session.
void sort_histories(std::vector<Event>& events, const Dataset& dataset, std::uint64_t seed);

}  // namespace segue
