// What DatasetBuilder collects under temporary numbers, which come in the order of the files, until it puts everything
// into canonical order. No trace of the temporary numbers is left in what is placed.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/page_vector.hpp"
#include "framework/data/string_table.hpp"
#include "framework/data/vocab.hpp"

namespace segue {

// Numbers of these texts in canonical order.
std::vector<std::uint32_t> canonical_order(const Interner& texts, std::vector<std::uint32_t> numbers);
// The texts of these numbers, one after the other.
StringTable table_of(const Interner& texts, const std::vector<std::uint32_t>& numbers);

// Ids, of which only those declared enter the vocabulary; others are mentioned by facts that may come to nothing.
class Ids {
 public:
  static constexpr std::uint32_t kAbsent = Interner::kNone;

  std::uint32_t mention(std::string_view id);
  std::uint32_t declare(std::string_view id) { return declared(mention(id)); }
  // The same of an id that will be asked for in a moment (see Interner).
  void fetch_slot(std::uint32_t hash) const { texts_.fetch_slot(hash); }
  void fetch_text(std::uint32_t hash) const { texts_.fetch_text(hash); }
  std::uint32_t declare(std::string_view id, std::uint32_t hash) { return declared(known(texts_.intern(id, hash))); }
  // Where each number went, once the ids are placed; kAbsent for those that were never declared.
  const std::vector<std::uint32_t>& places() const { return places_; }
  // The numbers in canonical order. Lets go of the texts.
  Vocab place(std::vector<std::uint32_t>& order);

 private:
  std::uint32_t declared(std::uint32_t number) {
    present_[number] = true;
    return number;
  }
  std::uint32_t known(std::uint32_t number) {
    if (number >= present_.size()) present_.resize(number + 1, false);
    return number;
  }
  Interner texts_;
  std::vector<bool> present_;
  std::vector<std::uint32_t> places_;
  std::uint32_t last_ = kAbsent;  // rows of a file tend to name the same user again
};

// One text an item, most of them different. Where a file gives several, the first by bytes stands, whichever came
// first.
class ItemTexts {
 public:
  void set(std::uint32_t item, std::string_view text);
  bool any_of(const std::vector<std::uint32_t>& order) const;
  StringTable placed(const std::vector<std::uint32_t>& order) const;  // in item order

 private:
  static constexpr unsigned kSizeBits = 24;
  std::string_view of(std::uint32_t item) const {
    const std::uint64_t at = item < at_.size() ? at_[item] : 0;
    return {bytes_.data() + (at >> kSizeBits), static_cast<std::size_t>(at & ((1u << kSizeBits) - 1))};
  }
  PageVector<char> bytes_;
  PageVector<std::uint64_t> at_;  // where an item's text begins, and its size in the lowest bits; 0: none
};

// The same for names that many items share.
class ItemNames {
 public:
  void set(std::uint32_t item, std::string_view name);
  bool any_of(const std::vector<std::uint32_t>& order) const;
  // The names in canonical order, and of each item the number of its own, `none` where it has none.
  std::pair<Array<std::uint32_t>, StringTable> placed(const std::vector<std::uint32_t>& order,
                                                      std::uint32_t none) const;

 private:
  std::uint32_t of(std::uint32_t item) const { return item < of_.size() ? of_[item] : Interner::kNone; }
  Interner names_;
  PageVector<std::uint32_t> of_;
};

// Titles and artists for a data set whose item ids say them, so that nothing has to be kept of each line that names
// them. of: title and artist of an id, empty where unknown.
using NamesOfId = std::function<std::pair<std::string_view, std::string_view>(std::string_view id)>;
void add_item_names(Dataset& dataset, const NamesOfId& of);

}  // namespace segue
