// A list of checks with a verdict each: what `segue doctor` and `segue data check` print.
#pragma once

#include <string>
#include <vector>

#include "framework/report/table.hpp"

namespace segue {

enum class Verdict { kOk, kNote, kWarning, kFail };

struct Check {
  Verdict verdict = Verdict::kOk;
  std::string what;    // "gnuplot"
  std::string found;   // "5.4 with pngcairo, pdfcairo, svg"
  std::string remedy;  // what to do about it; empty when ok
};

// One row a check, remedies beneath what they belong to.
void show_checks(const std::vector<Check>& checks, TableFormat format);
std::size_t count(const std::vector<Check>& checks, Verdict verdict);

}  // namespace segue
