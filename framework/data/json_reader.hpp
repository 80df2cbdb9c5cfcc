// JSON from left to right, token by token and without a tree: for files of many gigabytes, of which a loader keeps a
// few fields. Strict (RFC 8259), but that a text may hold several values, one after the other, and that nobody checks
// whether strings are UTF-8 (to_utf8()).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/data/file_reader.hpp"

namespace segue {

class JsonReader : public TextSource {
 public:
  enum class Token {
    kBeginObject,
    kEndObject,
    kBeginArray,
    kEndArray,
    kKey,     // its name in text(); the value follows
    kString,  // decoded, in text()
    kNumber,  // as it is written, in text()
    kTrue,
    kFalse,
    kNull,
    kEnd  // nothing but blanks is left
  };

  // text: must outlive the reader. name, line: what errors say of where it begins.
  JsonReader(std::string name, std::string_view text, std::size_t line = 1);

  // DataError at the line where the text is no JSON, or nested more than 64 deep.
  Token next();
  // Of the last token; valid until the next one, that of a key until the next key of any object.
  std::string_view text() const { return text_; }

  // Inside an object: the next key, or false where the object ends.
  bool next_key(std::string_view& key);
  // The rest of a value, `first` being its first token.
  void skip(Token first);
  void skip() { skip(next()); }

  std::size_t position() const { return at_; }  // bytes read so far

 private:
  bool inside_object() const { return (objects_ & 1) != 0; }
  Token open(bool object);
  Token close();
  Token value();
  Token word(std::string_view word, Token token);
  Token number();
  void string(std::string& decoded);
  void escape(std::string& decoded);
  std::uint32_t hex4();
  void blanks();
  // DataError: "expected ..., found ...", what stands at the current place.
  [[noreturn]] void fail(std::string_view expected) const;

  std::string_view json_, text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::uint64_t objects_ = 0;  // one bit a level, the innermost the lowest: whether it is an object
  bool after_value_ = false;   // a comma or the end must follow
  bool after_key_ = false;
  std::string key_, string_;  // texts that are not written as they read
};

}  // namespace segue
