// What a query says that its user has: one row of a users x items matrix, made from a history.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/linalg/history_product.hpp"
#include "framework/model/query.hpp"

namespace segue {

// Scratch for one query after another.
class KnownItems {
 public:
  explicit KnownItems(std::size_t n_items) : n_items_(n_items), marks_((n_items + 63) / 64), last_(n_items) {}

  // The items of the query's history, ascending, each once with its last weight, or 1 without weights. Items outside
  // the catalogue are left out.
  WeightedItems of(const Query& query);

 private:
  std::size_t n_items_;
  std::vector<std::uint64_t> marks_;  // one bit an item, all zero between calls
  std::vector<std::uint32_t> last_;   // where a marked item last stands in the history
};

}  // namespace segue
