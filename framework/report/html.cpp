#include "framework/report/html.hpp"

#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/base/hash.hpp"
#include "framework/report/html_assets.hpp"

namespace segue {

namespace {

constexpr std::size_t kUnbroken = 36;  // bytes that a cell may hold before it is broken into lines

// Sorted as numbers in the page; empty where the cell has none.
std::string sort_value(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, double>)
          return std::isfinite(value) ? fmt::format("{}", value) : "";
        else if constexpr (std::is_same_v<T, std::int64_t>)
          return fmt::format("{}", value);
        else if constexpr (std::is_same_v<T, bool>)
          return value ? "1" : "0";
        else
          return "";
      },
      cell.data());
}

const char* css_class(Emphasis emphasis) {
  switch (emphasis) {
    case Emphasis::kFaint:
      return "faint";
    case Emphasis::kGood:
      return "good";
    case Emphasis::kWarning:
      return "warning";
    case Emphasis::kBad:
      return "bad";
    case Emphasis::kNone:
    case Emphasis::kStrong:
      break;
  }
  return "";
}

std::string cell_text(const Cell& cell) {
  const std::string text = html_text(cell.text());
  if (cell.emphasis() == Emphasis::kStrong) return fmt::format("<strong>{}</strong>", text);
  const std::string name = css_class(cell.emphasis());
  return name.empty() || text.empty() ? text : fmt::format("<span class=\"{}\">{}</span>", name, text);
}

bool failed(const std::vector<Cell>& row) {
  return std::any_of(row.begin(), row.end(), [](const Cell& c) { return c.emphasis() == Emphasis::kBad; });
}

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find(". ");
  return end == std::string::npos ? text : text.substr(0, end + 1);
}

// JSON in a <script>: "</script>" and "<!--" must not appear in it.
std::string json_text(const nlohmann::ordered_json& json) {
  std::string out;
  for (const char c : json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

// Wider than an upright page when printed, by the letters that fit on a line there.
bool prints_wide(const Table& table) {
  std::size_t letters = 0;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t widest = table.columns[c].name.size();
    for (const auto& row : table.rows) widest = std::max(widest, row[c].text().size());
    letters += (table.columns[c].wrap == Wrap::kYes ? std::min<std::size_t>(widest, 20) : widest) + 3;
  }
  return letters > 120;
}

class Writer {
 public:
  explicit Writer(const ReportPage& page) : page_(page) {}

  std::string write() {
    content();
    const std::string nonce = Hasher().add(body_).hex();  // a text in the page would have to hold its own hash
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'nonce-{}'; base-uri 'none'; form-action 'none'\">\n<meta name=\"generator\" content=\"{}\">\n"
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        nonce, html_text(page_.generator), html_text(page_.title), kReportCss);
    out += "<a class=\"skip\" href=\"#content\">Skip to content</a>\n";
    head(out);
    out += fmt::format("<div class=\"columns\">\n<nav aria-label=\"Contents\">\n<ul>\n{}</ul>\n</nav>\n", toc_);
    out += fmt::format("<main id=\"content\" tabindex=\"-1\">\n{}</main>\n</div>\n", body_);
    out += fmt::format(
        "<footer>Written by {}. Every figure here is computed from the stored lists of each trial.</footer>\n",
        html_text(page_.generator));
    out += fmt::format("<script nonce=\"{}\">\n{}</script>\n</body>\n</html>\n", nonce, kReportJs);
    return out;
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(body_), format, std::forward<Args>(args)...);
  }

  void head(std::string& out) const {
    out += fmt::format("<header>\n<div class=\"title\">\n<h1>{}</h1>\n", html_text(page_.title));
    if (!page_.description.empty()) out += fmt::format("<p class=\"lead\">{}</p>\n", html_text(page_.description));
    out += "</div>\n";
    if (!page_.summary.empty()) {
      out += "<dl class=\"summary\">\n";
      for (const auto& [name, value] : page_.summary)
        out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_text(name), html_text(value));
      out += "</dl>\n";
    }
    out += "</header>\n";
  }

  // A section and its line in the contents; its parts follow until the next one.
  void section(const std::string& id, const std::string& heading) {
    put("<h2 id=\"{}\">{}</h2>\n", id, html_text(heading));
    toc_ += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, html_text(heading));
  }
  void part(const std::string& id, const std::string& heading) {
    toc_ += fmt::format("<li class=\"part\"><a href=\"#{}\">{}</a></li>\n", id, html_text(heading));
  }

  void content() {
    if (!page_.boards.empty()) section("leaderboards", page_.boards.size() > 1 ? "Leaderboards" : "Leaderboard");
    for (std::size_t b = 0; b < page_.boards.size(); ++b) board(page_.boards[b], fmt::format("board-{}", b + 1));
    if (!page_.tuning.empty()) {
      section("tuning", "Tuning");
      put("<p>Settings were compared on validation data alone. <code>segue tuning</code> lists every trial.</p>\n");
      tables(page_.tuning);
    }
    if (!page_.failures.empty()) failures();
    if (!page_.figures.empty()) figures();
    if (!page_.cards.empty()) cards();
    if (!page_.datasets.empty()) {
      section("data", "Data");
      tables(page_.datasets);
    }
    if (!page_.reproduce.empty()) {
      section("reproduce", "Reproduce");
      blocks(page_.reproduce);
    }
    if (!page_.suites.empty()) {
      section("suite", "Suite");
      put("<p>With includes, settings and overrides resolved. What is not said has its default, as of this "
          "version.</p>\n");
      blocks(page_.suites);
    }
    if (!page_.provenance.empty()) {
      section("provenance", "Provenance");
      tables(page_.provenance);
    }
  }

  // --- leaderboards

  std::size_t card_of(const std::string& column) const {
    const auto find = [&](std::string_view name) {
      return static_cast<std::size_t>(
          std::find_if(page_.cards.begin(), page_.cards.end(), [&](const ReportCard& c) { return c.name == name; }) -
          page_.cards.begin());
    };
    const std::size_t exact = find(column);
    return exact < page_.cards.size() ? exact : find(std::string_view(column).substr(0, column.find(' ')));
  }

  void board(const ReportBoard& board, const std::string& id) {
    part(id, board.heading);
    put("<section class=\"board{}\" aria-labelledby=\"{}\">\n<h3 id=\"{}\">{}</h3>\n<p class=\"kind\">{}",
        prints_wide(board.table) ? " wide" : "", id, id, html_text(board.heading), html_text(board.kind));
    if (!board.task.empty()) put(" <span class=\"faint\">task <code>{}</code></span>", html_text(board.task));
    put("</p>\n");
    if (board.table.rows.empty())
      put("<p>No row of this task has run yet.</p>\n");
    else
      table(board.table, board.heading, id);
    notes(board.notes);
    if (!board.published.rows.empty()) {
      put("<h4>Published figures and ours</h4>\n");
      table(board.published, "published figures of " + board.heading, id + "-published");
      notes(board.sources);
    }
    for (const std::string& warning : board.warnings)
      put("<p class=\"alert\"><strong>Warning.</strong> {}</p>\n", html_text(warning));
    if (!board.leaks.empty()) leaks(board.leaks);
    if (!board.settings.rows.empty()) {
      put("<details>\n<summary>Task settings</summary>\n");
      record(board.settings);
      put("</details>\n");
    }
    put("</section>\n");
  }

  void notes(const std::vector<std::string>& notes) {
    if (notes.empty()) return;
    put("<ul class=\"notes\">\n");
    for (const std::string& note : notes) put("<li>{}</li>\n", html_text(note));
    put("</ul>\n");
  }

  void header_cell(const Column& column) {
    const std::size_t card = card_of(column.name);
    put("<th scope=\"col\"{}", column.align == Align::kRight ? " class=\"r\"" : "");
    if (card < page_.cards.size()) {
      put(" data-card=\"card-{}\"", card + 1);
      if (const auto& higher = page_.cards[card].higher_is_better) put(" data-best=\"{}\"", *higher ? "high" : "low");
    }
    if (column.name.empty())
      put(" aria-label=\"place\">#</th>");
    else
      put(">{}</th>", html_text(column.name));
  }

  // Sortable and filterable once the script runs; complete without it.
  void table(const Table& table, const std::string& name, const std::string& id) {
    put("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table {}\">\n", html_text(name));
    put("<table class=\"sortable\"{}>\n<thead><tr>", id.empty() ? "" : fmt::format(" data-copies=\"{}-copies\"", id));
    std::size_t heading = 0;  // the cell that names its row
    while (heading + 1 < table.columns.size() && table.columns[heading].align == Align::kRight) ++heading;
    for (const Column& column : table.columns) header_cell(column);
    put("</tr></thead>\n<tbody>\n");
    for (const auto& row : table.rows) {
      put("<tr{}>", failed(row) ? " class=\"failed\"" : "");
      for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string value = sort_value(row[c]);
        const bool right = table.columns[c].align == Align::kRight,
                   wraps = table.columns[c].wrap == Wrap::kYes && row[c].text().size() > kUnbroken;
        put("<{}{}{}>{}</{}>", c == heading ? "th scope=\"row\"" : "td",
            right   ? " class=\"r\""
            : wraps ? " class=\"wrap\""
                    : "",
            value.empty() ? "" : fmt::format(" data-v=\"{}\"", value), cell_text(row[c]), c == heading ? "th" : "td");
      }
      put("</tr>\n");
    }
    put("</tbody>\n</table>\n</div>\n");
    if (id.empty()) return;
    nlohmann::ordered_json copies;
    copies["CSV"] = render(table, TableFormat::kCsv);
    copies["Markdown"] = render(table, TableFormat::kMarkdown);
    copies["LaTeX"] = render(table, TableFormat::kLatex);
    put("<script type=\"application/json\" id=\"{}-copies\">{}</script>\n", id, json_text(copies));
  }

  void leaks(const std::vector<ReportFact>& facts) {
    put("<h4>Leak meter</h4>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Leak meter\">\n<table "
        "class=\"leaks\">\n<tbody>\n");
    for (const ReportFact& fact : facts) {
      put("<tr><th scope=\"row\">{}</th><td class=\"r\">{}</td><td>", html_text(fact.name), cell_text(fact.value));
      if (!std::isnan(fact.share))
        put("<span class=\"bar {}\"><span style=\"width:{:.2f}%\"></span></span>", css_class(fact.emphasis),
            100 * std::clamp(fact.share, 0.0, 1.0));
      put("</td><td class=\"wrap faint\">{}</td></tr>\n", html_text(fact.explanation));
    }
    put("</tbody>\n</table>\n</div>\n");
  }

  void failures() {
    section("failures", "Failures");
    for (const ReportFailure& f : page_.failures) {
      put("<article class=\"failure\">\n<h3>{} <span class=\"faint\">fold {}, seed {}; {}</span></h3>\n<pre "
          "tabindex=\"0\">{}</pre>\n",
          html_text(f.label), html_text(f.fold), html_text(f.seed), html_text(f.when), html_text(f.error));
      if (!f.again.empty()) put("<p>To try again: <code>{}</code></p>\n", html_text(f.again));
      put("</article>\n");
    }
  }

  // --- figures

  void figures() {
    section("figures", "Figures");
    std::vector<std::string> kinds;
    for (const ReportFigure& f : page_.figures)
      if (std::find(kinds.begin(), kinds.end(), f.kind) == kinds.end()) kinds.push_back(f.kind);
    std::size_t number = 0;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      const std::string id = fmt::format("figures-{}", k + 1);
      part(id, kinds[k]);
      put("<h3 id=\"{}\">{}</h3>\n<div class=\"figures\">\n", id, html_text(kinds[k]));
      for (const ReportFigure& f : page_.figures)
        if (f.kind == kinds[k]) figure(f, ++number);
      put("</div>\n");
    }
  }

  void figure(const ReportFigure& f, std::size_t number) {
    const std::string id = fmt::format("figure-{}", number), what = first_sentence(f.description);
    const std::string svg = inline_svg(f.svg, id, f.title.empty() ? what : f.title, f.description);
    const std::size_t box = svg.find("viewBox=\"0 0 ");
    const bool wide =
        box != std::string::npos && std::atof(svg.c_str() + box + 13) > 300;  // a page's width, not a column's
    put("<figure id=\"{}\"{}>\n<div class=\"paper\">{}</div>\n<figcaption><strong>Figure {}.</strong> {}{}{} <span "
        "class=\"file faint\">{}</span></figcaption>\n</figure>\n",
        id, wide ? " class=\"wide\"" : "", svg, number, html_text(f.title),
        f.title.empty() || f.title.ends_with('.') ? " " : ". ", html_text(what), html_text(f.name));
  }

  // --- everything else

  void cards() {
    section("definitions", "Definitions");
    put("<div class=\"cards\">\n");
    for (std::size_t i = 0; i < page_.cards.size(); ++i) {
      const ReportCard& card = page_.cards[i];
      put("<article class=\"card\" id=\"card-{}\">\n<h3><code>{}</code> {}</h3>\n<dl>\n", i + 1, html_text(card.name),
          html_text(card.title));
      for (const auto& [name, text] : card.facts)
        put("<div><dt>{}</dt><dd>{}</dd></div>\n", html_text(name), html_text(text));
      put("</dl>\n</article>\n");
    }
    put("</div>\n");
  }

  void record(const Table& table) {
    put("<table class=\"record\">\n<tbody>\n");
    for (const auto& row : table.rows)
      put("<tr><th scope=\"row\">{}</th><td class=\"wrap\">{}</td></tr>\n", html_text(row[0].text()),
          cell_text(row[1]));
    put("</tbody>\n</table>\n");
  }

  void tables(const NamedTables& named) {
    for (const auto& [name, t] : named) {
      if (!name.empty()) put("<h3>{}</h3>\n", html_text(name));
      if (t.record)
        record(t);
      else
        table(t, name, "");
    }
  }

  void blocks(const std::vector<ReportBlock>& blocks) {
    for (const ReportBlock& b : blocks)
      put("<div class=\"block\">\n<h3>{}</h3>\n<pre tabindex=\"0\" role=\"region\" "
          "aria-label=\"{}\">{}</pre>\n</div>\n",
          html_text(b.name), html_text(b.name), html_text(b.text));
  }

  const ReportPage& page_;
  std::string body_, toc_;
};

}  // namespace

std::string render_html(const ReportPage& page) { return Writer(page).write(); }

}  // namespace segue
