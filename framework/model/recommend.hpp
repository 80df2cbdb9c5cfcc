// From scores to lists, once and identically for every model: blocks, masking of seen items, candidate lists, the total
// order of ties, and the exact rank of every truth item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

// Ragged lists of items, one row a query: row q is items[offsets[q] .. offsets[q + 1]). Empty offsets: no lists.
struct ItemLists {
  std::span<const std::uint64_t> offsets{};
  std::span<const ItemIdx> items{};
  bool empty() const { return offsets.empty(); }
  std::size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::span<const ItemIdx> operator[](std::size_t q) const { return items.subspan(offsets[q], offsets[q + 1] - offsets[q]); }
};

// Which items may be recommended to whom, and how ties are ordered.
struct CandidatePolicy {
  std::span<const std::uint8_t> catalogue{};  // one flag an item, or empty: all items
  ItemLists candidates{};                     // given: only these, distinct, are ranked (the catalogue flag is not applied)
  ItemLists excluded{};                       // never recommended (what the user has seen)
  std::uint64_t task_seed = 0;                // ties: ascending tie_order(task_seed, user key, item key)
  std::span<const std::uint64_t> user_keys{};  // one a query; empty: 0
  std::span<const std::uint64_t> item_keys{};  // one an item; empty: the item's position
};

// The best k of each query, best first: score descending, then tie order. Fewer than k items: padded with kNoItem / -inf.
struct TopK {
  std::size_t k = 0;
  std::vector<ItemIdx> items;   // queries x k
  std::vector<float> scores;    // queries x k
  std::size_t queries() const { return k == 0 ? 0 : items.size() / k; }
  std::span<const ItemIdx> row(std::size_t q) const { return {items.data() + q * k, k}; }
  std::span<const float> row_scores(std::size_t q) const { return {scores.data() + q * k, k}; }
};

// Where each truth item stands among its query's candidates: the items of its candidate list or of the catalogue, without
// those excluded, whether the model can score them or not. One that it cannot score (-inf) is in no list and has no rank; it
// is tied with the others of its kind, so above + tied + 1 == candidates. A truth item that is no candidate has all of them
// above it.
struct TruthRanks {
  std::vector<std::uint32_t> rank;   // 1 = first, ties resolved by tie order; 0: not a candidate, or a score of -inf
  std::vector<std::uint32_t> tied;   // other candidates with exactly the same score
  std::vector<std::uint32_t> above;  // candidates with a strictly higher score; all of them where the item is none
  std::vector<std::uint32_t> candidates;      // per query: how many there are, those with -inf included
  std::vector<std::uint8_t> tie_at_cut;       // per query: 1 if the score at place k equals the one at k + 1
};

// Number of queries scored together: a fixed function of the catalogue, never of the machine or the thread count.
std::size_t query_block(std::size_t n_items);

// The best k items for each query. UsageError where the model returns NaN or +inf.
TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec);

// The same, and the rank of each truth item. truth: one row a query.
TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec, const ItemLists& truth, TruthRanks& ranks);

}  // namespace segue
