#include "framework/report/html.hpp"

#include <cmath>
#include <limits>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// As gnuplot writes them: single and double quotes, ids that every figure has, references to them.
const std::string kSvg = R"svg(<?xml version="1.0" encoding="utf-8"  standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg role="img"
 width="244" height="127"
 viewBox="0 0 244 127"
 xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<title>Gnuplot</title><desc>Produced by gnuplot</desc><!-- a > b -->
<g id="gnuplot_canvas"><defs><circle id='gpDot' r='0.5'/><use xlink:href='#gpDot' id='gpPt6'/>
<clipPath id="clip"><rect width="1"/></clipPath></defs>
<g clip-path="url(#clip)" fill='url( "#clip")'><text style="font-family:'DejaVu Sans', Verdana">a &lt; b</text></g></g>
</svg>
)svg";

// Everything that a page can hold, with `text` wherever a text may stand.
ReportPage page_of(const std::string& text) {
  ReportPage page;
  page.title = page.description = page.generator = text;
  page.summary = {{text, text}};
  page.cards = {
      {"ndcg@10", text, {{text, text}}, true}, {"rmse", text, {{"Formula", text}}, false}, {text, text, {}, {}}};
  ReportBoard board;
  board.heading = board.kind = board.task = text;
  board.table.columns = {
      {"", Align::kRight}, {"label", Align::kLeft, Wrap::kYes}, {"ndcg@10 ~", Align::kRight}, {text}, {"rmse"}};
  board.table.add({1, text, Cell::fixed(0.123456789, 4).mark(Emphasis::kStrong), text, Cell::fixed(1.5, 1)});
  board.table.add({Cell("!").mark(Emphasis::kBad), text, Cell::fixed(std::nan(""), 4),
                   Cell(text).mark(Emphasis::kWarning), Cell()});
  board.notes = board.warnings = {text};
  board.leaks = {{text, Cell("12 (3.4 %)", 12), text, 0.034, Emphasis::kWarning}, {text, Cell(3), text}};
  board.settings.add({text, text});
  page.boards = {board, board};
  page.figures = {
      {text, "Bars", text, text + ". More.", kSvg}, {text, "Bars", "", text, kSvg}, {text, text, text, text, kSvg}};
  page.failures = {{text, text, text, text, text, text}};
  Table list{.columns = {{"name"}}};
  list.add({text});
  Table record = record_table();
  record.add({text, text});
  page.datasets = page.tuning = {{text, list}};
  page.provenance = {{text, record}, {"", list}};
  page.reproduce = page.suites = {{text, text}};
  return page;
}

std::vector<std::string> matches(const std::string& html, const std::string& pattern) {
  std::vector<std::string> out;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(html.begin(), html.end(), regex), end; it != end; ++it) out.push_back((*it)[1]);
  return out;
}

// What a parser without mercy would complain about; empty where tags nest and close. Scripts and styles are skipped.
std::string malformed(const std::string& html) {
  static const std::set<std::string> kVoid{"meta", "input", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string::npos;) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag does not end";
    const std::string tag = html.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return "a tag within a tag: " + tag;
    const std::string name = tag.substr(tag[0] == '/', tag.find_first_of(" /\n", 1) - (tag[0] == '/'));
    at = end + 1;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name)
        return fmt::format("</{}> closes <{}>", name, open.empty() ? "" : open.back());
      open.pop_back();
    } else if (!kVoid.contains(name) && tag.back() != '/') {
      open.push_back(name);
    }
    if ((name == "script" || name == "style") && tag[0] != '/') at = html.find("</" + name, at);
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

TEST(HtmlText, WritesOutWhatMeansSomething) {
  EXPECT_EQ(html_text("a<b> & \"c\" 'd'\n"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n");
  EXPECT_EQ(html_text("Größe 音楽 🎵"), "Größe 音楽 🎵");
}

TEST(HtmlText, ReplacesWhatIsNoText) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(html_text("a\x01\x7F\x1B z"), "a" + bad + bad + bad + " z");
  EXPECT_EQ(html_text("\xFFx"), bad + "x");
  EXPECT_EQ(html_text("\xC3"), bad);                                // cut short
  EXPECT_EQ(html_text("\xC0\xBC"), bad + bad);                      // an overlong '<'
  EXPECT_EQ(html_text("\xED\xA0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(html_text("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // beyond Unicode
  EXPECT_EQ(html_text("\xC3<"), bad + "&lt;");
}

TEST(InlineSvg, IsAnElementWithANameAndIdsOfItsOwn) {
  const std::string svg = inline_svg(kSvg, "figure-3", "A & B", "3 < 4");
  EXPECT_THAT(svg, StartsWith("<svg viewBox=\"0 0 244 127\" role=\"img\" aria-labelledby=\"figure-3-title\" "
                              "aria-describedby=\"figure-3-desc\"><title id=\"figure-3-title\">A &amp; B</title>"
                              "<desc id=\"figure-3-desc\">3 &lt; 4</desc>"));
  EXPECT_THAT(svg, HasSubstr("<g id=\"figure-3-gnuplot_canvas\">"));
  EXPECT_THAT(svg, HasSubstr("<use href=\"#figure-3-gpDot\" id=\"figure-3-gpPt6\"/>"));
  EXPECT_THAT(svg, HasSubstr("clip-path=\"url(#figure-3-clip)\""));
  EXPECT_THAT(svg, HasSubstr("fill=\"url( &quot;#figure-3-clip&quot;)\""));
  EXPECT_THAT(svg, HasSubstr("style=\"font-family:'DejaVu Sans', Verdana\">a &lt; b</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("Gnuplot")));
  EXPECT_THAT(svg, Not(HasSubstr("<?xml")));
  EXPECT_THAT(svg, Not(HasSubstr("http")));
  EXPECT_EQ(malformed(svg), "");
}

TEST(InlineSvg, LeavesOutWhatRunsOrAsks) {
  const std::string svg = inline_svg(
      "<svg onload='x()'><script>alert(1)</script><a href=\"http://example.org\">a</a>"
      "<image xlink:href='other.png'/><rect onclick=\"x()\"/><![CDATA[<b>]]></svg><p>after</p>",
      "f", "t", "d");
  EXPECT_EQ(svg.substr(svg.find("</desc>") + 7), "<a>a</a><image/><rect/></svg>");
}

TEST(InlineSvg, MustBeAFigure) {
  EXPECT_THAT(message_of<LogicError>([] { inline_svg("no figure", "f", "", ""); }), HasSubstr("no SVG"));
  EXPECT_THAT(message_of<LogicError>([] { inline_svg("<svg><g id=\"a", "f", "", ""); }), HasSubstr("within a tag"));
  EXPECT_THAT(message_of<LogicError>([] { inline_svg("<svg><title>a", "f", "", ""); }), HasSubstr("<title>"));
}

TEST(Html, IsWellFormedWithIdsThatAreUnique) {
  const std::string html = render_html(page_of("plain"));
  EXPECT_EQ(malformed(html), "");
  const auto ids = matches(html, "[ ]id=\"([^\"]*)\"");
  EXPECT_GT(ids.size(), 20u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  const std::set<std::string> known(ids.begin(), ids.end());
  const std::vector<std::string> references =
      matches(html, "(?:href=\"#|aria-labelledby=\"|aria-describedby=\"|data-card=\"|data-copies=\")([^\"]*)\"");
  EXPECT_GT(references.size(), 15u);
  for (const std::string& id : references) EXPECT_TRUE(known.contains(id)) << id;
}

TEST(Html, NothingInItIsTakenForMarkup) {
  const std::string plain = render_html(page_of("plain"));
  for (const std::string evil : {"</script><script>alert(1)</script><!--", "\"><img src=x onerror='alert(1)'>",
                                 "<b id=\"content\">&lt;", "</pre></textarea></style></title>", "\xC0\xBCscript>"}) {
    const std::string html = render_html(page_of(evil));
    EXPECT_EQ(malformed(html), "") << evil;
    for (const char* tag :
         {"(<script)", "(</script)", "(<style)", "(<img)", "(<b)[ >]", "(</pre)", "(<!--)", "( id=\"content\")"})
      EXPECT_EQ(matches(html, tag).size(), matches(plain, tag).size()) << tag << " in " << evil;
  }
}

TEST(Html, AsksForNothing) {
  const std::string html = render_html(page_of("plain"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr(" src=")));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, Not(HasSubstr("<link")));
  EXPECT_THAT(matches(html, "url\\( ?(?:&quot;)?([^#& ])"), IsEmpty());
  EXPECT_THAT(matches(html, "[ ](on[a-z]+)=\""), IsEmpty());
}

TEST(Html, OnlyItsOwnScriptMayRun) {
  const std::string html = render_html(page_of("plain"));
  const auto allowed = matches(html, "script-src 'nonce-([0-9a-f]{32})'");
  ASSERT_EQ(allowed.size(), 1u);
  EXPECT_EQ(matches(html, "<script nonce=\"([^\"]*)\""), allowed);
  EXPECT_NE(matches(render_html(page_of("other")), "script-src 'nonce-([0-9a-f]{32})'"), allowed);
}

TEST(Html, EqualPagesAreEqualBytes) { EXPECT_EQ(render_html(page_of("x")), render_html(page_of("x"))); }

TEST(Html, CellsCarryTheirValuesForSorting) {
  const std::string html = render_html(page_of("plain"));
  EXPECT_THAT(html, HasSubstr("<td class=\"r\" data-v=\"0.123456789\"><strong>0.1235</strong></td>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"r\">-</td>"));  // nothing to sort by
  EXPECT_THAT(
      html,
      HasSubstr("<tr class=\"failed\"><td class=\"r\"><span class=\"bad\">!</span></td><th scope=\"row\">plain</th>"));
}

TEST(Html, ColumnsKnowTheirCards) {
  const std::string html = render_html(page_of("plain"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"r\" data-card=\"card-1\" data-best=\"high\">ndcg@10 ~</th>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" data-card=\"card-2\" data-best=\"low\">rmse</th>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" data-card=\"card-3\">plain</th>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"r\" aria-label=\"place\">#</th>"));
}

TEST(Html, CopiesAreTheTablesOfTheTerminal) {
  const ReportPage page = page_of("a </script> \"b\"");
  const std::string html = render_html(page), open = "<script type=\"application/json\" id=\"board-2-copies\">";
  const std::size_t from = html.find(open) + open.size();
  const auto copies = nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
  EXPECT_EQ(copies["CSV"], render(page.boards[1].table, TableFormat::kCsv));
  EXPECT_EQ(copies["Markdown"], render(page.boards[1].table, TableFormat::kMarkdown));
  EXPECT_EQ(copies["LaTeX"], render(page.boards[1].table, TableFormat::kLatex));
}

TEST(Html, FiguresOfAKindStandTogetherAndAreNumbered) {
  ReportPage page;
  page.figures = {{"a", "Bars", "T", "What. More.", kSvg},
                  {"b", "Curves", "", "Only this", kSvg},
                  {"c", "Bars", "End.", "Three.", kSvg}};
  const std::string html = render_html(page);
  EXPECT_THAT(matches(html, "<h3[^>]*>(.*?)</h3>"), ElementsAre("Bars", "Curves"));
  EXPECT_THAT(matches(html, "</strong> (.*?) <span class=\"file"),
              ElementsAre("T. What.", "End. Three.", " Only this"));
  EXPECT_THAT(matches(html, "<strong>(Figure \\d.)"), ElementsAre("Figure 1.", "Figure 2.", "Figure 3."));
}

TEST(Html, AnEmptyPageHasNoEmptySections) {
  ReportPage page;
  page.title = "t";
  EXPECT_THAT(render_html(page), Not(HasSubstr("<h2")));
  page.boards.emplace_back();
  page.boards[0].table.columns = {{"label"}};
  EXPECT_THAT(render_html(page), HasSubstr("No row of this task has run yet."));
}

}  // namespace
}  // namespace segue
