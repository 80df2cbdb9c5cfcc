// An algorithm as the parameters of another one name it, in the spelling of a suite's list of algorithms:
//
//   two_stage: {retrievers: [tfidf, implicit_als: {factors: 32}]}
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/param/value.hpp"

namespace segue {

struct AlgorithmSpec {
  std::string name;
  Value params = Value::map();

  AlgorithmSpec() = default;
  AlgorithmSpec(std::string algorithm) : name(std::move(algorithm)) {}  // with its defaults
  AlgorithmSpec(const char* algorithm) : name(algorithm) {}

  // Of a name, or of a map whose only key is the name and whose value is the parameters. UsageError with
  // file:line:column, whose beginning says what the algorithm is for.
  static AlgorithmSpec parse(const Value& value, const std::string& head);
  // The shortest spelling: equal specs, equal values.
  Value to_value() const;
};

}  // namespace segue
