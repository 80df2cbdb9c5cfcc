// What a trial stores and every metric is computed from: views of stored arrays, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "framework/base/ids.hpp"

namespace segue {

// A place of a stored list that holds no item (kNoItem as it is written to files).
inline constexpr std::uint32_t kPadding = 0xFFFFFFFFu;

// Facts about the catalogue that beyond-accuracy metrics read; a span is empty where the data has no such thing.
struct ItemFacts {
  std::size_t items = 0;
  std::span<const std::uint64_t> train_counts{};  // items: training users of an item
  std::uint64_t train_users = 0;                  // users with training events
  std::span<const std::uint64_t> tag_offsets{};   // items + 1
  std::span<const std::uint32_t> tags{};          // ascending within an item
  std::span<const float> tag_weights{};           // positive
  std::size_t tag_count = 0;
  std::span<const std::uint32_t> artists{};  // items; 0xFFFFFFFF (kNoArtist of data) where unknown
  std::span<const float> vectors{};          // items x vector_dim, row-major: an embedding for diversity
  std::size_t vector_dim = 0;
};

// What was known of each query.
struct QueryFacts {
  std::span<const std::uint64_t> history_offsets{};  // queries + 1
  std::span<const std::uint32_t> history_items{};    // oldest first, may repeat
  // One a query: when its first truth event happened, seconds since 1970. Empty where the data has no times, only an
  // order.
  std::span<const std::int64_t> times{};
};

// The ranking of q queries. Row q of a ragged array is [truth_offsets[q], truth_offsets[q + 1]).
struct RankingOutcome {
  std::size_t queries = 0;
  std::size_t k = 0;                               // length of the stored lists
  std::span<const std::uint32_t> items{};          // queries x k, best first; short lists end in kPadding
  std::span<const std::uint64_t> truth_offsets{};  // queries + 1, starting at 0
  std::span<const std::uint32_t> truth_items{};    // distinct within a query
  std::span<const float> truth_gains{};            // one a truth item, positive; empty: all 1
  // One a truth item, among its query's candidates: 1 = first, ties resolved as in the stored list; 0 = not ranked at
  // all.
  std::span<const std::uint32_t> truth_rank{};
  // Only auc reads these three. A truth item of rank 0 is no candidate where all candidates are above it; else the
  // model could not score it, and it is tied with all that are not above.
  std::span<const std::uint32_t> truth_above{};  // candidates with a strictly higher score
  std::span<const std::uint32_t> truth_tied{};   // other candidates with the same score
  std::span<const std::uint32_t> candidates{};   // one a query: how many items could have been ranked
  std::span<const std::uint8_t> tie_at_cut{};    // one a query: 1 if places k and k + 1 have the same score
  std::size_t catalogue = 0;                     // number of items that could be recommended
  const ItemFacts* item_facts = nullptr;         // not owned
  QueryFacts query_facts{};
  // Ranks are known only inside the stored lists (imported): no cut-off beyond k, no auc.
  bool lists_only = false;
};

// What a metric or a slice reads beyond lists and ranks.
enum class Fact { kTieCounts, kTrainCounts, kTags, kArtists, kVectors, kHistory, kTimes };
// "tags": the facet or array, for messages.
std::string_view fact_name(Fact fact);
bool has_fact(const RankingOutcome& outcome, Fact fact);

// Predicted ratings, one a test rating.
struct RatingOutcome {
  std::span<const float> predicted{};
  std::span<const float> actual{};
  std::span<const std::uint32_t> users{};  // one a rating; empty where no per-user metric is asked for
  // Predictions are cut to this range before they are judged; NaN: not cut on that side.
  double clip_low = std::numeric_limits<double>::quiet_NaN();
  double clip_high = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace segue
