#include "framework/report/table_markup.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/report/html.hpp"

namespace segue {

namespace {

std::string trimmed(std::string text) {
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string markdown_cell(const Cell& cell) {
  const std::string text = replace_all(replace_all(trimmed(cell.text()), "|", "\\|"), "\n", "<br>");
  return cell.emphasis() == Emphasis::kStrong && !text.empty() ? fmt::format("**{}**", text) : text;
}

// What T1 and OT1 fonts lack or have at another place.
constexpr std::array<std::pair<const char*, const char*>, 12> kSigns{{{"±", "$\\pm$"},
                                                                      {"≈", "$\\approx$"},
                                                                      {"≤", "$\\leq$"},
                                                                      {"≥", "$\\geq$"},
                                                                      {"×", "$\\times$"},
                                                                      {"−", "$-$"},
                                                                      {"–", "--"},
                                                                      {"—", "---"},
                                                                      {"…", "\\ldots{}"},
                                                                      {"·", "$\\cdot$"},
                                                                      {"→", "$\\rightarrow$"},
                                                                      {"µ", "$\\mu$"}}};

bool is_number(const Cell& cell) {
  return std::holds_alternative<double>(cell.data()) || std::holds_alternative<std::int64_t>(cell.data());
}

std::string latex_cell(const Cell& cell) {
  std::string text = trimmed(cell.text());
  // A mark behind a figure takes no room, so that digits stand below each other.
  constexpr std::string_view kMark = "≈";
  const bool marked = text.ends_with(kMark);
  if (marked) text.resize(text.size() - kMark.size());
  const bool negative = is_number(cell) && text.starts_with('-') && text.size() > 1;
  text = negative ? "$-$" + latex_text(text.substr(1)) : latex_text(text);
  if (cell.emphasis() == Emphasis::kStrong && !text.empty()) text = fmt::format("\\textbf{{{}}}", text);
  return text + (marked ? "\\rlap{$\\approx$}" : "");
}

std::string html_cell(const Cell& cell) {
  std::string text = replace_all(html_text(trimmed(cell.text())), "\n", "<br>");
  return cell.emphasis() == Emphasis::kStrong && !text.empty() ? fmt::format("<strong>{}</strong>", text) : text;
}

}  // namespace

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string full_number(const Cell& cell) {
  if (const auto* value = std::get_if<double>(&cell.data()))
    return std::isfinite(*value) ? nlohmann::json(*value).dump() : "";
  if (const auto* value = std::get_if<std::int64_t>(&cell.data())) return std::to_string(*value);
  return "";
}

std::string latex_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "$\\sim$";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '|':
        out += "\\textbar{}";
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
  for (const auto& [sign, command] : kSigns) out = replace_all(std::move(out), sign, command);
  return out;
}

std::string markdown_table(const Table& table) {
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

std::string latex_table(const Table& table, const std::string& caption) {
  std::string spec, head, body;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    spec += table.columns[c].align == Align::kRight ? 'r' : 'l';
    head += (c == 0 ? "" : " & ") + latex_text(table.columns[c].name);
  }
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) body += (c == 0 ? "" : " & ") + latex_cell(row[c]);
    body += " \\\\\n";
  }
  return fmt::format("{}\\begin{{tabular}}{{{}}}\n\\toprule\n{}{}\\bottomrule\n\\end{{tabular}}\n",
                     caption.empty() ? "" : fmt::format("% {}\n", replace_all(caption, "\n", "\n% ")), spec,
                     table.record ? "" : head + " \\\\\n\\midrule\n", body);
}

std::string html_table(const Table& table, const std::string& caption) {
  std::string out = "<table>\n";
  if (!caption.empty()) out += fmt::format("<caption>{}</caption>\n", replace_all(html_text(caption), "\n", "<br>\n"));
  if (!table.record) {
    out += "<thead>\n<tr>";
    for (const Column& column : table.columns) out += fmt::format("<th scope=\"col\">{}</th>", html_text(column.name));
    out += "</tr>\n</thead>\n";
  }
  out += "<tbody>\n";
  // The name of a row is the last of the columns that say what it is: a leaderboard's is behind its places.
  const std::size_t name = table.record ? 0 : table.keys > 0 ? table.keys - 1 : table.columns.size();
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string number = full_number(row[c]);
      out += fmt::format("<{0}{1}{2}>{3}</{0}>", c == name ? "th" : "td", c == name ? " scope=\"row\"" : "",
                         number.empty() ? "" : fmt::format(" data-value=\"{}\"", number), html_cell(row[c]));
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

}  // namespace segue
