// The best of a stream of rows: what lists of neighbours are cut to.
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

// The best `count` of a stream, by operator<, better first. Keeps up to twice as many as asked for and throws the worse
// half away when full: a few operations an offer, where a heap takes a logarithm. What remains does not depend on the
// order of offers, where no two are equal. Whoever offers knows what a bar is, and keeps what is beyond it away.
template <class Row>
class BestOf {
 public:
  BestOf() = default;
  explicit BestOf(std::size_t count) : count_(count) { found_.reserve(room()); }

  void reset(std::size_t count) { count_ = count, found_.clear(); }
  // True where the worse half was thrown away: from now on nothing behind worst() is among the best.
  bool offer(const Row& row) {
    found_.push_back(row);
    if (found_.size() < room()) return false;
    cut();
    return count_ > 0;
  }
  // Of those that are kept; there is one after an offer() that returned true.
  const Row& worst() const { return *std::max_element(found_.begin(), found_.end()); }
  // The best, best first. Valid until the next call.
  std::span<const Row> sorted() {
    cut();
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  static constexpr std::size_t kSlack = 16;

  std::size_t room() const { return 2 * count_ + kSlack; }
  void cut() {
    if (found_.size() <= count_) return;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::nth_element(found_.begin(), end, found_.end());
    found_.erase(end, found_.end());
  }

  std::size_t count_ = 0;
  std::vector<Row> found_;
};

class BestRows {
 public:
  void reset(std::size_t count) { best_.reset(count), bar_ = 0; }
  // Whatever is below this similarity is not among the best; 0 until there are enough.
  float bar() const { return bar_; }
  // similarity > 0. True where the bar rose.
  bool offer(std::uint32_t row, float similarity, std::uint32_t common) {
    if (similarity < bar_ || !best_.offer(SimilarRow(row, similarity, common))) return false;
    bar_ = best_.worst().similarity();
    return true;
  }
  // The best, best first. Valid until the next reset.
  std::span<const SimilarRow> sorted() { return best_.sorted(); }

 private:
  BestOf<SimilarRow> best_;
  float bar_ = 0;
};

}  // namespace segue
