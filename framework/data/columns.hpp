// Tables with a header: where a column stands, and which rows were passed over.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/file_reader.hpp"

namespace segue {

class Columns {
 public:
  explicit Columns(const std::vector<std::string_view>& header) : names_(header.begin(), header.end()) {}

  std::size_t size() const { return names_.size(); }
  // The first column of that name.
  std::optional<std::size_t> find(std::string_view name) const;
  // The first column that bears the first of these names that any bears.
  std::optional<std::size_t> find_any(const std::vector<std::string_view>& names) const;
  // DataError at the header's line where there is none.
  std::size_t require(const TextSource& file, std::string_view name) const;

 private:
  std::vector<std::string> names_;
};

// Rows that a loader goes on without, by reason.
class SkippedRows {
 public:
  void add(const TextSource& file, const std::string& reason);
  std::size_t size() const;
  // One note a reason: "2 rows skipped: expected 7 fields (the first: tracks.csv:17)".
  void note(DatasetBuilder& builder) const;

 private:
  struct Found {
    std::size_t count = 0;
    std::string first;
  };
  std::map<std::string, Found> by_reason_;
};

}  // namespace segue
