// From the log to weights: which events count, and what a pair's events weigh together.
#pragma once

#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/interactions.hpp"
#include "framework/data/task_spec.hpp"

namespace segue {

// The events that are feedback under this transform (skips only under `signals`, ratings only under `rating`, values
// of at least min_value), merged per pair where the spec says so. UsageError where the data set has no such feedback.
std::vector<Event> select_events(const Events& events, const FeedbackSpec& feedback, const Dataset& dataset);

// One weight a (user, item) pair. Rows must be sorted by (user, item, time). Needs all training events, since bm25 looks at
// the lengths of rows and columns.
Interactions weigh_pairs(const std::vector<Event>& events, const FeedbackSpec& feedback, std::size_t n_users, std::size_t n_items);

// The weight of a pair's events alone, without what bm25 takes from other pairs. events: one pair's, sorted by time. A pair is
// truth where this is positive.
float pair_weight(std::span<const Event> events, const FeedbackSpec& feedback);

void sort_by_pair(std::vector<Event>& events);  // (user, item, time, kind, value)

}  // namespace segue
