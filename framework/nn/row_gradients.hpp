// Gradients of an embedding table: few rows of many, each the sum of what was added for it, in the order of adding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/view.hpp"

namespace segue::nn {

// Scratch for one batch after another. One owner a row: rows are summed here before an optimizer sees them.
template <class T>
class RowGradients {
 public:
  // table_rows: of the embedding table; dims: its columns.
  RowGradients(std::size_t table_rows, std::size_t dims) : dims_(dims), slot_(table_rows, kNone) {}

  // Forgets all rows, at the cost of those that there are.
  void clear() {
    for (const std::uint32_t row : rows_) slot_[row] = kNone;
    rows_.clear();
  }
  // Begins with these rows, each once, whose sums (rows x dims) the caller sets; more may be added for them.
  View<T> begin(std::span<const std::uint32_t> rows) {
    clear();
    rows_.assign(rows.begin(), rows.end());
    for (std::uint32_t i = 0; i < rows_.size(); ++i) slot_[rows_[i]] = i;
    grow(rows_.size());
    return {sums_.data(), rows_.size(), dims_};
  }
  // The sum for a row so far, zero at first; to be added to. Valid until the next call.
  std::span<T> at(std::uint32_t row) {
    std::uint32_t& slot = slot_[row];
    if (slot == kNone) {
      slot = static_cast<std::uint32_t>(rows_.size());
      rows_.push_back(row);
      grow(rows_.size());
      std::fill_n(sums_.data() + slot * dims_, dims_, T(0));
    }
    return {sums_.data() + slot * dims_, dims_};
  }
  void add(std::uint32_t row, std::span<const T> gradient) {
    const std::span<T> sum = at(row);
    for (std::size_t d = 0; d < dims_; ++d) sum[d] += gradient[d];
  }
  // Adds all rows of another, in its order: shards are folded one after the other.
  void add(const RowGradients& other) {
    for (std::size_t i = 0; i < other.size(); ++i) add(other.rows_[i], other.gradient(i));
  }

  std::size_t size() const { return rows_.size(); }
  std::span<const std::uint32_t> rows() const { return rows_; }  // in order of first appearance
  std::span<const T> gradient(std::size_t i) const { return {sums_.data() + i * dims_, dims_}; }
  std::span<T> gradient(std::size_t i) { return {sums_.data() + i * dims_, dims_}; }
  ConstView<T> view() const { return {sums_.data(), rows_.size(), dims_}; }
  std::span<const T> sums() const { return {sums_.data(), rows_.size() * dims_}; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffu;
  void grow(std::size_t rows) {
    if (sums_.size() < rows * dims_) sums_.resize(std::max(rows * dims_, sums_.size() + sums_.size() / 2));
  }
  std::size_t dims_;
  std::vector<std::uint32_t> slot_, rows_;  // slot_: where a row's sum is
  std::vector<T> sums_;                     // of the rows that there are, and room for more
};

}  // namespace segue::nn
