#include "framework/model/history_row.hpp"

#include <algorithm>
#include <utility>

namespace segue {

HistoryRow history_row(const Query& query, std::size_t n_items) {
  std::vector<std::pair<ItemIdx, float>> events;
  for (std::size_t n = 0; n < query.history.size(); ++n) {
    if (raw(query.history[n]) < n_items)
      events.emplace_back(query.history[n], query.weights.empty() ? 1.0f : query.weights[n]);
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  HistoryRow out;
  out.weighted = !query.weights.empty();
  for (const auto& [item, weight] : events) {
    if (out.items.empty() || out.items.back() != item) {
      out.items.push_back(item);
      out.weights.push_back(weight);
    } else if (!query.weights.empty()) {
      out.weights.back() += weight;
    }
  }
  return out;
}

}  // namespace segue
