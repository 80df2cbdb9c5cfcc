// A list given where a parameter takes one value is a grid.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/param/value.hpp"

namespace segue {

// Every combination, the first key slowest, each with the text of what varies ("factors=32,reg=0.01"; empty where
// nothing does). `params` is a map or null. The parameters in `list_fields` are lists themselves: they vary only where
// every item is a list. UsageError for an empty grid, a list field that mixes lists with single values, and
// more than 100,000 combinations.
std::vector<std::pair<Value, std::string>> expand_grid(const Value& params,
                                                       const std::vector<std::string>& list_fields);

}  // namespace segue
