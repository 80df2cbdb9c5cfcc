// Inner products of queries with many rows, the scoring kernel of every embedding model.
//
// Each score is one chain of fused multiply-adds over the dimensions in ascending order, whatever the batch: SIMD lanes
// run across rows, never across dimensions. So batch 1, batch n and a list of candidates give the same bits, which
// a general GEMM does not promise. Cost: 2 q n d flop, in register tiles of 12 queries x 32 rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/matrix.hpp"

namespace segue {

// Queries side by side, as tiles read them: groups of at most kGroup, dimension-major inside a group.
class PackedQueries {
 public:
  static constexpr std::size_t kGroup = 12;

  explicit PackedQueries(ConstMatRef<float> queries);

  std::size_t size() const { return size_; }
  std::size_t dims() const { return dims_; }
  std::size_t groups() const { return (size_ + kGroup - 1) / kGroup; }
  // Queries in group g: kGroup but for the last.
  std::size_t count(std::size_t g) const { return g + 1 < groups() ? kGroup : size_ - g * kGroup; }

 private:
  friend class PackedRows;
  std::size_t size_, dims_;
  std::size_t last_width_ = kGroup;  // of the last group: its count or a little more, a tile's size
  std::vector<float> packed_;
};

// Rows copied into panels of kPanel rows, dimension-major inside a panel, zero-padded.
class PackedRows {
 public:
  static constexpr std::size_t kPanel = 32;
  static constexpr std::size_t kNarrow = 4;  // panels that one or two queries are best asked for at once
  using Tile = float[PackedQueries::kGroup][kPanel];

  PackedRows() = default;
  explicit PackedRows(const Matrix<float>& rows);

  std::size_t rows() const { return rows_; }
  std::size_t dims() const { return dims_; }
  std::size_t panels() const { return (rows_ + kPanel - 1) / kPanel; }

  // out(q, r) = <queries(q), row r> + bias[r]; queries: q x dims, out: q x rows, bias: rows or empty.
  void score(ConstMatRef<float> queries, std::span<const float> bias, MatRef<float> out) const;
  // out[i] = <query, row candidates[i]> + bias[...], the same bits as score().
  void score_rows(std::span<const float> query, std::span<const float> bias, std::span<const std::uint32_t> candidates,
                  std::span<float> out) const;
  // out[t][i][l] = the score of query kGroup g + i and row kPanel (p + t) + l, the same bits as score(), for those that
  // exist; what the rest of a tile holds means nothing. For who consumes scores while they are in the first cache.
  void score_tiles(const PackedQueries& queries, std::size_t g, std::span<const float> bias, std::size_t p,
                   std::span<Tile> out) const;

  // A score before its bias, and every partial sum of it, is at most this in magnitude, but for rounding (d 6e-8 of
  // it). Not finite where rows or query are not.
  double bound(std::span<const float> query) const;

 private:
  std::size_t rows_ = 0, dims_ = 0;
  std::vector<float> panels_;
  std::vector<float> largest_;  // magnitude of each dimension over all rows; inf where one is not finite
};

// The same chain of fused multiply-adds for one pair of vectors.
float dot_in_order(std::span<const float> a, std::span<const float> b);

}  // namespace segue
