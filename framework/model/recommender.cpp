#include "framework/model/recommender.hpp"

namespace segue {

void Recommender::score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const {
  Matrix<float> row(1, static_cast<Eigen::Index>(n_items()));
  score({&query, 1}, row);
  for (std::size_t i = 0; i < candidates.size(); ++i) out[i] = row(0, static_cast<Eigen::Index>(raw(candidates[i])));
}

}  // namespace segue
