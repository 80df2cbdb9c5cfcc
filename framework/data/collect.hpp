// What DatasetBuilder collects under temporary numbers, which come in the order of the files, until it puts everything
// into canonical order. No trace of the temporary numbers is left in what is placed.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/data/interner.hpp"
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
  std::uint32_t declare(std::string_view id);
  // Where each number went, once the ids are placed; kAbsent for those that were never declared.
  const std::vector<std::uint32_t>& places() const { return places_; }
  // The numbers in canonical order. Lets go of the texts.
  Vocab place(std::vector<std::uint32_t>& order);

 private:
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
  std::string_view of(std::uint32_t item) const {
    return item < sizes_.size() ? std::string_view(bytes_.data() + begins_[item], sizes_[item]) : std::string_view();
  }
  std::vector<char> bytes_;
  std::vector<std::uint64_t> begins_;
  std::vector<std::uint32_t> sizes_;
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
  std::vector<std::uint32_t> of_;
};

}  // namespace segue
