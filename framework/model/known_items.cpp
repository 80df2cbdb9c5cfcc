#include "framework/model/known_items.hpp"

#include <bit>

namespace segue {

// A sort of the history would take longer than adding up the scores of a neighbourhood model.
WeightedItems KnownItems::of(const Query& query) {
  std::size_t count = 0;
  for (std::size_t p = 0; p < query.history.size(); ++p) {
    const std::size_t item = raw(query.history[p]);
    if (item >= n_items_) continue;
    marks_[item / 64] |= std::uint64_t{1} << (item % 64);
    last_[item] = static_cast<std::uint32_t>(p);
    ++count;
  }
  WeightedItems out;
  out.items.reserve(count), out.weights.reserve(count);
  for (std::size_t w = 0; w < marks_.size(); ++w) {
    for (std::uint64_t bits = marks_[w]; bits != 0; bits &= bits - 1) {
      const std::size_t item = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      out.items.push_back(item_at(item));
      out.weights.push_back(query.weights.empty() ? 1.0f : query.weights[last_[item]]);
    }
    marks_[w] = 0;
  }
  return out;
}

}  // namespace segue
