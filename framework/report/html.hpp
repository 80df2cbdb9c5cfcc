// The report page: pure data in, the text of one HTML file out. Nothing here knows results, files or plots; report.hpp
// fills it.
//
// The file is whole in itself: style, script and figures stand in it, and its content security policy forbids every
// request. Equal pages give equal bytes. All text may hold anything; what is no UTF-8 becomes U+FFFD.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/report/table.hpp"

namespace segue {

// What a column means. It belongs to every column whose name, up to its first blank, is `name` ("ndcg@10 ~").
struct ReportCard {
  std::string name, title;
  std::vector<std::pair<std::string, std::string>> facts;  // "Formula", "sum over hits of ..."
  std::optional<bool> higher_is_better;                    // which end sorting shows first
};

struct ReportFact {
  std::string name;
  Cell value;
  std::string explanation;
  double share = std::numeric_limits<double>::quiet_NaN();  // in [0, 1] where the value is a part of something: a bar
  Emphasis emphasis = Emphasis::kNone;                      // of the bar
};

struct ReportFigure {
  std::string name;         // "metric_bars-full-ndcg@10": the file's name in the folder of plots
  std::string kind;         // figures of a kind stand together under it: "Metric bars"
  std::string title;        // may be empty
  std::string description;  // the content in words
  std::string svg;          // as gnuplot wrote it
};

struct ReportBoard {
  std::string heading;  // "full"
  std::string kind;     // "Full ranking on MovieLens 100K"
  std::string task;     // id
  Table table;
  std::vector<std::string> notes;  // what the marks in the table mean
  std::vector<ReportFact> leaks;
  std::vector<std::string> warnings;
  Table published;                   // what others published beside ours; no rows: nothing
  std::vector<std::string> sources;  // of its figures
  Table settings = record_table();  // what the task is made of
};

struct ReportFailure {
  std::string label, fold, seed;
  std::string when;  // "timeout 2026-05-01T12:00:00Z"
  std::string error;
  std::string again;  // the command that tries it once more
};

struct ReportBlock {  // text that people copy
  std::string name;
  std::string text;
};

struct ReportPage {
  std::string title, description;
  std::vector<std::pair<std::string, std::string>> summary;  // a few facts below the title
  std::vector<ReportBoard> boards;
  NamedTables tuning;             // what was tried, and what was chosen
  std::vector<ReportCard> cards;  // those that no column names are shown too
  std::vector<ReportFigure> figures;
  std::vector<ReportFailure> failures;
  NamedTables datasets;
  std::vector<ReportBlock> reproduce;  // commands
  std::vector<ReportBlock> suites;     // YAML
  NamedTables provenance;
  std::string generator;  // "segue 0.1.0"
};

// LogicError for a figure that is no SVG.
std::string render_html(const ReportPage& page);

// `text` with the characters that mean something in HTML written out, for content and for quoted attributes; control
// characters and bytes that are no UTF-8 become U+FFFD.
std::string html_text(std::string_view text);

// A whole SVG document as an element of an HTML page: no prolog, ids and references to them under `prefix`, the size
// left to the style sheet, title and description its accessible name. LogicError where there is no <svg> element.
std::string inline_svg(const std::string& svg, const std::string& prefix, const std::string& title,
                       const std::string& description);

}  // namespace segue
