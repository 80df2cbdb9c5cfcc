// What Segue asks of Unicode, and the only door to ICU. Texts are UTF-8; one that is not is read as Latin-1, as loaders
// read theirs (to_utf8() in framework/data/file_reader.hpp), so that no byte of it is lost. Nothing depends on the
// language of the machine: the Turkish dotless i stays a letter of its own, whoever runs the program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace segue::text {

// What a character is to somebody who looks for words.
enum class CharKind : std::uint8_t {
  kLower,
  kUpper,   // also title case
  kLetter,  // of a script without case
  kDigit,   // a decimal digit
  kMark,    // belongs to the character before it: an accent that stands alone, a joiner between emoji
  kSpace,   // white space, control characters and punctuation, but for # % @ &
  kSymbol,  // # % @ & + < $ and what else is printed: a heart, an emoji
};

struct Char {
  std::string_view bytes;  // of the text that was taken apart
  CharKind kind;
};
// Every character of a UTF-8 text, in order.
std::vector<Char> characters(std::string_view utf8);

// Normalisation form KC (Unicode Standard Annex 15): compatible spellings, such as fullwidth letters, ligatures and
// letters followed by their accents, become one.
std::string compose(std::string_view text);
// toNFKC_Casefold (The Unicode Standard, section 3.13, R6): the same without case and without what cannot be seen, such
// as joiners and soft hyphens. A sharp s becomes ss. Folding twice changes nothing.
std::string fold(std::string_view text);

// Finds words by the default boundaries of Unicode Standard Annex 29; scripts without blanks are cut by ICU's
// dictionaries. One text at a time: not for several threads at once.
class WordFinder {
 public:
  // EnvironmentError where ICU lacks its data.
  WordFinder();
  ~WordFinder();
  WordFinder(const WordFinder&) = delete;
  WordFinder& operator=(const WordFinder&) = delete;

  // The words of a UTF-8 text, in order: parts of it that hold a letter or a digit ("don't" and "3.14" are one).
  std::vector<std::string_view> words(std::string_view utf8);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::text
