// One table, many formats: what every listing and leaderboard prints.
//
//   Table table({{"name"}, {"users", Align::kRight}, {"licence", Align::kLeft, Wrap::kYes}});
//   table.add({"demo", 500, "free"});
//   fmt::print("{}", render(table, TableFormat::kText, {.width = terminal_width(1), .color = use_color(1)}));
//
// A cell has a text for people and a value for machines: text, Markdown, LaTeX and HTML show the text, CSV and JSON the
// value, so that nothing is rounded before a program reads it. HTML has the value of a number too, as data-value.
// Blanks in names become underscores in JSON keys.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace segue {

enum class TableFormat { kText, kMarkdown, kCsv, kJson, kLatex, kHtml };
// "table", "md", "csv", "json", "latex", "html"; UsageError with a suggestion otherwise.
TableFormat parse_table_format(const std::string& text);
inline constexpr const char* kTableFormats = "table|md|csv|json|latex|html";
// Whether programs read it: every value in full, and nothing that explains it beside it.
inline bool for_programs(TableFormat format) { return format == TableFormat::kCsv || format == TableFormat::kJson; }

enum class Align { kLeft, kRight };
enum class Wrap { kNo, kYes };  // whether the column may become narrower than its text to fit a terminal

// What to make of a cell beyond its text; shown where the format can (bold, or colour on a terminal).
enum class Emphasis { kNone, kStrong, kFaint, kGood, kWarning, kBad };

class Cell {
 public:
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

  Cell() = default;                                                // empty text, null
  Cell(std::string text) : text_(text), data_(std::move(text)) {}  // NOLINT: a text is a cell
  Cell(std::string_view text) : Cell(std::string(text)) {}         // NOLINT
  Cell(const char* text) : Cell(std::string(text)) {}              // NOLINT
  Cell(bool value) : text_(value ? "yes" : "no"), data_(value) {}  // NOLINT
  template <std::integral T>
  Cell(T value) : Cell(static_cast<std::int64_t>(value)) {}                 // NOLINT
  Cell(std::int64_t value) : text_(std::to_string(value)), data_(value) {}  // NOLINT
  // A value of its own under a text for people: Cell("1.5 MiB", 1572864).
  template <std::integral T>
  Cell(std::string text, T value) : text_(std::move(text)), data_(static_cast<std::int64_t>(value)) {}
  Cell(std::string text, double value) : text_(std::move(text)), data_(value) {}
  Cell(std::string text, Data data) : text_(std::move(text)), data_(std::move(data)) {}

  // "0.1235" for 0.12345678 and 4 decimals; NaN is "-" for people and null for programs.
  static Cell fixed(double value, int decimals);
  // At most `digits` significant digits.
  static Cell general(double value, int digits = 4);

  Cell& mark(Emphasis emphasis) & {
    emphasis_ = emphasis;
    return *this;
  }
  Cell mark(Emphasis emphasis) && {
    emphasis_ = emphasis;
    return std::move(*this);
  }

  const std::string& text() const { return text_; }
  const Data& data() const { return data_; }
  Emphasis emphasis() const { return emphasis_; }

 private:
  std::string text_;
  Data data_;
  Emphasis emphasis_ = Emphasis::kNone;
};

struct Column {
  std::string name;
  Align align = Align::kLeft;
  Wrap wrap = Wrap::kNo;
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows{};
  // One thing and its facts, a row a fact (name, value): text has no header, and JSON is one object instead of a list.
  bool record = false;
  // How many leading columns say what a row is. In a text that is wider than asked the columns that find no room follow
  // below, beside these again; 0: it stays too wide.
  std::size_t keys = 0;

  // LogicError where the row is not as long as the columns.
  void add(std::vector<Cell> row);
};

// A record to add() facts to.
Table record_table();

// Several tables as one, for programs: in front of each row what its part is (the same names in all parts), then every
// column that some part has, empty where a row's part lacks it.
struct TablePart {
  std::vector<std::pair<std::string, Cell>> keys;
  Table table;
};
Table stack(const std::vector<TablePart>& parts);

// Decimals for figures of which `largest` is the largest: four for what lies between 0 and 1, so that figures of a
// column have their points below each other and no digits that nobody can believe.
int decimals_for(double largest);

struct RenderOptions {
  std::size_t width = 0;  // columns that text may take; 0: no limit
  bool color = false;     // ANSI sequences for emphasis, in text only
  std::string caption{};  // of HTML; a comment in LaTeX
};

// Ends with a line break. Nothing is ever cut off. LaTeX needs \\usepackage{booktabs}.
std::string render(const Table& table, TableFormat format, const RenderOptions& options = {});

// As LaTeX prints it: what it would read as a command is escaped, and the signs that figures use are mathematics.
std::string latex_text(const std::string& text);

// Several tables under headings (captions); JSON: one object with a key a table.
using NamedTables = std::vector<std::pair<std::string, Table>>;
std::string render(const NamedTables& tables, TableFormat format, const RenderOptions& options = {});

}  // namespace segue
