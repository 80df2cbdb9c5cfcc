// How scalars are read and written: the YAML 1.2 core schema, shortest round-trip numbers, quoting.
#pragma once

#include <string>
#include <string_view>

#include "framework/param/value.hpp"

namespace segue {

// Configurations nest a handful of levels; the limit keeps every recursion over a tree far from the end of the stack.
inline constexpr int kMaxDepth = 100;

// The value of an unquoted YAML scalar by the core schema (YAML 1.2.2, section 10.3.2): null, ~ and nothing; true,
// True, TRUE; decimal (010 is ten), 0o17, 0xff; reals, .inf, .nan; else a string (yes, no, on, off are strings).
// UsageError for an integer beyond 64 bits and for a real beyond double.
Value resolve_plain(const std::string& text, const Mark& mark);

std::string format_real(double value);       // shortest text that reads back as the same real: "0.1", "64.0", ".inf"
std::string format_canonical(double value);  // the same, but integral values print as integers: "64", "inf"
double widen(float value);                   // the double of the float's shortest text: 0.1f gives 0.1

std::string quote(std::string_view text);          // "..." with escapes; valid in JSON and in YAML
std::string yaml_string(const std::string& text);  // bare where that reads back as the same string, else quoted

}  // namespace segue
