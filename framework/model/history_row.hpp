#pragma once

#include <cstddef>
#include <vector>

#include "framework/base/ids.hpp"
#include "framework/model/query.hpp"

namespace segue {

// A query's history as one row of events: items ascending, each once, with the sum of the query's weights for it, or 1
// where the query has no weights. Items outside [0, n_items) are left out.
struct HistoryRow {
  std::vector<ItemIdx> items;
  std::vector<float> weights;
  bool weighted = false;  // whether the query had weights
};
HistoryRow history_row(const Query& query, std::size_t n_items);

}  // namespace segue
