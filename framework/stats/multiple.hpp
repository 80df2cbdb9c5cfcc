// p-values adjusted for how many hypotheses are tested at once: reject where the adjusted value is at most alpha.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace segue::stats {

enum class Adjustment {
  kNone,
  kBonferroni,         // any dependence; family-wise error
  kHolm,               // the same promise, never weaker (Holm 1979)
  kBenjaminiHochberg,  // false discovery rate, for independent or positively dependent tests (Benjamini & Hochberg
                       // 1995)
};
std::string_view adjustment_name(Adjustment adjustment);  // "none", "bonferroni", "holm", "bh"
Adjustment adjustment(std::string_view name);             // UsageError where there is no such name

// In the order of the input, each at least its p and at most 1; a smaller p never gets a larger value. p outside [0, 1]
// is a LogicError.
std::vector<double> adjusted(std::span<const double> p, Adjustment adjustment);

}  // namespace segue::stats
