#include "framework/data/json_reader.hpp"

#include <array>

namespace segue {

namespace {

// What ends a run of ordinary characters of a string: the quote, a backslash, control characters.
constexpr auto kSpecial = [] {
  std::array<bool, 256> special{};
  for (std::size_t c = 0; c < 0x20; ++c) special[c] = true;
  special['"'] = special['\\'] = true;
  return special;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6)), byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
  }
}

}  // namespace

JsonReader::JsonReader(std::string name, std::string_view text, std::size_t line)
    : TextSource(std::move(name)), json_(text) {
  line_number_ = line;
  if (json_.starts_with("\xEF\xBB\xBF")) at_ = 3;
}

void JsonReader::fail(std::string_view expected) const {
  if (at_ >= json_.size()) throw error("expected {}, found the end of the text", expected);
  throw error("expected {}, found '{}'", expected, excerpt(json_.substr(at_, json_.find_first_of("\r\n", at_) - at_)));
}

void JsonReader::blanks() {
  for (; at_ < json_.size(); ++at_) {
    const char c = json_[at_];
    if (c == '\n') {
      ++line_number_;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return;
    }
  }
}

JsonReader::Token JsonReader::next() {
  blanks();
  if (depth_ == 0 && at_ == json_.size()) return Token::kEnd;
  if (depth_ == 0 || after_key_) {
    after_key_ = false;
    return value();
  }
  const char c = at_ < json_.size() ? json_[at_] : '\0';
  if (c == (inside_object() ? '}' : ']')) return close();
  if (after_value_) {
    if (c != ',') fail(inside_object() ? "',' or '}'" : "',' or ']'");
    ++at_;
    blanks();
  }
  if (!inside_object()) return value();
  if (at_ >= json_.size() || json_[at_] != '"') fail(after_value_ ? "a key" : "a key or '}'");
  string(key_);
  blanks();
  if (at_ >= json_.size() || json_[at_] != ':') fail("':'");
  ++at_;
  after_key_ = true;
  return Token::kKey;
}

bool JsonReader::next_key(std::string_view& key) {
  if (next() != Token::kKey) return false;
  key = text_;
  return true;
}

void JsonReader::skip(Token first) {
  if (first != Token::kBeginObject && first != Token::kBeginArray) return;
  for (const int outside = depth_ - 1; depth_ > outside;) next();
}

JsonReader::Token JsonReader::open(bool object) {
  if (depth_ == 64) fail("values nested at most 64 deep");
  ++at_;
  ++depth_;
  objects_ = (objects_ << 1) | (object ? 1 : 0);
  after_value_ = false;
  return object ? Token::kBeginObject : Token::kBeginArray;
}

JsonReader::Token JsonReader::close() {
  const bool object = inside_object();
  ++at_;
  --depth_;
  objects_ >>= 1;
  after_value_ = true;
  return object ? Token::kEndObject : Token::kEndArray;
}

JsonReader::Token JsonReader::value() {
  const char c = at_ < json_.size() ? json_[at_] : '\0';
  switch (c) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      string(string_);
      break;
    case 't':
      return word("true", Token::kTrue);
    case 'f':
      return word("false", Token::kFalse);
    case 'n':
      return word("null", Token::kNull);
    default:
      if (c != '-' && !is_digit(c)) fail("a value");
      return number();
  }
  after_value_ = true;
  return Token::kString;
}

JsonReader::Token JsonReader::word(std::string_view word, Token token) {
  if (json_.substr(at_, word.size()) != word) fail("a value");
  text_ = json_.substr(at_, word.size());
  at_ += word.size();
  after_value_ = true;
  return token;
}

JsonReader::Token JsonReader::number() {
  const std::size_t begin = at_;
  const auto here = [&](char c) { return at_ < json_.size() && json_[at_] == c; };
  const auto digits = [&] {
    if (at_ >= json_.size() || !is_digit(json_[at_])) fail("a digit");
    while (at_ < json_.size() && is_digit(json_[at_])) ++at_;
  };
  if (here('-')) ++at_;
  if (here('0')) {  // nothing but a fraction may follow
    ++at_;
    if (at_ < json_.size() && is_digit(json_[at_])) fail("a number without leading zeros");
  } else {
    digits();
  }
  if (here('.')) ++at_, digits();
  if (here('e') || here('E')) {
    ++at_;
    if (here('+') || here('-')) ++at_;
    digits();
  }
  text_ = json_.substr(begin, at_ - begin);
  after_value_ = true;
  return Token::kNumber;
}

// From the opening quote to behind the closing one. Only a text with escapes is copied.
void JsonReader::string(std::string& decoded) {
  std::size_t begin = ++at_;
  bool copied = false;
  for (;; ++at_) {
    while (at_ < json_.size() && !kSpecial[static_cast<unsigned char>(json_[at_])]) ++at_;
    if (at_ >= json_.size()) fail("the closing quote of a string");
    if (json_[at_] == '"') break;
    if (json_[at_] != '\\') fail("no control character in a string");
    if (!copied) decoded.clear();
    copied = true;
    decoded.append(json_.substr(begin, at_ - begin));
    ++at_;
    escape(decoded);
    begin = at_ + 1;
  }
  if (copied) decoded.append(json_.substr(begin, at_ - begin));
  text_ = copied ? std::string_view(decoded) : json_.substr(begin, at_ - begin);
  ++at_;
}

// Behind the backslash; leaves off at the last character of the escape.
void JsonReader::escape(std::string& decoded) {
  static constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  const char c = at_ < json_.size() ? json_[at_] : '\0';
  if (const std::size_t which = kEscapes.find(c); which != std::string_view::npos) {
    decoded += kMeant[which];
    return;
  }
  if (c != 'u') fail("an escape (\\n, \\u00e9, ...)");
  std::uint32_t code = hex4();
  const bool high = code >= 0xD800 && code < 0xDC00;
  if (high && json_.substr(at_ + 1, 2) == "\\u") {
    at_ += 2;
    const std::size_t before = at_;
    const std::uint32_t low = hex4();
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else {
      at_ = before - 2;  // an escape of its own
    }
  }
  append_utf8(decoded, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);  // half a pair stands for no character
}

std::uint32_t JsonReader::hex4() {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    ++at_;
    const char c = at_ < json_.size() ? json_[at_] : '\0';
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) fail("four hexadecimal digits after \\u");
    code = code * 16 + static_cast<std::uint32_t>(digit);
  }
  return code;
}

}  // namespace segue
