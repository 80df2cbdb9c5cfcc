#include "framework/text/unicode.hpp"

#include <clocale>
#include <cstdlib>

#include <gmock/gmock.h>

namespace segue::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<CharKind> kinds(std::string_view text) {
  std::vector<CharKind> out;
  for (const Char& c : characters(text)) out.push_back(c.kind);
  return out;
}

TEST(Unicode, FoldsWhatLooksAlikeIntoOneText) {
  EXPECT_EQ(fold("HIP Hop"), "hip hop");
  EXPECT_EQ(fold("e\u0301"), "\u00e9") << "a letter and its accent";
  EXPECT_EQ(fold("E\u0301"), fold("\u00e9"));
  EXPECT_EQ(fold("\uff32\uff4f\uff43\uff4b\uff11"), "rock1") << "fullwidth";
  EXPECT_EQ(fold("Stra\u00dfe"), "strasse");
  EXPECT_EQ(fold("STRA\u1e9eE"), "strasse") << "the capital sharp s";
  EXPECT_EQ(fold("\ufb01re"), "fire") << "a ligature";
  EXPECT_EQ(fold("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"), fold("\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"))
      << "the Greek final sigma";
  EXPECT_EQ(fold("soft\u00adhyphen\u200d"), "softhyphen") << "what cannot be seen";
  EXPECT_EQ(fold("\u2764\ufe0f"), "\u2764") << "a heart in colour";
  EXPECT_EQ(fold("\U0001f3b8"), "\U0001f3b8");
  EXPECT_EQ(fold(""), "");
}

// The default case folding has I -> i; with the Turkish rules it would be the dotless one.
TEST(Unicode, SpeaksNoLanguageNotEvenTurkish) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* language : {"C", "tr_TR.UTF-8"}) {
    ::setenv("LC_ALL", language, 1);
    std::setlocale(LC_ALL, language);
    EXPECT_EQ(fold("INDIE"), "indie");
    EXPECT_EQ(fold("\u0131"), "\u0131") << "dotless i";
    EXPECT_NE(fold("\u0131"), fold("I"));
    EXPECT_EQ(fold("\u0130"), "i\u0307") << "I with a dot";
  }
  ::unsetenv("LC_ALL");
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Unicode, WhatIsNoUtf8IsReadAsLatin1) {
  EXPECT_EQ(fold("Beyonc\xe9"), "beyonc\u00e9");
  EXPECT_EQ(compose("\xff"), "\u00ff");
  EXPECT_EQ(compose("\xc3"), "\u00c3") << "cut off in the middle of a character";
  EXPECT_EQ(compose("\xed\xa0\x80"), compose("\u00ed\u00a0\u0080")) << "half of a surrogate pair";
}

TEST(Unicode, KnowsWhatCharactersAre) {
  using enum CharKind;
  EXPECT_THAT(kinds("aB1 -_/!'`&#%@+<$"),
              ElementsAre(kLower, kUpper, kDigit, kSpace, kSpace, kSpace, kSpace, kSpace, kSpace, kSpace, kSymbol,
                          kSymbol, kSymbol, kSymbol, kSymbol, kSymbol, kSymbol));
  EXPECT_THAT(kinds("\u00e9\u0301\u65e5\u0661\u2014\u2764\U0001f3b8\u200d"),
              ElementsAre(kLower, kMark, kLetter, kDigit, kSpace, kSymbol, kSymbol, kMark));
  const auto all = characters("a\u65e5");
  EXPECT_EQ(all[0].bytes, "a");
  EXPECT_EQ(all[1].bytes, "\u65e5");
  EXPECT_THAT(characters(""), IsEmpty());
}

TEST(WordFinder, FindsWords) {
  WordFinder finder;
  EXPECT_THAT(finder.words("Don't stop (me) now, 3.14 x2!"), ElementsAre("Don't", "stop", "me", "now", "3.14", "x2"));
  EXPECT_THAT(finder.words("\u00dcber\u2014alles"), ElementsAre("\u00dcber", "alles"));
  EXPECT_THAT(finder.words("... \U0001f3b8 !?"), IsEmpty());
  EXPECT_THAT(finder.words(""), IsEmpty());
  EXPECT_THAT(finder.words("again"), ElementsAre("again"));
  EXPECT_GT(finder.words("\u79c1\u306f\u97f3\u697d\u304c\u597d\u304d\u3067\u3059").size(), 1u)
      << "a script without blanks";
}

}  // namespace
}  // namespace segue::text
