// External ids of users or items in their canonical order: decimal numbers first, by value, then text by bytes. The
// order depends on the set of ids alone, so shuffling the rows of an input file changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/string_table.hpp"

namespace segue {

// True when a stands before b in the canonical order of external ids.
bool canonical_less(std::string_view a, std::string_view b);

class Vocab {
 public:
  Vocab() = default;
  // ids: distinct, in any order.
  explicit Vocab(std::vector<std::string> ids);
  // A table already in canonical order (from a snapshot).
  explicit Vocab(StringTable sorted);

  std::size_t size() const { return table_.size(); }
  std::string_view operator[](std::size_t i) const { return table_[i]; }
  // Position of an external id; binary search.
  std::optional<std::size_t> find(std::string_view id) const;
  // hash64 of each external id: the key of tie_order().
  const Array<std::uint64_t>& keys() const { return keys_; }
  const StringTable& table() const { return table_; }

 private:
  StringTable table_;
  Array<std::uint64_t> keys_;
};

}  // namespace segue
