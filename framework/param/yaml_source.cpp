#include "framework/param/yaml_source.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
constexpr std::string_view kBlank = " \t\r\n";

// Bytes of the UTF-8 character at the head of `text`, or 0 where there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;  // overlong, surrogate
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;  // overlong, beyond U+10FFFF
  return length;
}

}  // namespace

std::string repair_escapes(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(std::string_view(text).substr(i));
    if (length == 0) out += '\xC2';
    out.append(text, i, std::max<std::size_t>(length, 1));
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

YamlSource::YamlSource(std::string_view text, std::string file) : text_(text), fixed_{std::move(file), 0, 0} {
  starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(i + 1);
  }
}

YamlSource::YamlSource(std::string_view text, Mark fixed) : YamlSource(text, std::string()) {
  fixed_ = std::move(fixed);
  is_fixed_ = true;
}

void YamlSource::check_text() const {
  if (text_.size() > kMaxBytes) {
    throw UsageError("{}{} bytes are more than a configuration may have (16 MiB)", fixed_.prefix(), text_.size());
  }
  int line = 0;
  for (std::size_t i = 0; i < text_.size();) {
    const auto byte = static_cast<unsigned char>(text_[i]);
    const std::size_t length = utf8_length(text_.substr(i));
    const auto here = [&] {
      return mark(line, static_cast<int>(i - starts_[static_cast<std::size_t>(line)])).prefix();
    };
    if (length == 0) throw UsageError("{}the byte 0x{:02X} is not valid UTF-8; save the file as UTF-8", here(), byte);
    if ((byte < 0x20 && kBlank.find(text_[i]) == std::string_view::npos) || byte == 0x7F) {
      throw UsageError("{}the control character U+{:04X} is not allowed in YAML", here(), byte);
    }
    if (text_[i] == '\n') ++line;
    i += length;
  }
}

std::string_view YamlSource::line(int index) const {
  if (index < 0 || static_cast<std::size_t>(index) >= starts_.size()) return {};
  const std::size_t begin = starts_[static_cast<std::size_t>(index)];
  std::string_view text = text_.substr(begin, text_.find('\n', begin) - begin);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Mark YamlSource::mark(int line_index, int column) const {
  if (is_fixed_ || line_index < 0) return fixed_;
  const std::string_view before = line(line_index).substr(0, static_cast<std::size_t>(std::max(column, 0)));
  const auto characters = std::count_if(before.begin(), before.end(),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return {fixed_.file, line_index + 1, static_cast<int>(characters) + 1};
}

Mark YamlSource::file_mark() const { return fixed_; }

std::string YamlSource::place(const Mark& mark) const {
  return mark.line == 0 ? "" : fmt::format(" at {}:{}", mark.line, mark.column);
}

std::size_t YamlSource::offset(int line_index, int column) const {
  if (line_index < 0 || static_cast<std::size_t>(line_index) >= starts_.size()) return text_.size();
  return std::min(text_.size(),
                  starts_[static_cast<std::size_t>(line_index)] + static_cast<std::size_t>(std::max(column, 0)));
}

bool YamlSource::at_end(int line_index, int column) const {
  return text_.find_first_not_of(kBlank, offset(line_index, column)) == std::string_view::npos;
}

std::string_view YamlSource::character(int line_index, int column) const {
  const std::string_view rest = text_.substr(offset(line_index, column));
  return rest.substr(0, utf8_length(rest));
}

std::string_view YamlSource::node_text(int line_index, int column) const {
  std::string_view rest = text_.substr(offset(line_index, column));
  while (!rest.empty() && (rest[0] == '&' || rest[0] == '!')) {
    rest.remove_prefix(std::min(rest.size(), rest.find_first_of(kBlank)));
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(kBlank)));
  }
  return rest;
}

bool YamlSource::quote_is_closed(int line_index, int column) const {
  const std::string_view rest = node_text(line_index, column);
  if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return true;  // a block scalar
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[0] == '"' && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == rest[0]) {
      if (rest[0] == '"' || i + 1 >= rest.size() || rest[i + 1] != '\'') return true;
      ++i;
    }
  }
  return false;
}

bool YamlSource::bracket_is_closed(int line_index, int column) const {
  const std::string_view rest = node_text(line_index, column);
  int depth = 0;
  for (const char c : rest) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth == 0) return true;
  }
  return rest.empty();
}

bool YamlSource::is_explicit_null(int line_index, int column) const {
  const std::string_view rest = text_.substr(offset(line_index, column));
  return rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL");
}

int YamlSource::tab_line(int line_index) const {
  for (int seen = 0; line_index >= 0 && seen < 2; --line_index) {
    const std::string_view text = line(line_index);
    const std::size_t indent = text.find_first_not_of(" \t");
    if (indent == std::string_view::npos) continue;
    if (text.substr(0, indent).find('\t') != std::string_view::npos) return line_index;
    ++seen;
  }
  return -1;
}

int YamlSource::dash_line(int line_index, int column, int list_column) const {
  for (int at = line_index; at >= 0; --at) {
    if (at == line_index && list_column >= column) continue;
    const std::string_view text = line(at);
    const auto position = static_cast<std::size_t>(list_column);
    if (position < text.size() && text[position] == '-' &&
        (position + 1 == text.size() || kBlank.find(text[position + 1]) != std::string_view::npos))
      return at;
  }
  return -1;
}

}  // namespace segue
