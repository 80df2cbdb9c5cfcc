// The register tiles that gram.cpp and spd_solve.cpp are made of: c +-= x^T y over rows of x and y.
//
// Each element of c is one chain of fused multiply-adds in ascending row order, whatever the tile's shape, so the bits
// are the same on every instruction set and however the rows are cut into calls.
#pragma once

#include <cstddef>

#include "framework/linalg/simd.hpp"

namespace segue {

enum class Fold { kAdd, kSubtract };

// c(i, j) +-= sum over r < count of x[r][i] y[r][j], i < R, j < 16 V. c and the rows (of x and y alike) have their own
// strides.
template <Fold kFold, std::size_t R, std::size_t V>
void fold_tile(float* c, std::size_t c_stride, const float* x, const float* y, std::size_t stride, std::size_t count) {
  constexpr std::size_t kLanes = Lanes::kCount;
  Lanes acc[R][V];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) acc[i][v] = Lanes::load(c + i * c_stride + v * kLanes);
  for (std::size_t r = 0; r < count; ++r, x += stride, y += stride) {
    Lanes b[V];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) b[v] = Lanes::load(y + v * kLanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < R; ++i) {
      const Lanes a = Lanes::all(x[i]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v)
        acc[i][v] = kFold == Fold::kAdd ? fma(a, b[v], acc[i][v]) : fnma(a, b[v], acc[i][v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) acc[i][v].store(c + i * c_stride + v * kLanes);
}

// Rows [first, first + 16) of the upper triangle of a symmetric matrix: c(i, j) +-= sum over r of rows[r][i] rows[r][j]
// for first <= j < width (a multiple of 16). c: the matrix's row `first`. The rows may be earlier rows of the same
// matrix.
template <Fold kFold>
void fold_strip(float* c, std::size_t c_stride, const float* rows, std::size_t stride, std::size_t first,
                std::size_t width, std::size_t count) {
  constexpr std::size_t kLanes = Lanes::kCount;
  const float* x = rows + first;
  std::size_t j = first;
  if constexpr (Lanes::kRegisters < 32) {
    for (; j < width; j += kLanes)
      for (std::size_t i = 0; i < kLanes; i += 4)
        fold_tile<kFold, 4, 1>(c + i * c_stride + j, c_stride, x + i, rows + j, stride, count);
    return;
  }
  for (; j + 4 * kLanes <= width; j += 4 * kLanes) {  // 5 + 5 + 6 rows: 4 x 4 keeps too few sums in flight
    fold_tile<kFold, 5, 4>(c + j, c_stride, x, rows + j, stride, count);
    fold_tile<kFold, 5, 4>(c + 5 * c_stride + j, c_stride, x + 5, rows + j, stride, count);
    fold_tile<kFold, 6, 4>(c + 10 * c_stride + j, c_stride, x + 10, rows + j, stride, count);
  }
  const std::size_t left = (width - j) / kLanes;
  if (left == 3) {
    for (std::size_t i = 0; i < kLanes; i += 8)
      fold_tile<kFold, 8, 3>(c + i * c_stride + j, c_stride, x + i, rows + j, stride, count);
  } else if (left == 2) {
    for (std::size_t i = 0; i < kLanes; i += 8)
      fold_tile<kFold, 8, 2>(c + i * c_stride + j, c_stride, x + i, rows + j, stride, count);
  } else if (left == 1) {
    fold_tile<kFold, 16, 1>(c + j, c_stride, x, rows + j, stride, count);
  }
}

}  // namespace segue
