// Scores of models that keep their item vectors packed: EmbeddingSpace::packed_items() says that a score is
// packed->score(query vector, item_biases()) to the last bit, and these are the functions that make it so.
#pragma once

#include <span>

#include "framework/model/recommender.hpp"

namespace segue {

// Recommender::score() of such a model. out: queries x items.
void score_packed(const EmbeddingSpace& space, std::span<const Query> queries, MatRef<float> out);

// Recommender::score_candidates(), the same bits.
void score_packed(const EmbeddingSpace& space, const Query& query, std::span<const ItemIdx> candidates,
                  std::span<float> out);

}  // namespace segue
