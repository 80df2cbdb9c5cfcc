// Side data of users: facets (facets.hpp) with a row a user.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/data/collect.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/interner.hpp"

namespace segue {

// What a user is called, where that says something: a playlist's title. Empty where unknown. It is known of every user,
// also of those whom a split holds out whole.
struct UserText : Facet {
  static constexpr std::string_view kName = "user_text";
  std::string_view name() const override { return kName; }
  StringTable titles;  // one a user
};

// Collects titles while a loader reads, for the users that the data set turns out to have.
class UserTitles {
 public:
  // Of several titles of a user the first by bytes stands; an empty one says nothing.
  void set(std::string_view user, std::string_view title);
  // Adds the facet where any user of the data set has a title.
  void place(Dataset& dataset) const;

 private:
  Interner users_;
  ItemTexts titles_;  // by the number of the user
};

}  // namespace segue
