#include "framework/cli/item_table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace segue {

namespace {

std::string joined_tags(const StoredModel& m, ItemIdx item, std::size_t most) {
  const ItemTags* tags = m.fold.facets.find<ItemTags>();
  if (tags == nullptr) return "";
  std::vector<std::pair<float, std::size_t>> ranked;
  for (std::size_t j = 0; j < tags->weights.row_size(raw(item)); ++j)
    ranked.emplace_back(-tags->weights.values(raw(item))[j],
                        static_cast<std::size_t>(tags->weights.indices(raw(item))[j]));
  std::sort(ranked.begin(), ranked.end());
  std::string out;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i)
    out += fmt::format("{}{}", i > 0 ? ", " : "", tags->tags[ranked[i].second]);
  return out;
}

}  // namespace

Table item_table(const StoredModel& m, std::span<const ItemIdx> items, const ItemColumns& columns) {
  const bool artists = m.fold.facets.has(ItemArtist::kName);
  Table table;
  table.columns = {{"#", Align::kRight}, {"title", Align::kLeft, Wrap::kYes}};
  if (artists) table.columns.push_back({"artist", Align::kLeft, Wrap::kYes});
  if (!columns.scaled.empty()) table.columns.push_back({columns.scale, Align::kRight});
  if (!columns.scores.empty()) table.columns.push_back({"score", Align::kRight});
  table.columns.push_back({columns.matches.empty() ? "tags" : "match", Align::kLeft, Wrap::kYes});
  table.columns.push_back({"id"});
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i] == kNoItem) break;
    std::vector<Cell> row{Cell(i + 1), m.title(items[i])};
    if (artists) row.push_back(m.artist(items[i]));
    if (!columns.scaled.empty()) row.push_back(Cell::fixed(columns.scaled[i], columns.decimals));
    if (!columns.scores.empty()) row.push_back(Cell::fixed(static_cast<double>(columns.scores[i]), 4));
    row.push_back(columns.matches.empty() ? joined_tags(m, items[i], 3) : columns.matches[i]);
    row.push_back(std::string(m.fold.items[raw(items[i])]));
    table.add(std::move(row));
  }
  return table;
}

}  // namespace segue
