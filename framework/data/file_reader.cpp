#include "framework/data/file_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace segue {

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = byte(i);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = c >= 0xC2 && c < 0xE0   ? 2
                               : c >= 0xE0 && c < 0xF0 ? 3
                               : c >= 0xF0 && c < 0xF5 ? 4
                                                       : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    if (length >= 3) {  // overlong forms, surrogates and code points beyond U+10FFFF
      const unsigned char d = byte(i + 1);
      if ((c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F))
        return false;
    }
    i += length;
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char character : text) {
    const auto c = static_cast<unsigned char>(character);
    if (c < 0x80) {
      out += character;
    } else {
      out += static_cast<char>(0xC0 | (c >> 6));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return out;
}

void split(std::string_view text, std::string_view separator, std::vector<std::string_view>& parts) {
  parts.clear();
  for (;;) {
    const std::size_t end = separator.size() == 1 ? text.find(separator[0]) : text.find(separator);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.push_back(text);
}

std::int64_t TextSource::seconds(std::string_view text, std::string_view what) const {
  if (const auto value = parse_seconds(text)) return *value;
  throw error("expected seconds since 1970 for the {}, found '{}'", what, excerpt(text));
}

std::string_view TextSource::id(std::string_view text, std::string_view what) const {
  if (text.empty()) throw error("expected an id for the {}, found nothing", what);
  return text;
}

std::string TextSource::excerpt(std::string_view text) {
  if (text.size() <= 40) return to_utf8(text);
  std::size_t end = 40;
  while (end > 36 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not through a character
  return to_utf8(text.substr(0, end)) + "...";
}

FileReader::FileReader(const std::filesystem::path& path) : TextSource(path.string()) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw DataError("cannot read '{}': {}", name_, std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  void* memory = nullptr;
  if (known && status.st_size > 0) {
    memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  }
  const int reason = errno;
  ::close(file);
  if (!known) throw DataError("cannot read '{}': not a regular file", name_);
  if (memory == MAP_FAILED) throw DataError("cannot read '{}': {}", name_, std::strerror(reason));
  if (memory == nullptr) return;
  bytes_ = {static_cast<const char*>(memory), static_cast<std::size_t>(status.st_size)};
  ::madvise(memory, bytes_.size(), MADV_SEQUENTIAL);
  if (bytes_.starts_with("\xEF\xBB\xBF")) position_ = 3;
}

FileReader::~FileReader() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

void FileReader::let_go(std::size_t position) {
  constexpr std::size_t kPiece = std::size_t{1} << 22;
  if (position < let_go_ + 2 * kPiece) return;
  const std::size_t until = position / kPiece * kPiece;  // whole pages
  ::madvise(const_cast<char*>(bytes_.data()) + let_go_, until - let_go_, MADV_DONTNEED);
  let_go_ = until;
}

bool FileReader::next(std::string_view& line) {
  if (position_ >= bytes_.size()) return false;
  let_go(position_);
  const std::size_t end = std::min(bytes_.find('\n', position_), bytes_.size());
  line = bytes_.substr(position_, end - position_);
  position_ = end + 1;
  ++line_number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find('\0') != std::string_view::npos)
    throw error("expected text, found a NUL byte (a binary or UTF-16 file?)");
  return true;
}

bool FileReader::next_fields(std::string_view separator, std::size_t least, std::size_t most,
                             std::vector<std::string_view>& fields) {
  std::string_view line;
  do {
    if (!next(line)) return false;
  } while (line.empty());
  split(line, separator, fields);
  if (fields.size() < least || fields.size() > most) {
    const std::string kind = separator == "\t" ? "tab-separated" : fmt::format("'{}'-separated", separator);
    const std::string count = least == most ? fmt::format("{}", least)
                              : most > 1000 ? fmt::format("at least {}", least)
                                            : fmt::format("{} to {}", least, most);
    throw error("expected {} {} fields, found {}", count, kind, fields.size());
  }
  return true;
}

RecordReader::RecordReader(const std::filesystem::path& path, std::string separator, char quote, std::string comment)
    : TextSource(path.string()),
      file_(path),
      separator_(std::move(separator)),
      quote_(quote),
      comment_(std::move(comment)) {
  SEGUE_CHECK(!separator_.empty(), "a delimited file needs a separator");
}

bool RecordReader::skip_line() {
  std::string_view line;
  const bool found = file_.next(line);
  line_number_ = file_.line_number();
  return found;
}

bool RecordReader::next(std::vector<std::string_view>& fields) {
  std::string_view line;
  do {
    if (!file_.next(line)) return false;
  } while (line.empty() || (!comment_.empty() && line.starts_with(comment_)));
  line_number_ = file_.line_number();
  n_decoded_ = 0;
  if (quote_ == '\0' || line.find(quote_) == std::string_view::npos) {
    split(line, separator_, fields);
    return true;
  }
  fields.clear();
  for (std::size_t position = 0;;) {
    if (position < line.size() && line[position] == quote_) {
      fields.push_back(quoted_field(line, position));
      if (position == line.size()) return true;
      if (line.substr(position, separator_.size()) != separator_) {
        throw error("expected '{}' after the closing quote of field {}, found '{}'", separator_, fields.size(),
                    excerpt(line.substr(position)));
      }
    } else {
      const std::size_t end = std::min(line.find(separator_, position), line.size());
      fields.push_back(line.substr(position, end - position));
      if (end == line.size()) return true;
      position = end;
    }
    position += separator_.size();
  }
}

// Reads from the opening quote at `position` to behind the closing one; `line` moves on where the field holds line
// ends.
std::string_view RecordReader::quoted_field(std::string_view& line, std::size_t& position) {
  const std::size_t opened = file_.line_number();
  std::string* text = nullptr;
  const auto buffer = [&]() -> std::string& {
    if (text == nullptr) {
      if (n_decoded_ == decoded_.size()) decoded_.push_back(std::make_unique<std::string>());
      text = decoded_[n_decoded_++].get();
      text->clear();
    }
    return *text;
  };
  std::size_t begin = position + 1;
  for (;;) {
    const std::size_t end = line.find(quote_, begin);
    if (end == std::string_view::npos) {
      buffer().append(line.substr(begin)).push_back('\n');
      if (!file_.next(line))
        throw DataError::at(file_.name(), opened, "expected a closing {}, found the end of the file", quote_);
      begin = 0;
    } else if (end + 1 < line.size() && line[end + 1] == quote_) {
      buffer().append(line.substr(begin, end + 1 - begin));
      begin = end + 2;
    } else {
      position = end + 1;
      if (text == nullptr) return line.substr(begin, end - begin);
      return text->append(line.substr(begin, end - begin));
    }
  }
}

bool RecordReader::next(std::vector<std::string_view>& fields, std::size_t count) {
  if (!next(fields)) return false;
  if (fields.size() != count) throw error("expected {} fields, found {}", count, fields.size());
  return true;
}

}  // namespace segue
