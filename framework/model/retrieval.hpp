// Lists from an index of a model's item vectors instead of all its scores: what a service that cannot score every item
// would show, and what it loses.
#pragma once

#include <memory>
#include <span>

#include "framework/data/task_spec.hpp"
#include "framework/index/vector_index.hpp"
#include "framework/model/recommend.hpp"

namespace segue {

// A model's items where retrieval finds them: its vectors, with the item bias as one more dimension (a query has 1
// there) and zeros up to a multiple of sixteen, scaled by powers of two so that products are near 1.
//
// A graph takes them as they are: walking towards larger products finds the long vectors that lists are made of. Lists
// around centroids want places in a space instead: there each item gets a last dimension that makes all equally long
// (Bachrach et al. 2014), so that the nearest by Euclidean distance are those of largest product. On factors of
// implicit_als, 17,632 artists of Last.fm, 64 dimensions: HNSW (width 64) finds 0.998 of the ten best by products and
// 0.562 by distances, IVF-PQ (32 probes, 16 bytes) 0.851 and 0.995.
class ItemIndex {
 public:
  // UsageError where the model has no embeddings(), or settings do not fit its dimensions.
  ItemIndex(const Recommender& model, const RetrievalSpec& how, const Executor& exec);

  const VectorIndex& index() const { return *index_; }
  // What the index is asked for a query: index().dims() numbers.
  void query_vector(const Query& query, std::span<float> out) const;
  // What recommend() gives, but that only items that the index finds are scored: as many as the list is long, without
  // those that the policy leaves out. Scores, and the order of what was found, are the model's to the last bit.
  TopK recommend(std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
                 const Executor& exec) const;

 private:
  const Recommender& model_;
  std::unique_ptr<VectorIndex> index_;
};

// The share of the exact lists' items that the index's lists hold too, mean over queries whose exact list is not empty.
double recall_of_lists(const TopK& found, const TopK& exact);

}  // namespace segue
