// Scores of several models for the same items, made comparable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/ids.hpp"
#include "framework/model/query.hpp"

namespace segue {

// In place: zero mean and unit variance over the finite ones, summed in double in their order; those of -inf stay. All
// 0 where they are equal.
void standardise_scores(std::span<float> scores);

// One flag an item: whether it stands in the query's history.
std::vector<std::uint8_t> heard_flags(const Query& query, std::size_t n_items);

// The best n items by score descending, then item ascending; those of -inf and those flagged in `barred` (one flag an
// item, or empty) are left out.
std::vector<ItemIdx> best_items(std::span<const float> scores, std::span<const std::uint8_t> barred, std::size_t n);

// In place: 1 / (smoothing + rank), rank = 1 + how many unbarred items score higher; those of -inf stay. Cormack,
// Clarke & Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR.
void reciprocal_ranks(std::span<float> scores, std::span<const std::uint8_t> barred, double smoothing);

}  // namespace segue
