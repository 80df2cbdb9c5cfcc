#include "framework/data/vocab.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

namespace {

// Plain decimal without sign or leading zero, so that "7" and "07" stay two different ids.
bool is_number(std::string_view s) {
  return !s.empty() && (s.size() == 1 || s[0] != '0') && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Array<std::uint64_t> hash_all(const StringTable& table) {
  std::vector<std::uint64_t> keys(table.size());
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = hash64(table[i]);
  return keys;
}

}  // namespace

bool canonical_less(std::string_view a, std::string_view b) {
  const bool a_number = is_number(a), b_number = is_number(b);
  if (a_number != b_number) return a_number;
  if (a_number && a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

Vocab::Vocab(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end(), [](const std::string& a, const std::string& b) { return canonical_less(a, b); });
  const auto twin = std::adjacent_find(ids.begin(), ids.end());
  SEGUE_CHECK(twin == ids.end(), "id '{}' is listed twice", *twin);
  table_ = StringTable(ids);
  keys_ = hash_all(table_);
}

Vocab::Vocab(StringTable sorted) : table_(std::move(sorted)), keys_(hash_all(table_)) {}

std::optional<std::size_t> Vocab::find(std::string_view id) const {
  std::size_t low = 0, high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (canonical_less(table_[middle], id)) low = middle + 1;
    else high = middle;
  }
  if (low < size() && table_[low] == id) return low;
  return std::nullopt;
}

}  // namespace segue
