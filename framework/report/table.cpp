#include "framework/report/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/report/text.hpp"

namespace segue {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, TableFormat>, 5> kFormats{{{"table", TableFormat::kText},
                                                                       {"md", TableFormat::kMarkdown},
                                                                       {"csv", TableFormat::kCsv},
                                                                       {"json", TableFormat::kJson},
                                                                       {"latex", TableFormat::kLatex}}};
constexpr std::size_t kGap = 2;     // blanks between columns
constexpr std::size_t kLeast = 12;  // a wrapping column is not made narrower

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string one_line(const std::string& text) { return replace_all(text, "\n", " "); }

// --- text

const char* ansi(Emphasis emphasis) {
  switch (emphasis) {
    case Emphasis::kStrong:
      return "\033[1m";
    case Emphasis::kFaint:
      return "\033[2m";
    case Emphasis::kGood:
      return "\033[32m";
    case Emphasis::kWarning:
      return "\033[33m";
    case Emphasis::kBad:
      return "\033[31m";
    case Emphasis::kNone:
      break;
  }
  return "";
}

// The widest wrapping column gives way, a column at a time, until the table fits or nothing can give.
std::vector<std::size_t> fit(const Table& table, std::vector<std::size_t> widths, std::size_t limit) {
  std::size_t total = kGap * (widths.size() - 1);
  for (const std::size_t w : widths) total += w;
  while (limit > 0 && total > limit) {
    std::size_t widest = widths.size();
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (table.columns[c].wrap == Wrap::kYes && widths[c] > kLeast &&
          (widest == widths.size() || widths[c] > widths[widest]))
        widest = c;
    }
    if (widest == widths.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

void print_row(std::string& out, const Table& table, const std::vector<Cell>& row,
               const std::vector<std::size_t>& widths, bool color) {
  std::vector<std::vector<std::string>> lines;
  std::size_t height = 1;
  for (std::size_t c = 0; c < row.size(); ++c) {
    const bool wraps = table.columns[c].wrap == Wrap::kYes;
    lines.push_back(wrap_text(wraps ? row[c].text() : one_line(row[c].text()), wraps ? widths[c] : 0));
    height = std::max(height, lines.back().size());
  }
  for (std::size_t l = 0; l < height; ++l) {
    std::string line;
    std::size_t owed = 0;  // blanks that are printed only if something follows
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string text = l < lines[c].size() ? lines[c][l] : "";
      const std::size_t used = display_width(text), blank = widths[c] > used ? widths[c] - used : 0;
      const bool right = table.columns[c].align == Align::kRight;
      if (!text.empty()) {
        const std::string_view start = color ? ansi(row[c].emphasis()) : "";
        line += std::string(owed + (right ? blank : 0), ' ');
        line += fmt::format("{}{}{}", start, text, start.empty() ? "" : "\033[0m");
        owed = (right ? 0 : blank) + kGap;
      } else {
        owed += widths[c] + kGap;
      }
    }
    out += line + "\n";
  }
}

std::string render_text(const Table& table, const RenderOptions& options) {
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) widths.push_back(table.record ? 0 : display_width(column.name));
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (const std::string& line : wrap_text(row[c].text(), 0)) widths[c] = std::max(widths[c], display_width(line));
    }
  }
  widths = fit(table, std::move(widths), options.width);
  std::string out;
  if (!table.record) {
    std::vector<Cell> names, rules;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      names.push_back(Cell(table.columns[c].name).mark(Emphasis::kStrong));
      rules.push_back(Cell(std::string(widths[c], '-')).mark(Emphasis::kFaint));
    }
    print_row(out, table, names, widths, options.color);
    print_row(out, table, rules, widths, options.color);
  }
  for (const auto& row : table.rows) print_row(out, table, row, widths, options.color);
  return out;
}

// --- Markdown, LaTeX

std::string markdown_cell(const Cell& cell) {
  std::string text = replace_all(replace_all(cell.text(), "|", "\\|"), "\n", "<br>");
  return cell.emphasis() == Emphasis::kStrong && !text.empty() ? fmt::format("**{}**", text) : text;
}

std::string render_markdown(const Table& table) {
  std::string head = "|", rule = "|", body;
  for (const Column& column : table.columns) {
    head += fmt::format(" {} |", markdown_cell(Cell(column.name)));
    rule += column.align == Align::kRight ? "---:|" : "---|";
  }
  for (const auto& row : table.rows) {
    body += "|";
    for (const Cell& cell : row) body += fmt::format(" {} |", markdown_cell(cell));
    body += "\n";
  }
  return fmt::format("{}\n{}\n{}", head, rule, body);
}

}  // namespace

std::string latex_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '\n':
        out += ' ';
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return replace_all(replace_all(out, "±", "$\\pm$"), "≈", "$\\approx$");
}

namespace {

std::string render_latex(const Table& table) {  // needs \usepackage{booktabs}
  std::string spec, head, body;
  for (const Column& column : table.columns) {
    head += fmt::format("{}{}", spec.empty() ? "" : " & ", latex_text(column.name));
    spec += column.align == Align::kRight ? 'r' : 'l';
  }
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string text = latex_text(row[c].text());
      body += c == 0 ? "" : " & ";
      body += row[c].emphasis() == Emphasis::kStrong ? fmt::format("\\textbf{{{}}}", text) : text;
    }
    body += " \\\\\n";
  }
  if (!table.record) head += " \\\\\n\\midrule\n";
  return fmt::format("\\begin{{tabular}}{{{}}}\n\\toprule\n{}{}\\bottomrule\n\\end{{tabular}}\n", spec,
                     table.record ? "" : head, body);
}

// --- CSV, JSON

Json to_json(const Cell::Data& data) {
  return std::visit(
      [](const auto& value) -> Json {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else if constexpr (std::is_same_v<T, double>)
          return std::isfinite(value) ? Json(value) : Json(nullptr);
        else
          return value;
      },
      data);
}

std::string csv_cell(const Cell& cell) {
  const Json value = to_json(cell.data());
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return fmt::format("\"{}\"", replace_all(text, "\"", "\"\""));
}

std::string render_csv(const Table& table) {  // RFC 4180, with plain line feeds
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c) out += fmt::format("{}{}", c == 0 ? "" : ",", csv_cell(Cell(table.columns[c].name)));
  out += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) out += fmt::format("{}{}", c == 0 ? "" : ",", csv_cell(row[c]));
    out += "\n";
  }
  return out;
}

// "time span" -> "time_span": keys that programs can write without quotes.
std::string key(const std::string& name) { return replace_all(name, " ", "_"); }

Json table_json(const Table& table) {
  if (table.record) {
    Json out = Json::object();
    for (const auto& row : table.rows) out[key(row[0].text())] = to_json(row[1].data());
    return out;
  }
  Json out = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c) object[key(table.columns[c].name)] = to_json(row[c].data());
    out.push_back(std::move(object));
  }
  return out;
}

// Bytes that are not UTF-8 become U+FFFD: names in data files are what they are.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

TableFormat parse_table_format(const std::string& text) {
  std::vector<std::string> known;
  for (const auto& [name, format] : kFormats) {
    if (text == name) return format;
    known.emplace_back(name);
  }
  throw UsageError("unknown format '{}'{}", text, suggestion(text, known));
}

Cell Cell::fixed(double value, int decimals) {
  if (std::isnan(value)) return Cell("-", Data());
  return Cell(fmt::format("{:.{}f}", value, decimals), value);
}

Cell Cell::general(double value, int digits) {
  if (std::isnan(value)) return Cell("-", Data());
  return Cell(fmt::format("{:.{}g}", value, digits), value);
}

void Table::add(std::vector<Cell> row) {
  SEGUE_CHECK(row.size() == columns.size(), "a row of {} cells in a table of {} columns", row.size(), columns.size());
  rows.push_back(std::move(row));
}

Table record_table() { return {.columns = {{"name"}, {"value", Align::kLeft, Wrap::kYes}}, .record = true}; }

std::string render(const Table& table, TableFormat format, const RenderOptions& options) {
  SEGUE_CHECK(!table.columns.empty() && (!table.record || table.columns.size() == 2), "a table without columns");
  switch (format) {
    case TableFormat::kText:
      return render_text(table, options);
    case TableFormat::kMarkdown:
      return render_markdown(table);
    case TableFormat::kLatex:
      return render_latex(table);
    case TableFormat::kCsv:
      return render_csv(table);
    case TableFormat::kJson:
      break;
  }
  return dump(table_json(table));
}

std::string render(const NamedTables& tables, TableFormat format, const RenderOptions& options) {
  if (format == TableFormat::kJson) {
    Json all = Json::object();
    for (const auto& [name, table] : tables) all[key(name)] = table_json(table);
    return dump(all);
  }
  std::string out;
  for (const auto& [name, table] : tables) {
    if (!out.empty()) out += "\n";
    if (format == TableFormat::kText && !name.empty())
      out += options.color ? fmt::format("\033[1m{}\033[0m\n", name) : name + "\n";
    if (format == TableFormat::kMarkdown) out += fmt::format("### {}\n\n", name);
    if (format == TableFormat::kLatex) out += fmt::format("% {}\n", name);
    out += render(table, format, options);
  }
  return out;
}

}  // namespace segue
