// What a tuner may try: the `.search` declarations of a schema, without what the person has fixed, with what they have
// declared otherwise. Each dimension maps the unit interval onto its values, so that strategies need to know numbers
// alone.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/param/schema.hpp"
#include "framework/param/value.hpp"

namespace segue {

struct Dimension {
  std::string name;
  SearchScale scale = SearchScale::kLinear;  // with low and high (inclusive), unless there are choices
  double low = 0;
  double high = 0;
  bool integer = false;
  int steps = 0;               // points of a grid on an interval; 0: not given
  std::vector<Value> choices;  // distinct
  Mark mark;                   // where it was declared; the schema's have none

  bool is_choice() const { return !choices.empty(); }
  // Number of distinct values; nullopt for an interval of reals.
  std::optional<std::size_t> size() const;
  // The value at `u` of [0, 1]. Uniform u gives choices, powers of two and integers on a linear scale with equal
  // probabilities, reals with uniform density on their scale, and an integer k on a log scale with probability
  // proportional to log((k + 1) / k). Reals are rounded to four significant digits, which is finer than any model
  // feels.
  Value value(double u) const;
  // What a grid tries: all choices, all powers of two, or `steps` values at equal distances on the scale, ends
  // included. UsageError where an interval has no steps.
  std::vector<Value> grid(std::string_view what) const;
  std::string text() const;  // "log [0.001, 10]", "[32, 64]"
};

// "factors=64, reg=0.1"
std::string settings_text(const Value& settings);

class SearchSpace {
 public:
  SearchSpace() = default;
  explicit SearchSpace(std::vector<Dimension> dimensions) : dimensions_(std::move(dimensions)) {}
  // Of the schema's parameters in their order. `fixed` (a map or null) are parameters that are given and so not
  // searched; `declared` (a map or null) replaces or adds dimensions: {reg: {log: [1e-3, 10]}, factors: [32, 64],
  // epochs: {linear: [5, 50], steps: 10}}. `what` ends the sentence of an error ("algorithm 'implicit_als'").
  // UsageError with file:line:column where a name is unknown, given twice, or its values break the schema. May be
  // empty.
  SearchSpace(const AnySchema& schema, const Value& fixed, const Value& declared, std::string_view what);

  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  bool empty() const { return dimensions_.empty(); }
  // Number of distinct settings; nullopt for a continuum, and beyond a million.
  std::optional<std::size_t> size() const;
  // One coordinate of [0, 1] a dimension -> {name: value}.
  Value settings(std::span<const double> point) const;
  // Without the dimension of that name.
  SearchSpace without(std::string_view name) const;

  // For a suite's JSON Schema: what `declared` may hold.
  static std::string json_schema(const AnySchema& schema);

 private:
  std::vector<Dimension> dimensions_;
};

}  // namespace segue
