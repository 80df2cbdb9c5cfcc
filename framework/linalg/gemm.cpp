#include "framework/linalg/gemm.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

template <class T>
struct Lane;
template <>
struct Lane<float> {
  using Vec = Lanes;
};
template <>
struct Lane<double> {
  using Vec = Doubles;
};

// A as the kernel reads it: element (i, r) at data[i * by_row + r * step()]. kUnit: steps are neighbours, which the
// compiler then knows.
template <class T, bool kUnit>
struct Left {
  const T* data;
  std::size_t by_row, by_step;
  std::size_t step() const { return kUnit ? 1 : by_step; }
  Left from(std::size_t row, std::size_t at) const { return {data + row * by_row + at * step(), by_row, by_step}; }
};

// Rows of C in a tile, two vectors wide. Machines with fewer registers take smaller tiles: the chains are the same.
template <class Vec>
constexpr std::size_t kTileRows = 4;
template <>
constexpr std::size_t kTileRows<Lanes> = Lanes::kRegisters >= 32 ? 14 : 2;
#if defined(__AVX512F__)
template <>
constexpr std::size_t kTileRows<Doubles> = 14;
#endif
constexpr std::size_t kTileVectors = 2;
// Steps of the contraction that go to all rows of C before the next: 32 columns of B are 32 KB then, half of L1.
constexpr std::size_t kSteps = 256;
// The same where A is read by columns: each step is a page of its own there, and 64 pages stay in the first TLB.
constexpr std::size_t kStepsAcross = 64;
// Rows that are taken through all columns together: their part of A stays in L2, their pages of C in the TLB.
constexpr std::size_t kRowBlock = 224;
// So many rows pay for copying the columns of B together, where their lines would fall on few sets of the cache.
constexpr std::size_t kRowsToPack = 56;

// c(i, 0..V vectors) (+)= sum over r < count of a(i, r) b[r][...]; the last vector has `tail` lanes where kTail.
template <class T, bool kUnit, std::size_t R, std::size_t V, bool kTail>
void tile(T* c, std::size_t c_stride, bool set, const Left<T, kUnit>& a, const T* b, std::size_t b_stride,
          std::size_t count, [[maybe_unused]] std::size_t tail) {
  using Vec = typename Lane<T>::Vec;
  constexpr std::size_t kLanes = Vec::kCount;
  const auto load = [&](const T* p, std::size_t v) {
    if constexpr (kTail && std::is_same_v<T, float>) {
      if (v == V - 1) return Vec::load_part(p + v * kLanes, tail);
    }
    return Vec::load(p + v * kLanes);
  };
  Vec acc[R][V];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) acc[i][v] = set ? Vec::all(0) : load(c + i * c_stride, v);
  const T* left = a.data;
  // Written out four times: the addresses of one step take nearly as many instructions as its multiply-adds.
#pragma GCC unroll 4
  for (std::size_t r = 0; r < count; ++r, left += a.step(), b += b_stride) {
    Vec right[V];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) right[v] = load(b, v);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < R; ++i) {
      const Vec x = Vec::all(left[i * a.by_row]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < V; ++v) acc[i][v] = fma(x, right[v], acc[i][v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) {
      if constexpr (kTail && std::is_same_v<T, float>) {
        if (v == V - 1) {
          acc[i][v].store_part(c + i * c_stride + v * kLanes, tail);
          continue;
        }
      }
      acc[i][v].store(c + i * c_stride + v * kLanes);
    }
}

// All rows of C, for columns that fill V vectors.
template <class T, bool kUnit, std::size_t V, bool kTail>
void rows(View<T> c, bool set, Left<T, kUnit> a, const T* b, std::size_t b_stride, std::size_t count,
          std::size_t tail) {
  constexpr std::size_t kRows = kTileRows<typename Lane<T>::Vec>;
  std::size_t i = 0;
  const auto run = [&]<std::size_t R>() {
    tile<T, kUnit, R, V, kTail>(c.row(i), c.stride, set, a.from(i, 0), b, b_stride, count, tail);
    i += R;
  };
  while (i + kRows <= c.rows) run.template operator()<kRows>();
  if constexpr (kRows > 8)
    if (i + 8 <= c.rows) run.template operator()<8>();
  if constexpr (kRows > 4)
    if (i + 4 <= c.rows) run.template operator()<4>();
  if constexpr (kRows > 2)
    if (i + 2 <= c.rows) run.template operator()<2>();
  while (i < c.rows) run.template operator()<1>();
}

// A block of rows, some steps.
template <class T, bool kUnit>
void add_steps(Left<T, kUnit> a, ConstView<T> b, View<T> c, bool set) {
  using Vec = typename Lane<T>::Vec;
  constexpr std::size_t kLanes = Vec::kCount, kWide = kTileVectors * kLanes;
  // Aligned, so that no vector of the panel lies across two cache lines.
  static thread_local Matrix<T> panel(Eigen::Index{kSteps}, Eigen::Index{kWide});
  const std::size_t count = b.rows;
  for (std::size_t j = 0; j < c.cols; j += kWide) {
    const std::size_t width = std::min(kWide, c.cols - j);
    const T* right = b.data + j;
    std::size_t right_stride = b.stride;
    const View<T> to = c.some_cols(j, j + width);
    if (width == kWide) {
      if (c.rows >= kRowsToPack && count > 16 && b.stride > kWide) {
        for (std::size_t r = 0; r < count; ++r)
          for (std::size_t v = 0; v < kTileVectors; ++v)
            Vec::load(right + r * right_stride + v * kLanes).store(panel.data() + r * kWide + v * kLanes);
        right = panel.data();
        right_stride = kWide;
      }
      rows<T, kUnit, kTileVectors, false>(to, set, a, right, right_stride, count, 0);
    } else if constexpr (std::is_same_v<T, float>) {
      if (width > kLanes)
        rows<T, kUnit, 2, true>(to, set, a, right, right_stride, count, width - kLanes);
      else if (width == kLanes)
        rows<T, kUnit, 1, false>(to, set, a, right, right_stride, count, 0);
      else
        rows<T, kUnit, 1, true>(to, set, a, right, right_stride, count, width);
    } else {  // double is for checks, not for speed
      for (std::size_t i = 0; i < to.rows; ++i)
        for (std::size_t l = 0; l < width; ++l) {
          T sum = set ? T(0) : to(i, l);
          for (std::size_t r = 0; r < count; ++r)
            sum = std::fma(a.data[i * a.by_row + r * a.step()], right[r * right_stride + l], sum);
          to(i, l) = sum;
        }
    }
  }
}

template <class T, bool kUnit>
void multiply(Left<T, kUnit> a, std::size_t k, ConstView<T> b, View<T> c, Gemm mode) {
  if (c.rows == 0 || c.cols == 0) return;
  if (k == 0) {
    if (mode == Gemm::kSet) c.fill(0);
    return;
  }
  constexpr std::size_t steps = kUnit ? kSteps : kStepsAcross;
  for (std::size_t row = 0; row < c.rows; row += kRowBlock) {
    const std::size_t row_end = std::min(c.rows, row + kRowBlock);
    for (std::size_t step = 0; step < k; step += steps)
      add_steps(a.from(row, step), b.some_rows(step, std::min(k, step + steps)), c.some_rows(row, row_end),
                mode == Gemm::kSet && step == 0);
  }
}

}  // namespace

template <class T>
void gemm(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode) {
  SEGUE_CHECK(a.rows == c.rows && a.cols == b.rows && b.cols == c.cols, "gemm: {}x{} times {}x{} into {}x{}", a.rows,
              a.cols, b.rows, b.cols, c.rows, c.cols);
  multiply(Left<T, true>{a.data, a.stride, 1}, a.cols, b, c, mode);
}

template <class T>
void gemm_tn(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode) {
  SEGUE_CHECK(a.cols == c.rows && a.rows == b.rows && b.cols == c.cols, "gemm_tn: ({}x{})^T times {}x{} into {}x{}",
              a.rows, a.cols, b.rows, b.cols, c.rows, c.cols);
  multiply(Left<T, false>{a.data, 1, a.stride}, a.rows, b, c, mode);
}

template <class T>
void gemm_nt(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode) {
  SEGUE_CHECK(a.rows == c.rows && a.cols == b.cols && b.rows == c.cols, "gemm_nt: {}x{} times ({}x{})^T into {}x{}",
              a.rows, a.cols, b.rows, b.cols, c.rows, c.cols);
  static thread_local std::vector<T> turned;
  turned.resize(b.size());
  const View<T> bt(turned.data(), b.cols, b.rows);
  transpose(b, bt);
  multiply(Left<T, true>{a.data, a.stride, 1}, a.cols, ConstView<T>(bt), c, mode);
}

template <class T>
void transpose(ConstView<T> from, View<T> to) {
  SEGUE_CHECK(from.rows == to.cols && from.cols == to.rows, "transpose: {}x{} into {}x{}", from.rows, from.cols,
              to.rows, to.cols);
  constexpr std::size_t kBlock = 16;  // as many lines each way as L1 holds at any stride
  for (std::size_t r = 0; r < from.rows; r += kBlock) {
    const std::size_t r_end = std::min(from.rows, r + kBlock);
    for (std::size_t c = 0; c < from.cols; c += kBlock) {
      const std::size_t c_end = std::min(from.cols, c + kBlock);
      if constexpr (std::is_same_v<T, float>) {
        if (r_end - r == kBlock && c_end - c == kBlock) {
          transpose_lanes(from.row(r) + c, from.stride, to.row(c) + r, to.stride);
          continue;
        }
      }
      for (std::size_t j = c; j < c_end; ++j)
        for (std::size_t i = r; i < r_end; ++i) to(j, i) = from(i, j);
    }
  }
}

template void gemm(ConstView<float>, ConstView<float>, View<float>, Gemm);
template void gemm(ConstView<double>, ConstView<double>, View<double>, Gemm);
template void gemm_tn(ConstView<float>, ConstView<float>, View<float>, Gemm);
template void gemm_tn(ConstView<double>, ConstView<double>, View<double>, Gemm);
template void gemm_nt(ConstView<float>, ConstView<float>, View<float>, Gemm);
template void gemm_nt(ConstView<double>, ConstView<double>, View<double>, Gemm);
template void transpose(ConstView<float>, View<float>);
template void transpose(ConstView<double>, View<double>);

}  // namespace segue
