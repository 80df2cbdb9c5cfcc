#include "framework/text/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

namespace segue::text {

namespace {

// Sorted by bytes, for the search.
constexpr auto kStopWords = std::to_array<std::string_view>(
    {"a",      "about",   "above", "after", "again",   "all",    "am",     "an",    "and",     "any",     "are",
     "aren't", "as",      "at",    "be",    "because", "been",   "before", "being", "below",   "between", "both",
     "but",    "by",      "can",   "could", "did",     "didn't", "do",     "does",  "doesn't", "doing",   "don't",
     "down",   "during",  "each",  "few",   "for",     "from",   "had",    "has",   "have",    "having",  "he",
     "her",    "here",    "hers",  "him",   "his",     "how",    "i",      "i'd",   "i'll",    "i'm",     "i've",
     "if",     "in",      "into",  "is",    "isn't",   "it",     "it's",   "its",   "just",    "me",      "more",
     "most",   "my",      "of",    "off",   "on",      "once",   "only",   "or",    "other",   "our",     "ours",
     "out",    "over",    "own",   "same",  "she",     "she's",  "should", "so",    "some",    "such",    "than",
     "that",   "that's",  "the",   "their", "theirs",  "them",   "then",   "there", "these",   "they",    "this",
     "those",  "through", "to",    "too",   "under",   "until",  "up",     "very",  "was",     "wasn't",  "we",
     "were",   "what",    "when",  "where", "which",   "while",  "who",    "whom",  "why",     "with",    "would",
     "you",    "your",    "yours"});
static_assert(kStopWords.size() == 124 && std::ranges::is_sorted(kStopWords));

std::string plain_apostrophes(std::string word) {
  constexpr std::string_view kRight = "\u2019";
  for (std::size_t at = word.find(kRight); at != std::string::npos; at = word.find(kRight, at))
    word.replace(at, kRight.size(), "'");
  return word;
}

std::size_t length_of(std::string_view word) {
  const std::vector<Char> all = characters(word);
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const Char& c) { return c.kind != CharKind::kMark; }));
}

}  // namespace

bool is_stop_word(std::string_view folded) { return std::binary_search(kStopWords.begin(), kStopWords.end(), folded); }

std::vector<std::string> Tokenizer::tokens(std::string_view text) {
  const std::string composed = compose(text);
  std::vector<std::string> out;
  for (const std::string_view word : finder_.words(composed)) {
    std::string token = plain_apostrophes(fold(word));
    if (length_of(token) < options_.min_length) continue;
    if (options_.drop_stop_words && is_stop_word(token)) continue;
    out.push_back(std::move(token));
  }
  return out;
}

WordCounts count_words(const StringTable& texts, const TokenOptions& options) {
  Tokenizer tokenizer(options);
  std::map<std::string, std::map<std::size_t, float>> counts;  // word, text
  for (std::size_t t = 0; t < texts.size(); ++t)
    for (std::string& token : tokenizer.tokens(texts[t])) ++counts[std::move(token)][t];
  std::vector<std::string> words;
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> rows;
  std::vector<float> values;
  for (const auto& [word, texts_of] : counts) {
    words.push_back(word);
    for (const auto& [t, count] : texts_of) {
      rows.push_back(static_cast<std::uint32_t>(t));
      values.push_back(count);
    }
    offsets.push_back(rows.size());
  }
  const Csr<std::uint32_t> by_word(texts.size(), std::move(offsets), std::move(rows), std::move(values));
  return {by_word.transposed<TermIdx>(), StringTable(words)};
}

}  // namespace segue::text
