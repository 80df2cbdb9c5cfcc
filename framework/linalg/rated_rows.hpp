// Sparse ratings in the arrays that gathering kernels read, whichever side (users or items) the rows are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/csr.hpp"

namespace segue {

struct RatedRows {
  std::vector<std::uint64_t> offsets;  // rows + 1
  std::vector<std::uint32_t> columns;  // rows of the other side
  std::vector<float> values;           // standardised ratings
  std::size_t others = 0;              // rows of the other side

  std::size_t rows() const { return offsets.size() - 1; }
  std::size_t count(std::size_t row) const { return offsets[row + 1] - offsets[row]; }
  std::span<const std::uint32_t> columns_of(std::size_t row) const {
    return {columns.data() + offsets[row], count(row)};
  }
  std::span<const float> values_of(std::size_t row) const { return {values.data() + offsets[row], count(row)}; }
};

// (rating - mean) / deviation; a rating is 1 where the matrix has no values.
template <class Index>
RatedRows rated_rows(const Csr<Index>& ratings, double mean, double deviation) {
  RatedRows out;
  out.offsets.assign(ratings.offsets().begin(), ratings.offsets().end());
  out.columns.reserve(ratings.nnz());
  for (Index i : ratings.all_indices()) out.columns.push_back(static_cast<std::uint32_t>(i));
  out.values.reserve(ratings.nnz());
  for (std::size_t n = 0; n < ratings.nnz(); ++n) {
    const double rating = ratings.has_values() ? static_cast<double>(ratings.all_values()[n]) : 1;
    out.values.push_back(static_cast<float>((rating - mean) / deviation));
  }
  out.others = ratings.cols();
  return out;
}

}  // namespace segue
