#include "framework/cli/checks.hpp"

#include <algorithm>

#include "framework/cli/commands.hpp"

namespace segue {

namespace {

Cell verdict_cell(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return Cell("ok").mark(Emphasis::kGood);
    case Verdict::kNote:
      return Cell("note");
    case Verdict::kWarning:
      return Cell("warn").mark(Emphasis::kWarning);
    case Verdict::kFail:
      break;
  }
  return Cell("fail").mark(Emphasis::kBad);
}

}  // namespace

void show_checks(const std::vector<Check>& checks, TableFormat format) {
  if (format != TableFormat::kText) {
    Table table{.columns = {{"verdict"}, {"check"}, {"found"}, {"remedy"}}};
    for (const Check& check : checks) table.add({verdict_cell(check.verdict), check.what, check.found, check.remedy});
    show(table, format);
    return;
  }
  Table table{.columns = {{"verdict"}, {"check"}, {"found", Align::kLeft, Wrap::kYes}}};
  for (const Check& check : checks) {
    const std::string remedy = check.remedy.empty() ? "" : "\n-> " + check.remedy;
    table.add({verdict_cell(check.verdict), check.what, check.found + remedy});
  }
  show(table, format);
}

std::size_t count(const std::vector<Check>& checks, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(checks.begin(), checks.end(), [&](const Check& c) { return c.verdict == verdict; }));
}

}  // namespace segue
