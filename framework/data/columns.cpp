#include "framework/data/columns.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"

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

void SkippedRows::add(const TextSource& file, std::string_view reason) {
  if (by_reason_.empty()) {
    first_file_ = file.name();
    first_line_ = file.line_number();
    first_reason_ = reason;
  }
  Found& found = by_reason_[std::string(reason)];
  if (found.count++ >= 3) return;
  const bool same = found.file == file.name();
  const std::string name = std::filesystem::path(file.name()).filename().string();
  if (!found.first.empty()) found.first += ", ";
  found.first += same ? fmt::format("{}", file.line_number()) : fmt::format("{}:{}", name, file.line_number());
  found.file = file.name();
}

std::size_t SkippedRows::size() const {
  std::size_t total = 0;
  for (const auto& [reason, found] : by_reason_) total += found.count;
  return total;
}

std::vector<std::string> SkippedRows::texts() const {
  std::vector<std::string> out;
  for (const auto& [reason, found] : by_reason_)
    out.push_back(fmt::format("{} row{} skipped: {} (the first: {})", found.count, found.count == 1 ? "" : "s", reason,
                              found.first));
  return out;
}

void SkippedRows::note(DatasetBuilder& builder) const {
  for (std::string& text : texts()) builder.note(std::move(text));
}

void SkippedRows::tolerate(double share, std::size_t rows) const {
  const std::size_t skipped = size();
  if (skipped == 0) return;
  if (static_cast<double>(skipped) > share * static_cast<double>(rows)) {
    throw DataError::at(first_file_, first_line_,
                        "{}; {} of {} rows are malformed, more than the share of {} that 'max_malformed' allows",
                        first_reason_, skipped, rows, share);
  }
  for (const std::string& text : texts()) log_warning("{}", text);
}

}  // namespace segue
