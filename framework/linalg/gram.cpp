#include "framework/linalg/gram.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kBuffer = 32;  // rows folded into A at a time: 2 x 8 KiB at d = 64, within L1
constexpr std::size_t kPanel = 8;    // rows of U eliminated together
// Rows that a partial Gram matrix covers: at least 2048, and more where that would make over 64 partial matrices.
constexpr std::size_t gram_block(std::size_t rows) { return std::max<std::size_t>(2048, (rows + 63) / 64); }
#ifdef __AVX512F__
constexpr std::size_t kTile = 16;  // 16 x 16 accumulators in 16 registers
#else
constexpr std::size_t kTile = 4;  // 4 x 16 accumulators in 8 of the 16 registers of AVX2
#endif

// tile(i, j) += sum over rows of scaled[r][i] * rows[r][j], i < kTile, j < kLanes.
void add_tile(float* tile, std::size_t stride, const float* scaled, const float* rows, std::size_t count) {
  Lanes acc[kTile];
  for (std::size_t i = 0; i < kTile; ++i) acc[i] = Lanes::load(tile + i * stride);
  for (std::size_t r = 0; r < count; ++r) {
    const float* x = scaled + r * stride;
    const Lanes y = Lanes::load(rows + r * stride);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTile; ++i) acc[i] = fma(Lanes::all(x[i]), y, acc[i]);
  }
  for (std::size_t i = 0; i < kTile; ++i) acc[i].store(tile + i * stride);
}

// to[0, n) -= f * from[0, n), n a multiple of kLanes.
void subtract(float* to, const float* from, float f, std::size_t n) {
  for (std::size_t j = 0; j < n; j += kLanes)
    fnma(Lanes::all(f), Lanes::load(from + j), Lanes::load(to + j)).store(to + j);
}

// to -= sum over the panel of f[t] * panel[t]: one load and store of `to` for kPanel multiply-adds.
void subtract_panel(float* to, const float* panel, std::size_t stride, const float* f, std::size_t n) {
  for (std::size_t j = 0; j < n; j += kLanes) {
    Lanes acc = Lanes::load(to + j);
    for (std::size_t t = 0; t < kPanel; ++t) acc = fnma(Lanes::all(f[t]), Lanes::load(panel + t * stride + j), acc);
    acc.store(to + j);
  }
}

constexpr std::size_t align_down(std::size_t i) { return i / kLanes * kLanes; }

}  // namespace

RidgeSystem::RidgeSystem(std::size_t dims)
    : dims_(dims),
      stride_(align_down(dims + kLanes - 1)),
      a_(stride_ * stride_),
      b_(stride_),
      rows_(kBuffer * stride_),
      scaled_(kBuffer * stride_) {
  SEGUE_CHECK(dims > 0, "a system of no unknowns");
}

void RidgeSystem::begin(const Matrix<float>& base, float ridge) {
  SEGUE_CHECK(static_cast<std::size_t>(base.rows()) == dims_ && base.rows() == base.cols(), "base is {}x{}, not {}x{}",
              base.rows(), base.cols(), dims_, dims_);
  for (std::size_t i = 0; i < stride_; ++i) {
    float* row = a_.data() + i * stride_;
    if (i < dims_) {
      const std::span<const float> from = row_span(base, i);
      std::copy(from.begin(), from.end(), row);
      std::fill(row + dims_, row + stride_, 0.0f);
      row[i] += ridge;
    } else {
      std::fill(row, row + stride_, 0.0f);
      row[i] = 1;
    }
  }
  std::fill(b_.begin(), b_.end(), 0.0f);
  buffered_ = 0;
}

void RidgeSystem::add(std::span<const float> y, float weight, float target) {
  SEGUE_CHECK(y.size() == dims_, "a row of {} values for {} unknowns", y.size(), dims_);
  float* row = rows_.data() + buffered_ * stride_;
  float* scaled = scaled_.data() + buffered_ * stride_;
  for (std::size_t j = 0; j < dims_; ++j) {
    row[j] = y[j];
    scaled[j] = weight * y[j];
    b_[j] = std::fma(target, y[j], b_[j]);
  }
  if (++buffered_ == kBuffer) flush();
}

void RidgeSystem::flush() {
  for (std::size_t i = 0; i < stride_; i += kTile)
    for (std::size_t j = align_down(i); j < stride_; j += kLanes)
      add_tile(a_.data() + i * stride_ + j, stride_, scaled_.data() + i, rows_.data() + j, buffered_);
  buffered_ = 0;
}

bool RidgeSystem::factorise() {
  for (std::size_t p = 0; p < stride_; p += kPanel) {
    for (std::size_t k = p; k < p + kPanel; ++k) {
      float* row = a_.data() + k * stride_;
      const std::size_t from = align_down(k);
      for (std::size_t t = p; t < k; ++t)
        subtract(row + from, a_.data() + t * stride_ + from, a_[t * stride_ + k], stride_ - from);
      const float pivot = row[k];
      if (!(pivot > 0) || !std::isfinite(pivot)) return false;
      const float inverse = 1 / std::sqrt(pivot);
      std::fill(row + from, row + k,
                0.0f);  // what lies left of the diagonal in its vector, so that solve() may read it
      for (std::size_t j = k; j < stride_; ++j) row[j] *= inverse;
    }
    const float* panel = a_.data() + p * stride_;
    for (std::size_t i = p + kPanel; i < stride_; ++i) {
      float f[kPanel];
      for (std::size_t t = 0; t < kPanel; ++t) f[t] = panel[t * stride_ + i];
      const std::size_t from = align_down(i);
      subtract_panel(a_.data() + i * stride_ + from, panel + from, stride_, f, stride_ - from);
    }
  }
  return true;
}

bool RidgeSystem::solve(std::span<float> x) {
  SEGUE_CHECK(x.size() == dims_, "an answer of {} values for {} unknowns", x.size(), dims_);
  flush();
  if (!factorise()) return false;
  float* b = b_.data();
  for (std::size_t i = 0; i < stride_; ++i) {  // U^T z = b, z over b
    const float* row = a_.data() + i * stride_;
    const std::size_t from = align_down(i);
    const float z = b[i] / row[i];
    subtract(b + from, row + from, z, stride_ - from);
    b[i] = z;
  }
  for (std::size_t i = stride_; i-- > 0;) {  // U x = z, x over z
    const float* row = a_.data() + i * stride_;
    const float z = std::exchange(b[i], 0.0f);
    Lanes sum = Lanes::zero();
    for (std::size_t j = align_down(i); j < stride_; j += kLanes)
      sum = fma(Lanes::load(row + j), Lanes::load(b + j), sum);
    b[i] = (z - sum.sum()) / row[i];
  }
  std::copy_n(b, dims_, x.begin());
  return true;
}

Matrix<float> RidgeSystem::upper() {
  flush();
  Matrix<float> out(static_cast<Eigen::Index>(dims_), static_cast<Eigen::Index>(dims_));
  for (std::size_t i = 0; i < dims_; ++i)
    for (std::size_t j = 0; j < dims_; ++j) row_span(out, i)[j] = j < i ? 0.0f : a_[i * stride_ + j];
  return out;
}

Matrix<float> gram(const Matrix<float>& rows, const Executor& exec) {
  const auto dims = static_cast<std::size_t>(rows.cols());
  const Matrix<float> zero = Matrix<float>::Zero(rows.cols(), rows.cols());
  Matrix<float> sum = exec.reduce_blocks(
      static_cast<std::size_t>(rows.rows()), gram_block(static_cast<std::size_t>(rows.rows())), zero,
      [&](std::size_t begin, std::size_t end) {
        RidgeSystem partial(dims);
        partial.begin(zero, 0);
        for (std::size_t r = begin; r < end; ++r) partial.add(row_span(rows, r), 1, 0);
        return partial.upper();
      },
      [](Matrix<float> total, const Matrix<float>& part) { return Matrix<float>(total + part); });
  for (Eigen::Index i = 0; i < sum.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) sum(i, j) = sum(j, i);
  return sum;
}

}  // namespace segue
