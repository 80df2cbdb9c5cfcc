// What a query says that its user has: one row of a users x items matrix, made from a history.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/history_product.hpp"
#include "framework/model/query.hpp"

namespace segue {

// Asks for a row's cache lines without waiting for them: rows that are looked up in no order and are short come too
// late by the machine's own prefetching.
template <class Index>
void prefetch_row(const Csr<Index>& rows, std::size_t row) {
  for (std::uint64_t p = rows.offsets()[row]; p < rows.offsets()[row + 1]; p += 16) {
    __builtin_prefetch(rows.all_indices().data() + p);
    if (!rows.all_values().empty()) __builtin_prefetch(rows.all_values().data() + p);
  }
}
inline constexpr std::size_t kRowsAhead = 2;  // how far ahead of the row in work

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
