// Files of recommendations (or predicted ratings) that other systems write, row by row.
//
//   TREC run     qid Q0 docno rank score tag, parted by blanks or tabs; no header
//   delimited    a header that names the columns in any order, or user, item, score in this order without one; parted
//   by
//                tabs, commas, semicolons or blanks; quoted as in RFC 4180. A header may carry RecBole's types
//                ("user_id:token"); columns that are not needed are skipped.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "framework/data/file_reader.hpp"

namespace segue {

enum class ListFormat { kAuto, kTrec, kCsv, kRecbole, kLenskit };
inline constexpr const char* kListFormats = "auto|trec|csv|recbole|lenskit";
ListFormat parse_list_format(const std::string& text);  // UsageError for others

struct ListRow {
  std::string_view user, item;  // valid until the next row
  double score = 0;             // finite, and so as a float; where the file has ranks alone: minus the rank
  std::optional<double> rank{};
};

class ListFile {
 public:
  // The layout is told from the first line, unless the format says it. DataError where that line fits none, and where
  // the file cannot be read or is compressed.
  ListFile(const std::filesystem::path& path, ListFormat format);
  ~ListFile();

  // False after the last row. DataError, naming file and line, for a row that is not as the first line says.
  bool next(ListRow& row);
  const TextSource& place() const;                    // of the last row
  bool is_trec() const { return lines_ != nullptr; }  // ids may be percent-encoded: see decode_id()

 private:
  struct Columns {
    std::size_t count = 0, user = 0, item = 1;
    std::optional<std::size_t> score{}, rank{};
  };
  void read_header(ListFormat format);
  void read_score(std::string_view text, ListRow& row) const;

  std::unique_ptr<FileReader> lines_;  // of a TREC run
  std::unique_ptr<RecordReader> records_;
  Columns columns_;
  std::vector<std::string_view> fields_;
  bool pending_ = false;  // the first record was no header and waits in fields_
};

// TREC files part fields by blanks, so in them a byte of an id that is a blank, a control character or '%' is written
// as %XX. decode_id() takes any "%XX" back and leaves other text as it is.
std::string encode_id(std::string_view id);
std::string decode_id(std::string_view text);

}  // namespace segue
