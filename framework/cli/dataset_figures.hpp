// Figures about a data set as loaded, for `segue data info` and `describe`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/data/dataset.hpp"

namespace segue {

// 1234567 -> "1,234,567".
std::string thousands(std::size_t value);

// Number of different (user, item) pairs.
std::size_t distinct_pairs(const Events& events);

struct FacetCoverage {
  std::size_t items = 0;  // that have it
  std::string detail;     // "41 tags, 3,211 pairs"
  std::size_t rows = 0;   // that could have it, where it is about users; 0: it is about items
};
FacetCoverage coverage_of(const Facet& facet);

// Neither events nor users, as data sets of recordings have it.
bool has_only_items(const Dataset& data);
// Of such a data set: "400 recordings, 10 classes, 5 folds; no events".
std::string contents_of(const Dataset& data);

// Counts of something, one a user or one an item.
std::vector<double> events_per_user(const Dataset& data);
std::vector<double> events_per_item(const Dataset& data);
std::vector<double> events_per_session(const Events& events);

// 0: all equal; towards 1: one has everything. Over non-negative values; NaN for none or all zero.
// G = 2 sum(i x_i) / (n sum(x)) - (n + 1) / n, x ascending, i from 1 (Gini 1912, in the form of Damgaard & Weiner
// 2000).
double gini(std::vector<double> values);

}  // namespace segue
