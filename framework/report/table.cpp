#include "framework/report/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/report/table_markup.hpp"
#include "framework/report/text.hpp"

namespace segue {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, TableFormat>, 6> kFormats{{{"table", TableFormat::kText},
                                                                       {"md", TableFormat::kMarkdown},
                                                                       {"csv", TableFormat::kCsv},
                                                                       {"json", TableFormat::kJson},
                                                                       {"latex", TableFormat::kLatex},
                                                                       {"html", TableFormat::kHtml}}};
constexpr std::size_t kGap = 2;     // blanks between columns
constexpr std::size_t kLeast = 12;  // a wrapping column is not made narrower

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

std::size_t total_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
}

// The widest wrapping column gives way, a column at a time, until the table fits or nothing can give.
std::vector<std::size_t> fit(const Table& table, std::vector<std::size_t> widths, std::size_t limit) {
  std::size_t total = total_width(widths);
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
    line.resize(line.find_last_not_of(' ') + 1);  // a figure may end in the blank of a mark that others have
    out += line + "\n";
  }
}

std::string print_rows(const Table& table, const std::vector<std::size_t>& widths, bool color) {
  std::string out;
  if (!table.record) {
    std::vector<Cell> names, rules;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      names.push_back(Cell(table.columns[c].name).mark(Emphasis::kStrong));
      rules.push_back(Cell(std::string(widths[c], '-')).mark(Emphasis::kFaint));
    }
    print_row(out, table, names, widths, color);
    print_row(out, table, rules, widths, color);
  }
  for (const auto& row : table.rows) print_row(out, table, row, widths, color);
  return out;
}

Table some_columns(const Table& table, const std::vector<std::size_t>& chosen) {
  Table out;
  for (const std::size_t c : chosen) out.columns.push_back(table.columns[c]);
  for (const auto& row : table.rows) {
    auto& cells = out.rows.emplace_back();
    for (const std::size_t c : chosen) cells.push_back(row[c]);
  }
  return out;
}

std::string render_text(const Table& table, const RenderOptions& options) {
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) widths.push_back(table.record ? 0 : display_width(column.name));
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (const std::string& line : wrap_text(row[c].text(), 0)) widths[c] = std::max(widths[c], display_width(line));
    }
  }
  const std::vector<std::size_t> fitted = fit(table, widths, options.width);
  if (options.width == 0 || total_width(fitted) <= options.width || table.keys == 0 || table.keys >= widths.size())
    return print_rows(table, fitted, options.color);
  // As many columns as find room beside the keys, then the next ones.
  std::string out;
  for (std::size_t next = table.keys; next < widths.size();) {
    std::vector<std::size_t> chosen(table.keys);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    std::vector<std::size_t> room(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(table.keys));
    for (; next < widths.size(); ++next) {
      room.push_back(widths[next]);
      if (chosen.size() > table.keys && total_width(room) > options.width) break;
      chosen.push_back(next);
    }
    room.resize(chosen.size());
    const Table part = some_columns(table, chosen);
    out += (out.empty() ? "" : "\n") + print_rows(part, fit(part, room, options.width), options.color);
  }
  return out;
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
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += fmt::format("{}{}", c == 0 ? "" : ",", csv_cell(Cell(table.columns[c].name)));
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

Table stack(const std::vector<TablePart>& parts) {
  Table out;
  std::vector<std::string> names;  // of the columns behind the keys
  for (const TablePart& part : parts) {
    if (out.columns.empty())
      for (const auto& [name, cell] : part.keys) out.columns.push_back({name});
    SEGUE_CHECK(part.keys.size() == parts.front().keys.size(), "parts with different keys");
    for (const Column& column : part.table.columns) {
      if (std::find(names.begin(), names.end(), column.name) != names.end()) continue;
      names.push_back(column.name);
      out.columns.push_back(column);
    }
  }
  for (const TablePart& part : parts) {
    for (const auto& row : part.table.rows) {
      std::vector<Cell> cells(part.keys.size() + names.size(), Cell("-", Cell::Data{}));
      for (std::size_t k = 0; k < part.keys.size(); ++k) cells[k] = part.keys[k].second;
      for (std::size_t c = 0; c < row.size(); ++c) {
        const auto at = std::find(names.begin(), names.end(), part.table.columns[c].name) - names.begin();
        cells[part.keys.size() + static_cast<std::size_t>(at)] = row[c];
      }
      out.add(std::move(cells));
    }
  }
  return out;
}

int decimals_for(double largest) { return largest < 10 ? 4 : largest < 100 ? 3 : 1; }

Table record_table() { return {.columns = {{"name"}, {"value", Align::kLeft, Wrap::kYes}}, .record = true}; }

std::string render(const Table& table, TableFormat format, const RenderOptions& options) {
  SEGUE_CHECK(!table.columns.empty() && (!table.record || table.columns.size() == 2), "a table without columns");
  switch (format) {
    case TableFormat::kText:
      return render_text(table, options);
    case TableFormat::kMarkdown:
      return markdown_table(table);
    case TableFormat::kLatex:
      return latex_table(table, options.caption);
    case TableFormat::kHtml:
      return html_table(table, options.caption);
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
    RenderOptions named = options;
    if (!name.empty()) named.caption = name;
    out += render(table, format, named);
  }
  return out;
}

}  // namespace segue
