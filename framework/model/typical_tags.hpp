// What a few items have in common: the tags that stand out among them against the catalogue.
//
// A tag counts, in a set of items, the sum of its weights in them, each divided by the largest weight of its item: what
// is an item's main tag counts 1. With y_t the count of tag t in the set, n the sum of all, c_t and C those of the
// catalogue, the measure is the log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi & Quinn 2008,
// "Fightin' words: lexical feature selection and evaluation for identifying the content of political conflict",
// Political Analysis 16(4), in standard errors (their equations 16, 20 and 22):
//   delta_t = log((y_t + a_t) / (n + a - y_t - a_t)) - log((c_t + a_t) / (C + a - c_t - a_t))
//   z_t     = delta_t / sqrt(1 / (y_t + a_t) + 1 / (c_t + a_t))
// The prior is the catalogue, a_t = a c_t / C, and weighs as much as the set: a = n.
#pragma once

#include <span>
#include <vector>

#include "framework/data/facets.hpp"

namespace segue {

struct TypicalTag {
  TermIdx tag{};
  std::size_t items = 0;  // of the set, that have it; each counts once
  double z = 0;
};

class TagCatalogue {
 public:
  // `tags` must outlive this object.
  explicit TagCatalogue(const ItemTags& tags);
  // At most `most` tags with z > 1.645 (5 %, one-sided), the largest first. A tag needs five items of the catalogue to
  // speak, and two of the set where that has several. An item that stands twice counts twice
  // in y_t and n, and is one item.
  std::vector<TypicalTag> typical(std::span<const ItemIdx> items, std::size_t most) const;

 private:
  const ItemTags& tags_;
  std::vector<double> count_;  // c_t
  std::vector<std::size_t> items_;
  double total_ = 0;  // C
};

}  // namespace segue
