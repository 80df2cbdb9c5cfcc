#include "framework/data/columns.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue {

std::optional<std::size_t> Columns::find(std::string_view name) const {
  const auto it = std::find(names_.begin(), names_.end(), name);
  if (it == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(it - names_.begin());
}

std::optional<std::size_t> Columns::find_any(const std::vector<std::string_view>& names) const {
  for (const std::string_view name : names) {
    if (const auto found = find(name)) return found;
  }
  return std::nullopt;
}

std::size_t Columns::require(const TextSource& file, std::string_view name) const {
  if (const auto found = find(name)) return *found;
  throw file.error("no column '{}'{}", name, suggestion(name, names_));
}

void SkippedRows::add(const TextSource& file, const std::string& reason) {
  Found& found = by_reason_[reason];
  if (found.count++ == 0)
    found.first = fmt::format("{}:{}", std::filesystem::path(file.name()).filename().string(), file.line_number());
}

std::size_t SkippedRows::size() const {
  std::size_t total = 0;
  for (const auto& [reason, found] : by_reason_) total += found.count;
  return total;
}

void SkippedRows::note(DatasetBuilder& builder) const {
  for (const auto& [reason, found] : by_reason_)
    builder.note(fmt::format("{} row{} skipped: {} (the first: {})", found.count, found.count == 1 ? "" : "s", reason,
                             found.first));
}

}  // namespace segue
