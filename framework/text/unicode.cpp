#include "framework/text/unicode.hpp"

#include <algorithm>

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"

namespace segue::text {

namespace {

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) throw EnvironmentError("ICU cannot {}: {}", what, u_errorName(status));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string normalised(const icu::Normalizer2& form, std::string_view text) {
  const std::string utf8 = to_utf8(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(utf8.size()));
  UErrorCode status = U_ZERO_ERROR;
  form.normalizeUTF8(0, icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())), sink, nullptr, status);
  check(status, "normalise a text");
  return out;
}

CharKind kind_of(UChar32 c) {
  switch (c) {
    case '#':
    case '%':
    case '@':
    case '&':
      return CharKind::kSymbol;
    case '`':  // typed for an apostrophe
      return CharKind::kSpace;
    default:
      break;
  }
  switch (u_charType(c)) {
    case U_LOWERCASE_LETTER:
      return CharKind::kLower;
    case U_UPPERCASE_LETTER:
    case U_TITLECASE_LETTER:
      return CharKind::kUpper;
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
      return CharKind::kLetter;
    case U_DECIMAL_DIGIT_NUMBER:
      return CharKind::kDigit;
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
    case U_FORMAT_CHAR:
      return CharKind::kMark;
    case U_SPACE_SEPARATOR:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
    case U_CONTROL_CHAR:
    case U_CONNECTOR_PUNCTUATION:
    case U_DASH_PUNCTUATION:
    case U_START_PUNCTUATION:
    case U_END_PUNCTUATION:
    case U_INITIAL_PUNCTUATION:
    case U_FINAL_PUNCTUATION:
    case U_OTHER_PUNCTUATION:
      return CharKind::kSpace;
    default:
      return CharKind::kSymbol;
  }
}

}  // namespace

std::vector<Char> characters(std::string_view utf8) {
  std::vector<Char> out;
  out.reserve(utf8.size());
  const auto length = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t at = 0; at < length;) {
    const std::int32_t begin = at;
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(utf8.data(), at, length, c);
    out.push_back({utf8.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin)), kind_of(c)});
  }
  return out;
}

std::string compose(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCInstance(status);
  check(status, "load normalisation form KC");
  return normalised(*form, text);
}

std::string fold(std::string_view text) {
  if (is_ascii(text)) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCCasefoldInstance(status);
  check(status, "load its case folding");
  return normalised(*form, text);
}

struct WordFinder::Impl {
  std::unique_ptr<icu::BreakIterator> breaks;
};

WordFinder::WordFinder() : impl_(std::make_unique<Impl>()) {
  UErrorCode status = U_ZERO_ERROR;
  // The root locale: rules of no language, whatever LANG says.
  impl_->breaks.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
  check(status, "load its word boundaries");
}
WordFinder::~WordFinder() = default;

std::vector<std::string_view> WordFinder::words(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  UText opened = UTEXT_INITIALIZER;
  utext_openUTF8(&opened, utf8.data(), static_cast<std::int64_t>(utf8.size()), &status);
  impl_->breaks->setText(&opened, status);  // takes a copy of the view
  utext_close(&opened);
  check(status, "read a text");
  std::vector<std::string_view> out;
  for (std::int32_t begin = impl_->breaks->first(), end = impl_->breaks->next(); end != icu::BreakIterator::DONE;
       begin = end, end = impl_->breaks->next()) {
    if (impl_->breaks->getRuleStatus() < UBRK_WORD_NONE_LIMIT) continue;  // blanks and punctuation
    out.push_back(utf8.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  }
  return out;
}

}  // namespace segue::text
