// The best of a stream of rows: what neighbour lists are cut to.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/hash.hpp"

namespace segue {

struct SimilarRow {
  std::uint64_t key;  // the similarity's bits, which order positive floats, then the number of common columns
  std::uint32_t row;

  SimilarRow(std::uint32_t r, float similarity, std::uint32_t common)
      : key(std::uint64_t{std::bit_cast<std::uint32_t>(similarity)} << 32 | common), row(r) {}
  float similarity() const { return std::bit_cast<float>(static_cast<std::uint32_t>(key >> 32)); }
  // Better comes first: similarity descending, then more common columns, then a hash of the row. No two rows are equal.
  bool operator<(const SimilarRow& other) const {
    if (key != other.key) return key > other.key;
    return mix64(row) < mix64(other.row);
  }
};

// Keeps up to twice as many as asked for and throws the worse half away when full: a few operations an offer, where a
// heap takes a logarithm. What remains does not depend on the order of offers.
class BestRows {
 public:
  void reset(std::size_t count) { count_ = count, found_.clear(), bar_ = 0; }
  // Whatever is below this similarity is not among the best; 0 until there are enough.
  float bar() const { return bar_; }
  // similarity > 0. True where the bar rose.
  bool offer(std::uint32_t row, float similarity, std::uint32_t common) {
    if (similarity < bar_) return false;
    found_.emplace_back(row, similarity, common);
    if (found_.size() < 2 * count_ + kSlack) return false;
    cut();
    bar_ = std::max_element(found_.begin(), found_.end())->similarity();
    return true;
  }
  // The best, best first. Valid until the next reset.
  std::span<const SimilarRow> sorted() {
    cut();
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  static constexpr std::size_t kSlack = 16;

  void cut() {
    if (found_.size() <= count_) return;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::nth_element(found_.begin(), end, found_.end());
    found_.erase(end, found_.end());
  }

  std::size_t count_ = 0;
  std::vector<SimilarRow> found_;
  float bar_ = 0;
};

}  // namespace segue
