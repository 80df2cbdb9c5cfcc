// Tables: where a column stands, and which rows were passed over.
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
  void add(const TextSource& file, std::string_view reason);
  std::size_t size() const;
  // One note a reason: "7 rows skipped: expected 7 fields (the first: tracks.csv:17, 31, 40)".
  void note(DatasetBuilder& builder) const;
  // For files of which a share of the rows may be malformed: DataError at the first one where more are, else a warning
  // that names the first of each reason. rows: all of them, malformed or not.
  void tolerate(double share, std::size_t rows) const;

 private:
  struct Found {
    std::size_t count = 0;
    std::string first;  // "tracks.csv:17, 31, 40": the first three
    std::string file;   // the one that `first` named last
  };
  std::vector<std::string> texts() const;

  std::string first_file_, first_reason_;
  std::size_t first_line_ = 0;
  std::map<std::string, Found> by_reason_;
};

// Calls row(file, fields) for each line that is not empty; what it returns is what is wrong with the line, empty where
// nothing is. Lines of another number of fields never get there. Returns the number of lines.
template <class Row>
std::size_t each_tolerated_line(FileReader& file, std::string_view separator, std::size_t n_fields,
                                SkippedRows& skipped, Row row) {
  const std::string unfit = fmt::format("expected {} fields", n_fields);
  std::vector<std::string_view> fields;
  std::size_t lines = 0;
  for (std::string_view line; file.next(line);) {
    if (line.empty()) continue;
    ++lines;
    split(line, separator, fields);
    const std::string_view fault = fields.size() == n_fields ? row(file, fields) : std::string_view(unfit);
    if (!fault.empty()) skipped.add(file, fault);
  }
  return lines;
}

}  // namespace segue
