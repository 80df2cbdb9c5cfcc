// Stratified stochastic gradient descent (Gemulla, Nijkamp, Haas & Sismanis 2011, "Large-scale matrix factorization
// with distributed stochastic gradient descent", KDD): users and items are cut into groups, the blocks (g, h) of one
// diagonal share neither a user nor an item and run at once, and the diagonals follow one another. Groups depend on the
// data's size and the seed, never on threads, so the result has the same bits for any number of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"

namespace segue {

// How many groups: 16, or more where the vectors of a group of items (dims floats each) would not stay in a
// megabyte of cache, a core's own; at most 128.
std::size_t strata_count(std::size_t items, std::size_t dims);

// [0, n) in random order. Ids are often sorted by popularity or time: contiguous ids would make uneven groups.
std::vector<std::uint32_t> random_order(std::size_t n, Rng rng);

// Position p of n belongs to group p groups / n; group g begins at this position.
inline std::size_t group_begin(std::size_t g, std::size_t groups, std::size_t n) {
  return (g * n + groups - 1) / groups;
}

// group[order[p]] = p groups / n. groups <= 256.
std::vector<std::uint8_t> groups_of(std::span<const std::uint32_t> order, std::size_t groups);

// The sum of visit(g, h) over all blocks, added in a fixed order; diagonals in the order that `draw` shuffles them to.
template <class Visit>
double for_strata(std::size_t groups, Rng draw, const Executor& exec, Visit visit) {
  std::vector<std::size_t> diagonals(groups);
  std::iota(diagonals.begin(), diagonals.end(), std::size_t{0});
  draw.shuffle(std::span(diagonals));
  double total = 0;
  for (const std::size_t diagonal : diagonals) {
    total += exec.reduce_blocks(
        groups, 1, 0.0, [&](std::size_t g, std::size_t) { return double{visit(g, (g + diagonal) % groups)}; },
        [](double sum, double part) { return sum + part; });
  }
  return total;
}

// Shuffles each run of kShuffleWindow values. Samples that come user by user stay near their user's vector in cache,
// and those of one user no longer wait for one another.
inline constexpr std::size_t kShuffleWindow = 256;

template <class T>
void shuffle_windows(std::span<T> values, Rng& rng) {
  for (std::size_t first = 0; first < values.size(); first += kShuffleWindow) {
    const std::span<T> window = values.subspan(first, std::min(kShuffleWindow, values.size() - first));
    for (std::size_t i = window.size(); i > 1; --i)
      std::swap(window[i - 1], window[rng.below32(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace segue
