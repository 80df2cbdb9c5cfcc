// Inner products of queries with many rows, the scoring kernel of every embedding model.
//
// Each score is one chain of fused multiply-adds over the dimensions in ascending order, whatever the batch: SIMD lanes
// run across rows, never across dimensions. So batch 1, batch n and a list of candidates give the same bits, which
// a general GEMM does not promise. Cost: 2 q n d flop; the panel layout streams rows once for every 8 queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/matrix.hpp"

namespace segue {

// Rows copied into panels of kPanel rows, dimension-major inside a panel, zero-padded.
class PackedRows {
 public:
  static constexpr std::size_t kPanel = 32;

  PackedRows() = default;
  explicit PackedRows(const Matrix<float>& rows);

  std::size_t rows() const { return rows_; }
  std::size_t dims() const { return dims_; }

  // out(q, r) = <queries(q), row r> + bias[r]; queries: q x dims, out: q x rows, bias: rows or empty.
  void score(ConstMatRef<float> queries, std::span<const float> bias, MatRef<float> out) const;
  // out[i] = <query, row candidates[i]> + bias[...], the same bits as score().
  void score_rows(std::span<const float> query, std::span<const float> bias, std::span<const std::uint32_t> candidates,
                  std::span<float> out) const;

 private:
  std::size_t rows_ = 0, dims_ = 0;
  std::vector<float> panels_;
};

// The same chain of fused multiply-adds for one pair of vectors.
float dot_in_order(std::span<const float> a, std::span<const float> b);

}  // namespace segue
