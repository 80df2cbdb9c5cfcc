#include "framework/store/import_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> rows_of(const std::filesystem::path& path, ListFormat format = ListFormat::kAuto) {
  std::vector<std::string> out;
  ListFile file(path, format);
  for (ListRow row; file.next(row);)
    out.push_back(
        fmt::format("{}|{}|{}|{}", row.user, row.item, row.score, row.rank ? fmt::format("{}", *row.rank) : "-"));
  return out;
}

TEST(ListFile, KnowsWhatOtherSystemsWrite) {
  const test::TempFolder folder;
  const auto rows = [&](const std::string& text) { return rows_of(folder.write("f", text)); };
  // A TREC run: blanks or tabs, as many as one likes.
  EXPECT_THAT(rows("q1 Q0 d1 1 0.5 tag\nq1\tQ0   d2\t2 -1e-3 tag\r\n\n"), ElementsAre("q1|d1|0.5|1", "q1|d2|-0.001|2"));
  EXPECT_THAT(rows("q1 Q0 d1 first 0.5 tag\n"), ElementsAre("q1|d1|0.5|-")) << "ranks do not count";
}

TEST(ListFile, KnowsDelimitedFilesWithAndWithoutAHeader) {
  const test::TempFolder folder;
  const auto rows = [&](const std::string& text) { return rows_of(folder.write("f", text)); };
  EXPECT_THAT(rows("1,2,0.5\n1,3,+4"), ElementsAre("1|2|0.5|-", "1|3|4|-"));
  EXPECT_THAT(rows("1\t2\t0.5\n"), ElementsAre("1|2|0.5|-"));
  EXPECT_THAT(rows("1;2;0.5\n"), ElementsAre("1|2|0.5|-"));
  EXPECT_THAT(rows("1 2 0.5\n"), ElementsAre("1|2|0.5|-"));
  EXPECT_THAT(rows("\xEF\xBB\xBFUser,Item,Score\n\"a,b\",\"c\"\"d\",7\n"), ElementsAre("a,b|c\"d|7|-"));
  EXPECT_THAT(rows("item,score,user,rank\n5,0.25,u,3\n"), ElementsAre("u|5|0.25|3"));  // LensKit
  EXPECT_THAT(rows(",user_id,item_id,rank\n0,u,5,3.0\n"), ElementsAre("u|5|-3|3"));    // pandas' index; ranks alone
  EXPECT_THAT(rows("user_id:token\titem_id:token\tscore:float\nu\ti\t1\n"), ElementsAre("u|i|1|-"));  // RecBole
  EXPECT_THAT(rows("user,item,rating,prediction\nu,i,5,4.5\n"), ElementsAre("u|i|4.5|-"))
      << "not what was rated in truth";
}

TEST(ListFile, TheFormatMayBeSaid) {
  const test::TempFolder folder;
  const auto csv = folder.write("f", "user,item,score\nu,i,1\n");
  EXPECT_THAT(rows_of(csv, ListFormat::kLenskit), ElementsAre("u|i|1|-"));
  const auto say = [&](ListFormat format) { return message_of<DataError>([&] { rows_of(csv, format); }); };
  EXPECT_EQ(say(ListFormat::kTrec),
            csv.string() +
                ":1: expected the 6 fields of a TREC run (user Q0 item rank score tag), found 1; "
                "write blanks in ids as %20, or use --file-format csv");
  EXPECT_THAT(say(ListFormat::kRecbole),
              HasSubstr(":1: the header names no user column, but user,item,score; name the columns"));
  const auto tsv = folder.write("t", "user\titem\tscore\nu\ti\t1\n");
  EXPECT_THAT(message_of<DataError>([&] { rows_of(tsv, ListFormat::kRecbole); }),
              HasSubstr("names the type of each column, as in user_id:token"));
  EXPECT_THAT(message_of<DataError>([&] { rows_of(folder.write("x", "1,2,3\n"), ListFormat::kLenskit); }),
              HasSubstr("names no user column"));
  EXPECT_EQ(parse_list_format("recbole"), ListFormat::kRecbole);
  EXPECT_EQ(message_of<UsageError>([] { parse_list_format("lenskitt"); }),
            "unknown file format 'lenskitt'; did you mean 'lenskit'? known: auto, trec, csv, recbole, lenskit");
}

TEST(ListFile, MistakesNameFileLineAndRemedy) {
  const test::TempFolder folder;
  struct Case {
    std::string text;
    std::size_t line;
    std::string says, remedy;
  };
  for (const Case& c : std::vector<Case>{
           {"u Q0 i 1 0.5 t\nu Q0 i 1 0.5\n", 2, "the 6 fields of a TREC run", "use --file-format csv"},
           {"u Q0 i 1 0.5 t\nu Q0 a song 1 0.5 t\n", 2, "found 7", "write blanks in ids as %20"},
           {"u Q0 i 1 0.5 t\nu Q0 i 1 nan t\n", 2, "a finite number for the score, found 'nan'",
            "leave out the scores, and the ranks count"},
           {"u,i,0.5\nu,j,\n", 2, "a finite number for the score, found ''", "leave out what has no score"},
           {"u,i,0.5\nu,j,inf\n", 2, "found 'inf'", "leave out what has no score"},
           {"u,i,0.5\nu,j,1e99\n", 2, "the score 1e99 is beyond the range of a float", "scale the scores"},
           {"u,i,0.5\nu,j\n", 2, "expected 3 fields, as in the first line, found 2",
            "quote ids that hold the separator"},
           {"u,i,0.5\nu,j,1,2\n", 2, "found 4", "quote ids"},
           {"u,i,0.5\n,j,1\n", 2, "expected an id for the user, found nothing", ""},
           {"u,i,0.5\nu,,1\n", 2, "expected an id for the item, found nothing", ""},
           {"u,i\nu,j\n", 1, "found 2 columns without a header", "name the columns in a header"},
           {"u,i,x\n", 1, "expected a header, or a number for the score, found 'x'", "name the columns in a header"},
           {"user,thing,score\n", 1, "the header names no item column, but user, thing, score",
            "name the columns in a header"},
           {"user,item,when\n", 1, "no score or rank column", "name the columns in a header"},
           {"user,item,rank\nu,i,first\n", 2, "expected a number for the rank, found 'first'", ""},
           {"lonely\n", 1, "found one field, 'lonely'", "name the columns in a header"},
           {std::string("u,i,1\nu,\0,1\n", 12), 2, "NUL byte", ""}}) {
    const auto file = folder.write("f", c.text);
    const std::string message = message_of<DataError>([&] { rows_of(file); });
    EXPECT_THAT(message, testing::StartsWith(fmt::format("{}:{}: ", file.string(), c.line))) << c.text;
    EXPECT_THAT(message, testing::AllOf(HasSubstr(c.says), HasSubstr(c.remedy))) << c.text;
  }
  EXPECT_EQ(message_of<DataError>([&] { rows_of(folder.write("gz", "\x1f\x8b\x08 ...")); }),
            "'" + (folder / "gz").string() + "' is compressed; unpack it first, e.g. with gunzip");
  for (const char* text : {"", "\n \n"})
    EXPECT_EQ(message_of<DataError>([&] { rows_of(folder.write("e", text)); }),
              "'" + (folder / "e").string() + "' is empty; expected a row for each recommended item");
  EXPECT_EQ(message_of<DataError>([&] { rows_of(folder / "none"); }),
            "cannot read '" + (folder / "none").string() + "': No such file or directory");
}

// Whatever the bytes are, it ends with rows or with a DataError that names the file.
TEST(ListFile, NoiseIsRefusedOrRead) {
  const test::TempFolder folder;
  Rng rng(3);
  const std::string alphabet = "u1,i2\t\"\n\r;. Q0\x1f\x8b-e%:\xff";
  std::size_t refused = 0, read = 0;
  const std::vector<std::string> good{"user,item,score\nu,i,1\nv,j,2\n", "u Q0 i 1 2 t\nu Q0 j 2 1 t\n",
                                      "u\ti\t1\nu\tj\t2\n"};
  for (std::size_t round = 0; round < 300; ++round) {
    std::string text = good[round % good.size()];
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      const std::size_t at = rng.below(text.size());
      if (rng.below(4) == 0)
        text.erase(at, 1);
      else
        text[at] = alphabet[rng.below(alphabet.size())];
    }
    const auto file = folder.write("noise", text);
    for (const ListFormat format :
         {ListFormat::kAuto, ListFormat::kTrec, ListFormat::kCsv, ListFormat::kRecbole, ListFormat::kLenskit}) {
      try {
        read += !rows_of(file, format).empty();
      } catch (const DataError& e) {
        ++refused;
        EXPECT_THAT(e.what(), HasSubstr(file.string()));
      }
    }
  }
  EXPECT_GT(refused, 500u);
  EXPECT_GT(read, 50u);
}

TEST(Ids, AreOneWordInATrecFileAndComeBack) {
  EXPECT_EQ(encode_id("a b\t100%"), "a%20b%09100%25");
  EXPECT_EQ(encode_id("plain-ünï"), "plain-ünï");
  EXPECT_EQ(decode_id("100%"), "100%");
  EXPECT_EQ(decode_id("%zz%2"), "%zz%2");
  Rng rng(1);
  for (int round = 0; round < 500; ++round) {
    std::string id;
    for (std::uint64_t n = 1 + rng.below(12); n > 0; --n) id += static_cast<char>(1 + rng.below(255));
    const std::string word = encode_id(id);
    EXPECT_EQ(word.find_first_of(" \t\n\v\f\r"), std::string::npos);
    EXPECT_EQ(decode_id(word), id);
  }
}

}  // namespace
}  // namespace segue
