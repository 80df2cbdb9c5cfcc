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

TEST(Table, MarksAreBoldWithoutTheBlankBehindThem) {
  Table table{.columns = {{"x", Align::kRight}}};
  table.add({Cell("0.5 ", 0.5).mark(Emphasis::kStrong)});
  table.add({"0.4≈"});
  EXPECT_EQ(render(table, TableFormat::kMarkdown), "| x |\n|---:|\n| **0.5** |\n| 0.4≈ |\n");
  EXPECT_EQ(render(table, TableFormat::kText), "   x\n----\n0.5\n0.4≈\n");
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
  EXPECT_NE(text.find("\\textbar{} c\\_d"), std::string::npos);
}

TEST(Table, LatexKeepsColumnsAndSetsSignsAsMathematics) {
  Table table{.columns = {{"", Align::kRight}, {"hr@10 ~", Align::kRight}, {"p", Align::kRight}}};
  table.add({1, Cell("0.5000 ±0.1000 ", 0.5).mark(Emphasis::kStrong), Cell("<0.0001", 1e-5)});
  table.add({2, Cell("0.4000 ±0.1000≈", 0.4), Cell("-0.25", -0.25)});
  EXPECT_EQ(render(table, TableFormat::kLatex, {.caption = "100 % of\ntwo lines"}),
            "% 100 % of\n% two lines\n"
            "\\begin{tabular}{rrr}\n\\toprule\n"
            " & hr@10 $\\sim$ & p \\\\\n\\midrule\n"
            "1 & \\textbf{0.5000 $\\pm$0.1000} & \\textless{}0.0001 \\\\\n"
            "2 & 0.4000 $\\pm$0.1000\\rlap{$\\approx$} & $-$0.25 \\\\\n"
            "\\bottomrule\n\\end{tabular}\n");
}

TEST(Table, HtmlIsSemanticAndKeepsEveryDigit) {
  Table table = example();
  table.keys = 1;
  EXPECT_EQ(render(table, TableFormat::kHtml, {.caption = "a < b"}),
            "<table>\n<caption>a &lt; b</caption>\n"
            "<thead>\n<tr><th scope=\"col\">name</th><th scope=\"col\">users</th><th "
            "scope=\"col\">ndcg@10</th></tr>\n</thead>\n"
            "<tbody>\n"
            "<tr><th scope=\"row\">als</th><td data-value=\"1200\">1200</td><td "
            "data-value=\"0.123456789\"><strong>0.1235</strong></td></tr>\n"
            "<tr><th scope=\"row\">a, &quot;b&quot; | c_d</th><td data-value=\"7\">7</td><td>-</td></tr>\n"
            "</tbody>\n</table>\n");
  Table record = record_table();
  record.add({"users", Cell("943 users", 943)});
  EXPECT_EQ(render(NamedTables{{"facts", record}}, TableFormat::kHtml),
            "<table>\n<caption>facts</caption>\n<tbody>\n<tr><th scope=\"row\">users</th><td data-value=\"943\">943 "
            "users</td></tr>\n</tbody>\n</table>\n");
}

TEST(Table, WhatFindsNoRoomFollowsBelowBesideTheKeys) {
  Table table{.columns = {{"row"}, {"first", Align::kRight}, {"second", Align::kRight}, {"third", Align::kRight}},
              .keys = 1};
  table.add({"a", 1, 2, 3});
  EXPECT_EQ(render(table, TableFormat::kText, {.width = 18}),
            "row  first  second\n"
            "---  -----  ------\n"
            "a        1       2\n"
            "\n"
            "row  third\n"
            "---  -----\n"
            "a        3\n");
  const std::string whole = render(table, TableFormat::kText);
  EXPECT_EQ(render(table, TableFormat::kText, {.width = 25}), whole);
  EXPECT_NE(render(table, TableFormat::kText, {.width = 24}), whole);
  table.keys = 0;
  EXPECT_EQ(render(table, TableFormat::kText, {.width = 18}), whole);
}

TEST(Table, SeveralPartsAreOneTableForPrograms) {
  Table one{.columns = {{"label"}, {"hr"}}}, other{.columns = {{"label"}, {"rmse"}}};
  one.add({"a", Cell::fixed(0.5, 4)});
  other.add({"a", Cell::fixed(0.25, 4)});
  EXPECT_EQ(render(stack({{{{"task", "full"}}, one}, {{{"task", "ratings"}}, other}}), TableFormat::kCsv),
            "task,label,hr,rmse\nfull,a,0.5,\nratings,a,,0.25\n");
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
    EXPECT_STREQ(e.what(), "unknown format 'jsno'; did you mean 'json'? known: table, md, csv, json, latex, html");
  }
}

}  // namespace
}  // namespace segue
