// Items as a person or a program wants to read them: what `recommend`, `similar` and `next` print.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "framework/cli/stored_model.hpp"
#include "framework/report/table.hpp"

namespace segue {

// Columns of an item table beside number, title, artist (where the data has any) and id; each empty, or a value an
// item.
struct ItemColumns {
  std::string scale;  // the heading of `scaled`: "probability", "relative"
  std::vector<double> scaled{};
  int decimals = 4;  // of `scaled`
  std::vector<float> scores{};
  std::vector<std::string> matches{};  // why it is recommended; empty: its strongest tags instead
};

// Up to the first kNoItem.
Table item_table(const StoredModel& model, std::span<const ItemIdx> items, const ItemColumns& columns);

}  // namespace segue
