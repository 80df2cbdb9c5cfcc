// The text that yaml-cpp is reading: turns its positions into marks and looks at what stands there. Internal to
// yaml.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "framework/param/value.hpp"

namespace segue {

// Lines and byte columns count from 0 here, as in yaml-cpp; marks count from 1, columns in characters.
class YamlSource {
 public:
  YamlSource(std::string_view text, std::string file);
  // Every mark is `fixed`: for text that is no file.
  YamlSource(std::string_view text, Mark fixed);

  // UsageError on what yaml-cpp would misread: bytes that are not UTF-8, control characters (a U+0004 ends its input
  // without a word), more than 16 MiB.
  void check_text() const;

  Mark mark(int line, int column) const;
  Mark file_mark() const;                     // the file as a whole
  std::string place(const Mark& mark) const;  // " at 3:4", or empty without lines
  std::string_view line(int index) const;     // without its line break; empty outside the text
  bool at_end(int line, int column) const;    // only blanks follow

  std::string_view character(int line, int column) const;  // the whole UTF-8 character that stands here
  // The text from here on, after any anchor and tag.
  std::string_view node_text(int line, int column) const;
  // Whether the quoted scalar here has its closing quote, which yaml-cpp does not ask for.
  bool quote_is_closed(int line, int column) const;
  // Whether the bracket here, if one stands here, has its partner; roughly, for the choice of a sentence.
  bool bracket_is_closed(int line, int column) const;
  bool is_explicit_null(int line, int column) const;  // ~ or null stands here
  // The nearest line from `line` upwards that is not blank and is indented with a tab, or -1; looks at two lines.
  int tab_line(int line) const;
  // The line, above (line, column), of the '-' that opened the last item of a block list in that column; -1 if not
  // found.
  int dash_line(int line, int column, int list_column) const;

 private:
  std::size_t offset(int line, int column) const;

  std::string_view text_;
  Mark fixed_;  // its file is the file name; without a line unless is_fixed_
  bool is_fixed_ = false;
  std::vector<std::size_t> starts_;
};

// yaml-cpp 0.7 turns the escapes \N and \_ into the lone bytes 0x85 and 0xA0: makes them U+0085 and U+00A0.
std::string repair_escapes(const std::string& text);

}  // namespace segue
