#include "algorithms/implicit_als/implicit_als_math.hpp"

#include <algorithm>
#include <utility>

namespace segue {

double als_dense_loss(const Matrix<float>& row_gram, const Matrix<float>& column_gram, float reg) {
  double squares = 0, penalty = 0;
  for (Eigen::Index i = 0; i < row_gram.rows(); ++i) {
    penalty += static_cast<double>(row_gram(i, i)) + static_cast<double>(column_gram(i, i));
    for (Eigen::Index j = 0; j < row_gram.cols(); ++j)
      squares += static_cast<double>(row_gram(i, j)) * static_cast<double>(column_gram(i, j));
  }
  return squares + static_cast<double>(reg) * penalty;
}

void als_history(const Query& query, std::size_t n_items, std::vector<ItemIdx>& items, std::vector<float>& weights) {
  std::vector<std::pair<ItemIdx, float>> events;
  for (std::size_t n = 0; n < query.history.size(); ++n) {
    if (raw(query.history[n]) < n_items)
      events.emplace_back(query.history[n], query.weights.empty() ? 1.0f : query.weights[n]);
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  items.clear();
  weights.clear();
  for (const auto& [item, weight] : events) {
    if (items.empty() || items.back() != item) {
      items.push_back(item);
      weights.push_back(weight);
    } else if (!query.weights.empty()) {
      weights.back() += weight;
    }
  }
}

}  // namespace segue
