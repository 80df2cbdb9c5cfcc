#include "framework/data/file_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines(const std::string& content) {
  const auto folder = test::temp_folder();
  FileReader reader(folder.write("f", content));
  std::vector<std::string> out;
  for (std::string_view line; reader.next(line);) out.emplace_back(line);
  EXPECT_EQ(reader.line_number(), out.size());
  return out;
}

std::vector<std::vector<std::string>> records(const std::string& content, const std::string& separator = ",",
                                              char quote = '"', const std::string& comment = "") {
  const auto folder = test::temp_folder();
  RecordReader reader(folder.write("f.csv", content), separator, quote, comment);
  std::vector<std::vector<std::string>> out;
  for (std::vector<std::string_view> fields; reader.next(fields);) out.emplace_back(fields.begin(), fields.end());
  return out;
}

// The message of the Error that `action` throws; a failure where it throws none.
template <class Action>
std::string message(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(FileReader, KnowsAllLineEnds) {
  EXPECT_THAT(lines("a\nb\r\n\nc"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines("\n"), ElementsAre(""));
  EXPECT_THAT(lines(""), ElementsAre());
  EXPECT_THAT(lines("\xEF\xBB\xBFhead\r\nx"), ElementsAre("head", "x"));
  EXPECT_THAT(lines("\xEF\xBB\xBF"), ElementsAre());
}

TEST(FileReader, RefusesNulBytesMissingFilesAndFolders) {
  const auto folder = test::temp_folder();
  FileReader reader(folder.write("nul", std::string("a\nb\0c\n", 6)));
  std::string_view line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_THAT(message([&] { reader.next(line); }), HasSubstr("nul:2: expected text, found a NUL byte"));
  EXPECT_THAT(message([&] { FileReader(folder / "none"); }), HasSubstr("none': No such file"));
  EXPECT_THAT(message([&] { FileReader(folder.path()); }), HasSubstr("not a regular file"));
}

TEST(FileReader, ABadLineFarBelowIsNamed) {
  std::string content;
  for (int i = 1; i < 70000; ++i) content += "1\t2\t3\t4\n";
  const auto folder = test::temp_folder();
  FileReader reader(folder.write("u.data", content + "1\t2\t3\n1\t2\t3\t4\n"));
  std::vector<std::string_view> fields;
  const auto read_all = [&] {
    while (reader.next_fields("\t", 4, 4, fields)) {
    }
  };
  EXPECT_THAT(message(read_all), HasSubstr("u.data:70000: expected 4 tab-separated fields, found 3"));
}

TEST(FileReader, SplitsAtLongSeparators) {
  std::vector<std::string_view> parts;
  split("1::a:b::", "::", parts);
  EXPECT_THAT(parts, ElementsAre("1", "a:b", ""));
  split("", "\t", parts);
  EXPECT_THAT(parts, ElementsAre(""));
}

TEST(FileReader, NumbersMustFillTheField) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<double>("2.5e3"), 2500.0);
  for (const char* bad : {"", " 1", "1 ", "1x", "+1", "0x1", "99999999999", "1.5"})
    EXPECT_FALSE(parse_number<int>(bad)) << bad;
  for (const char* bad : {"nan", "inf", "1e999", "1,5", ""}) EXPECT_FALSE(parse_number<float>(bad)) << bad;
  EXPECT_EQ(parse_seconds("978300019"), 978300019);
  EXPECT_EQ(parse_seconds("9.78300019e8"), 978300019);
  EXPECT_EQ(parse_seconds("-0.5"), -1);
  EXPECT_FALSE(parse_seconds("1e17"));
  EXPECT_FALSE(parse_seconds("today"));

  const auto folder = test::temp_folder();
  FileReader reader(folder.write("r", "x\n"));
  std::string_view line;
  reader.next(line);
  EXPECT_THAT(message([&] { reader.number<int>("2.5", "count"); }),
              HasSubstr("r:1: expected an integer for the count, found '2.5'"));
  EXPECT_THAT(message([&] { reader.number<float>("nan", "rating"); }),
              HasSubstr("expected a finite number for the rating, found 'nan'"));
  EXPECT_THAT(message([&] { reader.seconds("noon"); }),
              HasSubstr("expected seconds since 1970 for the timestamp, found 'noon'"));
  EXPECT_THAT(message([&] { reader.id("", "user"); }), HasSubstr("expected an id for the user, found nothing"));
}

TEST(FileReader, DaysAreThoseOfTheCalendar) {
  EXPECT_EQ(utc_seconds(1970, 1, 1), 0);
  EXPECT_EQ(utc_seconds(2000, 2, 29), 951782400);  // date -u -d 2000-02-29 +%s
  EXPECT_EQ(utc_seconds(1922, 3, 5), -1509321600);
  EXPECT_FALSE(utc_seconds(1900, 2, 29));
  EXPECT_FALSE(utc_seconds(1999, 13, 1));
}

TEST(FileReader, Latin1BecomesUtf8AndUtf8Stays) {
  EXPECT_EQ(to_utf8("Mis\xE9rables"), "Misérables");
  EXPECT_EQ(to_utf8("Misérables 東京 𝄞"), "Misérables 東京 𝄞");
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
  EXPECT_TRUE(is_utf8(FileReader::excerpt(std::string(39, 'a') + "東京東京")));
}

TEST(RecordReader, QuotedFieldsHoldSeparatorsQuotesAndLineEnds) {
  EXPECT_THAT(records("1,\"a, b\",x\r\n2,\"say \"\"hi\"\"\",\"\"\n"),
              ElementsAre(ElementsAre("1", "a, b", "x"), ElementsAre("2", "say \"hi\"", "")));
  EXPECT_THAT(records("1,\"two\r\n\nlines\"\"\",\"z\"\n2,b,c"),
              ElementsAre(ElementsAre("1", "two\n\nlines\"", "z"), ElementsAre("2", "b", "c")));
  EXPECT_THAT(records("a,5\" disc,\n"), ElementsAre(ElementsAre("a", "5\" disc", "")));
  EXPECT_THAT(records("\"a::b\"::c", "::"), ElementsAre(ElementsAre("a::b", "c")));
  EXPECT_THAT(records("\"a,b\"", ",", '\0'), ElementsAre(ElementsAre("\"a", "b\"")));
  EXPECT_THAT(records("# note, \"\n\n1,2\n#\n", ",", '"', "#"), ElementsAre(ElementsAre("1", "2")));
}

TEST(RecordReader, NamesTheLineOfTheQuote) {
  EXPECT_THAT(message([] { records("1,2\n3,\"x\n\n\n"); }),
              HasSubstr("f.csv:2: expected a closing \", found the end of the file"));
  EXPECT_THAT(message([] { records("1,2\n\"a\"b,c\n"); }),
              HasSubstr("f.csv:2: expected ',' after the closing quote of field 1, found 'b,c'"));
}

TEST(RecordReader, ARecordBeginsWhereItsFirstLineStands) {
  const auto folder = test::temp_folder();
  RecordReader reader(folder.write("f.csv", "a,\"1\n2\n3\"\nb\n"), ",");
  std::vector<std::string_view> fields;
  ASSERT_TRUE(reader.next(fields, 2));
  EXPECT_EQ(reader.line_number(), 1u);
  EXPECT_THAT(message([&] { reader.next(fields, 2); }), HasSubstr("f.csv:4: expected 2 fields, found 1"));
}

}  // namespace
}  // namespace segue
