// Compressed sparse rows over shared arrays. Index is the strong type of a column (ItemIdx for rows of users).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/ids.hpp"

namespace segue {

template <class Index>
class Csr {
 public:
  Csr() : offsets_(std::vector<std::uint64_t>{0}) {}
  // offsets: rows + 1, ascending; indices ascending within a row; values as long as indices, or empty for all ones.
  Csr(std::size_t cols, Array<std::uint64_t> offsets, Array<Index> indices, Array<float> values)
      : cols_(cols), offsets_(std::move(offsets)), indices_(std::move(indices)), values_(std::move(values)) {
    SEGUE_CHECK(!offsets_.empty() && offsets_.back() == indices_.size(), "CSR offsets do not end at the last entry");
    SEGUE_CHECK(values_.empty() || values_.size() == indices_.size(), "CSR values and indices differ in length");
  }

  std::size_t rows() const { return offsets_.size() - 1; }
  std::size_t cols() const { return cols_; }
  std::size_t nnz() const { return indices_.size(); }
  std::size_t row_size(std::size_t row) const { return offsets_[row + 1] - offsets_[row]; }
  std::span<const Index> indices(std::size_t row) const { return indices_.slice(offsets_[row], offsets_[row + 1]); }
  std::span<const float> values(std::size_t row) const { return values_.slice(offsets_[row], offsets_[row + 1]); }
  bool has_values() const { return !values_.empty() || indices_.empty(); }

  const Array<std::uint64_t>& offsets() const { return offsets_; }
  const Array<Index>& all_indices() const { return indices_; }
  const Array<float>& all_values() const { return values_; }

  // Rows become columns; entries of a new row keep the order of the old rows (counting sort, stable).
  template <class RowIndex>
  Csr<RowIndex> transposed() const {
    std::vector<std::uint64_t> offsets(cols_ + 1, 0);
    for (Index i : indices_) ++offsets[static_cast<std::size_t>(i) + 1];
    for (std::size_t c = 0; c < cols_; ++c) offsets[c + 1] += offsets[c];
    std::vector<std::uint64_t> next(offsets.begin(), offsets.end() - 1);
    std::vector<RowIndex> out(nnz());
    std::vector<float> out_values(values_.empty() ? 0 : nnz());
    for (std::size_t r = 0; r < rows(); ++r) {
      for (std::uint64_t p = offsets_[r]; p < offsets_[r + 1]; ++p) {
        const std::uint64_t to = next[static_cast<std::size_t>(indices_[p])]++;
        out[to] = static_cast<RowIndex>(r);
        if (!values_.empty()) out_values[to] = values_[p];
      }
    }
    return Csr<RowIndex>(rows(), std::move(offsets), std::move(out), std::move(out_values));
  }

 private:
  std::size_t cols_ = 0;
  Array<std::uint64_t> offsets_;
  Array<Index> indices_;
  Array<float> values_;
};

}  // namespace segue
