#include "framework/report/table.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/report/text.hpp"

namespace segue {
namespace {

Table example() {
  Table table{.columns = {{"name"}, {"users", Align::kRight}, {"ndcg@10", Align::kRight}}};
  table.add({"als", 1200, Cell::fixed(0.123456789, 4).mark(Emphasis::kStrong)});
  table.add({"a, \"b\" | c_d", 7, Cell::fixed(std::numeric_limits<double>::quiet_NaN(), 4)});
  return table;
}

TEST(Text, WidthCountsWhatATerminalShows) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("Bj\xC3\xB6rk"), 5u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);                 // e with a combining acute accent
  EXPECT_EQ(display_width("\xE9\x9F\xB3\xE6\xA5\xBD"), 4u);  // two wide characters
  EXPECT_EQ(display_width("\xF0\x9F\x8E\xB5"), 2u);          // a musical note
  EXPECT_EQ(display_width("a\xFF"
                          "b"),
            3u);  // not UTF-8
}

TEST(Text, WrapsAtBlanksThenMarksThenAnywhere) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrap_text("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap_text("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap_text("/usr/share/music", 8), (Lines{"/usr/", "share/", "music"}));
  EXPECT_EQ(wrap_text("abcdefgh", 3), (Lines{"abc", "def", "gh"}));
  EXPECT_EQ(wrap_text("a\nb c", 0), (Lines{"a", "b c"}));
  EXPECT_EQ(wrap_text("", 5), (Lines{""}));
  EXPECT_EQ(wrap_text("\xE9\x9F\xB3\xE6\xA5\xBD", 1),
            (Lines{"\xE9\x9F\xB3", "\xE6\xA5\xBD"}));  // never half a character
}

TEST(Table, TextAlignsAndLeavesNoBlanksAtLineEnds) {
  EXPECT_EQ(render(example(), TableFormat::kText),
            "name          users  ndcg@10\n"
            "------------  -----  -------\n"
            "als            1200   0.1235\n"
            "a, \"b\" | c_d      7        -\n");
}

TEST(Table, TextFitsTheTerminalByWrapping) {
  Table table{.columns = {{"name"}, {"licence", Align::kLeft, Wrap::kYes}}};
  table.add({"ml-100k", "research use; no redistribution without permission"});
  EXPECT_EQ(render(table, TableFormat::kText, {.width = 30}),
            "name     licence\n"
            "-------  ---------------------\n"
            "ml-100k  research use; no\n"
            "         redistribution\n"
            "         without permission\n");
}

TEST(Table, ColourOnlyWhenAsked) {
  EXPECT_EQ(render(example(), TableFormat::kText).find('\033'), std::string::npos);
  EXPECT_NE(render(example(), TableFormat::kText, {.color = true}).find("\033[1m0.1235\033[0m"), std::string::npos);
}

TEST(Table, MarkdownEscapesAndEmphasises) {
  EXPECT_EQ(render(example(), TableFormat::kMarkdown),
            "| name | users | ndcg@10 |\n|---|---:|---:|\n"
            "| als | 1200 | **0.1235** |\n| a, \"b\" \\| c_d | 7 | - |\n");
}

TEST(Table, CsvQuotesAndKeepsEveryDigit) {
  EXPECT_EQ(render(example(), TableFormat::kCsv),
            "name,users,ndcg@10\nals,1200,0.123456789\n\"a, \"\"b\"\" | c_d\",7,\n");
}

TEST(Table, JsonKeepsTypesAndEveryDigit) {
  const auto json = nlohmann::json::parse(render(example(), TableFormat::kJson));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["users"], 1200);
  EXPECT_EQ(json[0]["ndcg@10"], 0.123456789);
  EXPECT_TRUE(json[1]["ndcg@10"].is_null());
}

TEST(Table, LatexEscapes) {
  const std::string text = render(example(), TableFormat::kLatex);
  EXPECT_NE(text.find("\\begin{tabular}{lrr}"), std::string::npos);
  EXPECT_NE(text.find("als & 1200 & \\textbf{0.1235} \\\\"), std::string::npos);
  EXPECT_NE(text.find("c\\_d"), std::string::npos);
}

TEST(Table, LatexKeepsColumnsWithoutAName) {
  Table table({{"", Align::kRight}, {"label"}});
  table.add({1, "0.5 ±0.1≈"});
  const std::string text = render(table, TableFormat::kLatex);
  EXPECT_NE(text.find("\\toprule\n & label \\\\\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1 & 0.5 $\\pm$0.1$\\approx$ \\\\\n"), std::string::npos) << text;
}

TEST(Table, RecordIsAnObject) {
  Table record = record_table();
  record.add({"users", Cell("943 users", 943)});
  record.add({"times", true});
  EXPECT_EQ(render(record, TableFormat::kText), "users  943 users\ntimes  yes\n");
  const auto json = nlohmann::json::parse(render(record, TableFormat::kJson));
  EXPECT_EQ(json["users"], 943);
  EXPECT_EQ(json["times"], true);
}

TEST(Table, SeveralTables) {
  Table record = record_table();
  record.add({"n", 1});
  const NamedTables tables{{"list", example()}, {"facts", record}};
  const auto json = nlohmann::json::parse(render(tables, TableFormat::kJson));
  EXPECT_EQ(json["list"].size(), 2u);
  EXPECT_EQ(json["facts"]["n"], 1);
  EXPECT_NE(render(tables, TableFormat::kText).find("\n\nfacts\nn  1\n"), std::string::npos);
}

TEST(Table, RefusesWhatDoesNotFit) {
  Table table{.columns = {{"a"}, {"b"}}};
  EXPECT_THROW(table.add({"only one"}), LogicError);
  try {
    parse_table_format("jsno");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(), "unknown format 'jsno'; did you mean 'json'? known: table, md, csv, json, latex");
  }
}

}  // namespace
}  // namespace segue
