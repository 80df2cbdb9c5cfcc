#include "framework/text/tokens.hpp"

#include <gmock/gmock.h>

namespace segue::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Tokenizer, GivesFoldedWords) {
  Tokenizer plain;
  EXPECT_THAT(plain.tokens("Don\u2019t STOP, don't stop!"), ElementsAre("don't", "stop", "don't", "stop"));
  EXPECT_THAT(plain.tokens("U2 - 4/4 (Remix)"), ElementsAre("u2", "4", "4", "remix"));
  EXPECT_THAT(plain.tokens("\uff21\uff22 Cafe\u0301"), ElementsAre("ab", "caf\u00e9"));
  EXPECT_THAT(plain.tokens("caf\xe9 noir"), ElementsAre("caf\u00e9", "noir")) << "Latin-1";
  EXPECT_THAT(plain.tokens(" \U0001f3b8 ... "), IsEmpty());
  EXPECT_THAT(plain.tokens(""), IsEmpty());
}

TEST(Tokenizer, DropsShortWordsAndStopWordsWhereAsked) {
  EXPECT_THAT(Tokenizer({.min_length = 2}).tokens("I am a \u00e9\u00e8 \u00e9"), ElementsAre("am", "\u00e9\u00e8"));
  EXPECT_THAT(Tokenizer({.drop_stop_words = true}).tokens("The End of THE Affair, don\u2019t"),
              ElementsAre("end", "affair"));
  EXPECT_THAT(Tokenizer().tokens("The End"), ElementsAre("the", "end"));
  EXPECT_TRUE(is_stop_word("yours"));
  EXPECT_FALSE(is_stop_word("never"));
}

TEST(CountWords, CountsThem) {
  const WordCounts counted = count_words(StringTable({"la la Land", "", "land of Oz"}));
  EXPECT_THAT(counted.words.to_vector(), ElementsAre("la", "land", "of", "oz"));
  ASSERT_EQ(counted.counts.rows(), 3u);
  EXPECT_EQ(counted.counts.cols(), 4u);
  EXPECT_THAT(counted.counts.indices(0), ElementsAre(TermIdx{0}, TermIdx{1}));
  EXPECT_THAT(counted.counts.values(0), ElementsAre(2, 1));
  EXPECT_EQ(counted.counts.row_size(1), 0u);
  EXPECT_THAT(counted.counts.indices(2), ElementsAre(TermIdx{1}, TermIdx{2}, TermIdx{3}));
}

}  // namespace
}  // namespace segue::text
