#include "framework/text/tags.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void expect_one_tag(const std::vector<std::string>& spellings) {
  for (const std::string& s : spellings) EXPECT_EQ(tag_key(s), tag_key(spellings.front())) << s;
}
void expect_other_tags(const std::vector<std::string>& tags) {
  for (std::size_t a = 0; a < tags.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(tag_key(tags[a]), tag_key(tags[b])) << tags[a] << ", " << tags[b];
}

TEST(TagKey, SpellingsOfATagAreOne) {
  expect_one_tag({"HipHop", "hip-hop", "Hip Hop", "HIP_HOP", "hiphop", " hip  hop ", "hip\u2010hop", "Hip.Hop",
                  "\uff28\uff49\uff50 \uff28\uff4f\uff50"});
  expect_one_tag({"R&B", "r and b", "r'n'b", "R n B", "RnB", "rnb", "R & B", "r\uff06b", "r\u2019n\u2019b", "r`n`b"});
  expect_one_tag({"drum and bass", "Drum & Bass", "drum n bass", "drum 'n' bass", "Drum'n'Bass", "DrumNBass"});
  expect_one_tag({"rock n roll", "Rock'n'Roll", "rock and roll", "rock\u00b4n\u00b4roll"});
  expect_one_tag({"80s", "80's", "80 s", "80S"});
  expect_one_tag({"singer-songwriter", "singer/songwriter", "SingerSongwriter", "singer, songwriter"});
  expect_one_tag({"m\u00fasica", "mu\u0301sica", "M\u00daSICA"});
  expect_one_tag({"strassenmusik", "Stra\u00dfenmusik"});
  expect_one_tag({"i \u2764 it", "I\u2764\ufe0fIT"});
}

TEST(TagKey, OtherTagsStayOthers) {
  expect_other_tags({"2 1", "21"});
  expect_other_tags({"<3", "3"});
  expect_other_tags({"100%", "100"});
  expect_other_tags({"musica", "m\u00fasica"});
  expect_other_tags({"", "!!!", "...", "?", " "});
  expect_other_tags({"\u0131", "i"});
  expect_other_tags({"\U0001f3b8", "\U0001f3b9"});
  expect_other_tags({"dnb", "drum and bass"});
  expect_other_tags({"n", "and"});
  expect_other_tags({"\u65e5\u672c", "\u65e5"});
}

TEST(TagKey, IsWhatItsHeaderSays) {
  EXPECT_EQ(tag_key("Post-Rock"), "postrock");
  EXPECT_EQ(tag_key("90-00"), "90 00");
  EXPECT_EQ(tag_key("Love & Peace"), "loveandpeace");
  EXPECT_EQ(tag_key("n sync"), "nsync") << "an n at the beginning joins nothing";
  EXPECT_EQ(tag_key("!!!"), "!!!");
  EXPECT_EQ(tag_key(""), "");
  EXPECT_EQ(tag_key("AC/DC"), "acdc");
  EXPECT_EQ(tag_key("Beyonc\xe9"), "beyonc\u00e9");
}

// Whatever a tag holds: no crash, a key that is its own key, and bytes that are UTF-8.
TEST(TagKey, TheKeyOfAKeyIsThatKey) {
  constexpr auto kPieces = std::to_array<std::string_view>(
      {"a",    "B",      "n",      "and",    "&",      " ",      "-",      "_",      "1",          "2",
       "'",    "\u00df", "\u0301", "\uff21", "\u0130", "\u0131", "\u00b4", "\u200d", "\U0001f3b8", "\xff",
       "\xe9", "\u65e5", "\u2026", "\u00bd", "r",      "b",      "\u01c5", "!",      "<",          "\u0345"});
  Rng rng(5);
  for (int round = 0; round < 3000; ++round) {
    std::string tag;
    for (std::uint64_t n = rng.below(7); n > 0; --n) tag += kPieces[rng.below(kPieces.size())];
    const std::string key = tag_key(tag);
    ASSERT_EQ(tag_key(key), key) << testing::PrintToString(tag);
    ASSERT_EQ(key.empty(), tag.empty() || key.empty());
  }
}

TEST(MergeSpellings, TakesTheMostFrequentSpelling) {
  const StringTable tags({"Hip Hop", "hip-hop", "jazz", "HIPHOP", "Jazz", "rock"});
  const TagTable table = merge_spellings(tags, std::vector<double>{2, 5, 3, 1, 3, 9});
  EXPECT_THAT(table.names.to_vector(), ElementsAre("hip-hop", "Jazz", "rock")) << "of two that are equal, by bytes";
  EXPECT_THAT(table.merged, ElementsAre(TermIdx{0}, TermIdx{0}, TermIdx{1}, TermIdx{0}, TermIdx{1}, TermIdx{2}));
  ASSERT_EQ(table.merges.size(), 2u);
  EXPECT_EQ(table.merges[0].name, "hip-hop");
  EXPECT_EQ(table.merges[0].count, 8);
  ASSERT_EQ(table.merges[0].variants.size(), 3u);
  EXPECT_EQ(table.merges[0].variants[1].spelling, "Hip Hop");
  EXPECT_EQ(table.merges[0].variants[1].count, 2);
  EXPECT_EQ(table.merges[0].variants[2].spelling, "HIPHOP");
  EXPECT_EQ(table.merges[1].name, "Jazz");
  EXPECT_EQ(table.not_utf8, 0u);
}

TEST(MergeSpellings, SaysHowManyWereNoUtf8AndKeepsThem) {
  const TagTable table = merge_spellings(StringTable({"caf\xe9", "caf\u00e9", "\xff"}), std::vector<double>{1, 2, 1});
  EXPECT_EQ(table.not_utf8, 2u);
  EXPECT_THAT(table.names.to_vector(), ElementsAre("caf\u00e9", "\u00ff"));
}

TEST(MergeSpellings, OfNothingIsNothing) {
  const TagTable table = merge_spellings(StringTable(), {});
  EXPECT_EQ(table.names.size(), 0u);
  EXPECT_THAT(table.merges, IsEmpty());
  EXPECT_THROW(merge_spellings(StringTable({"a"}), {}), LogicError);
}

TEST(MergeTags, AddsUpWhatMeets) {
  ItemTags tags;
  tags.tags = StringTable({"Rock", "jazz", "rock", "ROCK"});
  tags.weights = Csr<TermIdx>(4, std::vector<std::uint64_t>{0, 3, 3, 5},
                              std::vector<TermIdx>{TermIdx{0}, TermIdx{1}, TermIdx{3}, TermIdx{2}, TermIdx{3}},
                              std::vector<float>{1, 2, 4, 7, 8});
  const MergedTags merged = merge_tags(tags);
  EXPECT_THAT(merged.tags.tags.to_vector(), ElementsAre("ROCK", "jazz"));
  EXPECT_THAT(merged.tags.weights.indices(0), ElementsAre(TermIdx{0}, TermIdx{1}));
  EXPECT_THAT(merged.tags.weights.values(0), ElementsAre(5, 2));
  EXPECT_EQ(merged.tags.weights.row_size(1), 0u);
  EXPECT_THAT(merged.tags.weights.values(2), ElementsAre(15));
  EXPECT_EQ(merged.tags.weights.cols(), 2u);
  EXPECT_THAT(column_sums(tags.weights), ElementsAre(1, 2, 7, 12));
}

TEST(MergeTags, CountsOnesWhereThereAreNoWeights) {
  const Csr<TermIdx> rows(2, std::vector<std::uint64_t>{0, 2}, std::vector<TermIdx>{TermIdx{0}, TermIdx{1}}, {});
  const TagTable table = merge_spellings(StringTable({"a", "A"}), std::vector<double>{1, 1});
  EXPECT_THAT(merge_columns(rows, table).values(0), ElementsAre(2));
  EXPECT_THAT(column_sums(rows), ElementsAre(1, 1));
}

}  // namespace
}  // namespace segue::text
