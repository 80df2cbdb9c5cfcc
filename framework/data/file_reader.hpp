// Text files as loaders read them: line by line, with line numbers, and errors that say what stood where.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/data/parse.hpp"

namespace segue {

bool is_utf8(std::string_view text);
// The text itself where it is UTF-8, else its bytes taken as Latin-1.
std::string to_utf8(std::string_view text);
// The same into a string that keeps its memory.
inline void assign_utf8(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    out.assign(text);
  } else {
    out = to_utf8(text);
  }
}

// Parts between separators, which may be longer than one character ("::"). "" has one part, "a," has two.
void split(std::string_view text, std::string_view separator, std::vector<std::string_view>& parts);

// A place in a file, for errors that name it, and fields read there.
class TextSource {
 public:
  // Of the last line or record read, from 1 (a record: where it begins); 0 before the first.
  std::size_t line_number() const { return line_number_; }
  const std::string& name() const { return name_; }

  // A DataError at that line.
  template <class... Args>
  DataError error(fmt::format_string<Args...> format, Args&&... args) const {
    return DataError::at(name_, line_number_, format, std::forward<Args>(args)...);
  }
  // A field as a number, or a DataError: "expected an integer for the rating, found 'x'".
  template <class T>
  T number(std::string_view text, std::string_view what) const {
    if (const auto value = parse_number<T>(text)) return *value;
    constexpr std::string_view kind = std::is_integral_v<T> ? "an integer" : "a finite number";
    throw error("expected {} for the {}, found '{}'", kind, what, excerpt(text));
  }
  std::int64_t seconds(std::string_view text, std::string_view what = "timestamp") const;
  // An external id: any text but the empty one.
  std::string_view id(std::string_view text, std::string_view what) const;

  // At most 40 characters of a text, for messages.
  static std::string excerpt(std::string_view text);

 protected:
  explicit TextSource(std::string name) : name_(std::move(name)) {}
  std::string name_;
  std::size_t line_number_ = 0;
};

// A text file mapped into memory. Lines end with LF or CRLF, the last one perhaps with neither; a UTF-8 byte order mark
// is skipped. Views stay valid as long as the reader lives. What was read is not kept in memory: the system reads it
// again where an old view is looked at.
class FileReader : public TextSource {
 public:
  // DataError where the file cannot be read.
  explicit FileReader(const std::filesystem::path& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // The next line without its end; false after the last. DataError where it holds a NUL byte.
  bool next(std::string_view& line);
  // The next line that is not empty, in parts, valid until the next call; false after the last. DataError where it has
  // fewer than `least` or more than `most` parts.
  bool next_fields(std::string_view separator, std::size_t least, std::size_t most,
                   std::vector<std::string_view>& fields);
  std::string_view bytes() const { return bytes_; }  // the whole file as it is
  // For those who read bytes() by themselves: what stands before `position` is not needed in memory any more.
  void let_go(std::size_t position);

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::size_t let_go_ = 0;
};

// Records of a delimited file in which fields may be quoted: a quoted field may hold separators, line ends and doubled
// quotes (RFC 4180). A quote inside an unquoted field is an ordinary character. Empty lines are skipped.
class RecordReader : public TextSource {
 public:
  // quote = 0: nothing is quoted. comment: lines that begin with it are skipped, unless it is empty.
  RecordReader(const std::filesystem::path& path, std::string separator, char quote = '"', std::string comment = "");

  // The next record; false after the last. Fields are valid until the next call.
  bool next(std::vector<std::string_view>& fields);
  // As next(), with a DataError where the record has not `count` fields.
  bool next(std::vector<std::string_view>& fields, std::size_t count);
  bool skip_line();  // false where there is none

 private:
  std::string_view quoted_field(std::string_view& line, std::size_t& position);

  FileReader file_;
  std::string separator_;
  char quote_;
  std::string comment_;
  std::vector<std::unique_ptr<std::string>> decoded_;  // text of fields that do not stand in the file as they are
  std::size_t n_decoded_ = 0;
};

}  // namespace segue
