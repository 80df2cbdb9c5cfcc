#include "framework/model/embedding_scores.hpp"

#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"

namespace segue {

namespace {

const PackedRows& packed(const EmbeddingSpace& space) {
  const PackedRows* rows = space.packed_items();
  SEGUE_CHECK(rows != nullptr, "an embedding space without packed items");
  return *rows;
}

}  // namespace

void score_packed(const EmbeddingSpace& space, std::span<const Query> queries, MatRef<float> out) {
  const PackedRows& rows = packed(space);
  Matrix<float> vectors(static_cast<Eigen::Index>(queries.size()), static_cast<Eigen::Index>(rows.dims()));
  for (std::size_t q = 0; q < queries.size(); ++q) space.query_vector(queries[q], row_span(vectors, q));
  rows.score(vectors, space.item_biases(), out);
}

void score_packed(const EmbeddingSpace& space, const Query& query, std::span<const ItemIdx> candidates,
                  std::span<float> out) {
  const PackedRows& rows = packed(space);
  std::vector<float> vector(rows.dims());
  space.query_vector(query, vector);
  std::vector<std::uint32_t> which;
  which.reserve(candidates.size());
  for (const ItemIdx item : candidates) which.push_back(raw(item));
  rows.score_rows(vector, space.item_biases(), which, out);
}

}  // namespace segue
