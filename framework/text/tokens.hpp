// From a text (a title, a lyric) to the words that it is compared by. There is no stemming: "love" and "loves" are two.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/data/string_table.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/text/unicode.hpp"

namespace segue::text {

struct TokenOptions {
  std::size_t min_length = 1;    // in characters; accents that stand alone do not count
  bool drop_stop_words = false;  // those of is_stop_word()
};

// Whether a folded word says nothing about what an English text is about: articles, pronouns, prepositions, forms of
// be, have and do, and what apostrophes leave of them. A short list (124 words), made for titles and lyrics: words that
// songs are about, such as "never", "no" and "now", are not in it.
bool is_stop_word(std::string_view folded);

// Not for several threads at once.
class Tokenizer {
 public:
  explicit Tokenizer(TokenOptions options = {}) : options_(options) {}
  // Words (WordFinder) folded (fold()), in the order of the text, repeated where they are; typographic apostrophes as
  // '.
  std::vector<std::string> tokens(std::string_view text);

 private:
  TokenOptions options_;
  WordFinder finder_;
};

// One text a row: how often each has each word. Words by bytes.
struct WordCounts {
  Csr<TermIdx> counts;
  StringTable words;
};
WordCounts count_words(const StringTable& texts, const TokenOptions& options = {});

}  // namespace segue::text
