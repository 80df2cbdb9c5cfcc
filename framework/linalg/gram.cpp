#include "framework/linalg/gram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/linalg/tiles.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kCacheFloats = 6144;  // of gathered rows: half of a first-level cache
// Rows that a partial Gram matrix covers: at least 2048, and more where that would make over 64 partial matrices.
constexpr std::size_t gram_block(std::size_t rows) { return std::max<std::size_t>(2048, (rows + 63) / 64); }
constexpr std::size_t whole_vectors(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }
// A column of a matrix whose rows are a power of two apart maps to a few sets of the cache; one vector more spreads it.
constexpr std::size_t spread_stride(std::size_t width) {
  return width > 64 && width % 64 == 0 ? width + kLanes : width;
}

Eigen::Index index(std::size_t n) { return static_cast<Eigen::Index>(n); }

}  // namespace

RidgeSystem::RidgeSystem(std::size_t dims)
    : dims_(dims),
      width_(whole_vectors(dims)),
      stride_(spread_stride(width_)),
      buffer_(std::clamp<std::size_t>(kCacheFloats / std::max<std::size_t>(stride_, 1), 16, 96)),
      a_(index(width_), index(stride_)),
      b_(1, index(width_)),
      rows_(index(buffer_), index(stride_)),
      solver_(width_) {}

void RidgeSystem::begin(const Matrix<float>& base, float ridge, std::size_t first) {
  const std::size_t from_stride = static_cast<std::size_t>(base.cols());
  SEGUE_CHECK(first + dims_ <= static_cast<std::size_t>(base.rows()) && first + dims_ <= from_stride,
              "base is {}x{}, not {}x{} from {}", base.rows(), base.cols(), dims_, dims_, first);
  for (std::size_t i = 0; i < width_; ++i) {
    float* row = a_.data() + i * stride_;
    if (i < dims_) {
      const float* from = base.data() + (first + i) * from_stride + first;
      std::size_t j = i / kLanes * kLanes;
      for (; j + kLanes <= dims_; j += kLanes) Lanes::load(from + j).store(row + j);
      if (j < dims_) Lanes::load_part(from + j, dims_ - j).store(row + j);
      row[i] += ridge;
    } else {
      std::fill(row + i / kLanes * kLanes, row + width_, 0.0f);
      row[i] = 1;
    }
  }
  b_.setZero();
}

// Copies the rows times the roots of their weights, and adds the rows times their targets to b, a few vectors of each
// row at a time, so that b stays in registers.
void RidgeSystem::gather(const Matrix<float>& rows, std::span<const std::uint32_t> which, const float* weights,
                         const float* targets, std::size_t first) {
  constexpr std::size_t kChunk = 4;
  const std::size_t row_stride = static_cast<std::size_t>(rows.cols());
  const float* from = rows.data() + first;
  std::size_t j = 0;
  for (; j + kChunk * kLanes <= dims_; j += kChunk * kLanes) {
    Lanes b[kChunk];
    for (std::size_t v = 0; v < kChunk; ++v) b[v] = Lanes::load(b_.data() + j + v * kLanes);
    for (std::size_t e = 0; e < which.size(); ++e) {
      const float* y = from + which[e] * row_stride + j;
      float* out = rows_.data() + e * stride_ + j;
      const Lanes target = Lanes::all(targets[e]), root = Lanes::all(weights[e]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kChunk; ++v) {
        const Lanes part = Lanes::load(y + v * kLanes);
        b[v] = fma(target, part, b[v]);
        (root * part).store(out + v * kLanes);
      }
    }
    for (std::size_t v = 0; v < kChunk; ++v) b[v].store(b_.data() + j + v * kLanes);
  }
  for (; j < dims_; j += kLanes) {
    const std::size_t n = std::min(kLanes, dims_ - j);
    Lanes b = Lanes::load(b_.data() + j);
    for (std::size_t e = 0; e < which.size(); ++e) {
      const Lanes part = Lanes::load_part(from + which[e] * row_stride + j, n);
      b = fma(Lanes::all(targets[e]), part, b);
      (Lanes::all(weights[e]) * part).store(rows_.data() + e * stride_ + j);
    }
    b.store(b_.data() + j);
  }
}

void RidgeSystem::add(const Matrix<float>& rows, std::span<const std::uint32_t> which, std::span<const float> weights,
                      std::span<const float> targets, std::size_t first) {
  SEGUE_CHECK(first + dims_ <= static_cast<std::size_t>(rows.cols()), "rows of {} values for {} unknowns from {}",
              rows.cols(), dims_, first);
  SEGUE_CHECK(weights.size() == which.size() && targets.size() == which.size(), "{} rows, {} weights and {} targets",
              which.size(), weights.size(), targets.size());
  alignas(64) float roots[96];
  const std::size_t row_stride = static_cast<std::size_t>(rows.cols());
  for (std::size_t begin = 0; begin < which.size(); begin += buffer_) {
    const std::size_t count = std::min(buffer_, which.size() - begin);
    std::size_t e = 0;
    for (; e + kLanes <= count; e += kLanes) sqrt(Lanes::load(&weights[begin + e])).store(roots + e);
    if (e < count) sqrt(Lanes::load_part(&weights[begin + e], count - e)).store(roots + e);
    gather(rows, which.subspan(begin, count), roots, targets.data() + begin, first);
    const std::size_t ahead = std::min(buffer_, which.size() - begin - count);
    for (const std::uint32_t row : which.subspan(begin + count, ahead))  // the next rows travel while these are folded
      prefetch(rows.data() + row * row_stride + first, dims_);
    for (std::size_t i = 0; i < width_; i += kLanes)
      fold_strip<Fold::kAdd>(a_.data() + i * stride_, stride_, rows_.data(), stride_, i, width_, count);
  }
}

void RidgeSystem::add_target(std::span<const float> target) {
  SEGUE_CHECK(target.size() == dims_, "a target of {} values for {} unknowns", target.size(), dims_);
  for (std::size_t j = 0; j < dims_; ++j) b_.data()[j] += target[j];
}

std::optional<double> RidgeSystem::solve(std::span<float> x) {
  SEGUE_CHECK(x.size() == dims_, "an answer of {} values for {} unknowns", x.size(), dims_);
  const std::optional<double> explained = solver_.solve(a_.data(), stride_, {b_.data(), width_});
  std::copy_n(b_.data(), dims_, x.begin());
  return explained;
}

Matrix<float> RidgeSystem::upper() const {
  Matrix<float> out(index(dims_), index(dims_));
  for (std::size_t i = 0; i < dims_; ++i)
    for (std::size_t j = 0; j < dims_; ++j) row_span(out, i)[j] = j < i ? 0.0f : a_.data()[i * stride_ + j];
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
        std::vector<std::uint32_t> which(end - begin);
        std::iota(which.begin(), which.end(), static_cast<std::uint32_t>(begin));
        partial.add(rows, which, std::vector<float>(which.size(), 1.0f), std::vector<float>(which.size(), 0.0f));
        return partial.upper();
      },
      [](Matrix<float> total, const Matrix<float>& part) { return Matrix<float>(total + part); });
  for (Eigen::Index i = 0; i < sum.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) sum(i, j) = sum(j, i);
  return sum;
}

}  // namespace segue
