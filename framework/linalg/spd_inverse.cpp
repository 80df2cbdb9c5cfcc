#include "framework/linalg/spd_inverse.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/linalg/sparse_gram.hpp"

namespace segue {
namespace {

// A register tile of kRows x kCols sums. Each element is a chain of fused multiply-adds in order of t, whatever the
// tile.
constexpr std::size_t kLanes = Doubles::kCount, kVectors = 3;
constexpr std::size_t kRows = kLanes == 8 ? 8 : 4;  // sums take 24 of 32 registers with AVX-512, 12 of 16 with AVX2
constexpr std::size_t kCols = kLanes * kVectors;
constexpr std::size_t kChunk = 24;          // rows packed together: a multiple of kRows and of kCols
constexpr std::size_t kBlock = 6 * kChunk;  // rows swept together; its panels of 24 columns (27 KiB) stay in L1
static_assert(kChunk % kRows == 0 && kChunk % kCols == 0);

// c(i, j) += sum over t < depth of left[t][i] right[t][j]; c: kRows x kCols.
void tile_product(double* c, std::size_t stride, const double* left, const double* right, std::size_t depth) {
  Doubles acc[kRows][kVectors];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) acc[i][v] = Doubles::load(c + i * stride + v * kLanes);
  for (std::size_t t = 0; t < depth; ++t) {
    Doubles b[kVectors];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) b[v] = Doubles::load(right + t * kCols + v * kLanes);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kRows; ++i) {
      const Doubles a = Doubles::all(left[t * kRows + i]);
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kVectors; ++v) acc[i][v] = fma(a, b[v], acc[i][v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) acc[i][v].store(c + i * stride + v * kLanes);
}

// The same where only rows x cols of the tile exist.
void tile_product(double* c, std::size_t stride, const double* left, const double* right, std::size_t depth,
                  std::size_t rows, std::size_t cols) {
  if (rows >= kRows && cols >= kCols) return tile_product(c, stride, left, right, depth);
  double tile[kRows * kCols] = {};
  rows = std::min(rows, kRows), cols = std::min(cols, kCols);
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(c + i * stride, cols, tile + i * kCols);
  tile_product(tile, kCols, left, right, depth);
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(tile + i * kCols, cols, c + i * stride);
}

// kChunk vectors beside each other (depth x kChunk) as groups of `width`, what tile_product() reads one after another.
template <std::size_t width>
void pack(const double* vectors, double sign, std::size_t depth, double* out) {
  for (std::size_t c = 0; c < kChunk; c += width, out += width * depth)
    for (std::size_t t = 0; t < depth; ++t)
      for (std::size_t i = 0; i < width; ++i) out[t * width + i] = sign * vectors[t * kChunk + c + i];
}

// The upper triangle of d (n x n, stride n) to U, d = U^T U. limits: the least pivot allowed.
bool factorise(std::vector<double>& d, std::size_t n, const double* limits) {
  for (std::size_t k = 0; k < n; ++k) {
    double* row = d.data() + k * n;
    if (!(row[k] > limits[k]) || !std::isfinite(row[k])) return false;
    const double root = std::sqrt(row[k]);
    for (std::size_t j = k; j < n; ++j) row[j] /= root;
    for (std::size_t i = k + 1; i < n; ++i) {
      double* to = d.data() + i * n;
      for (std::size_t j = i; j < n; ++j) to[j] = std::fma(-row[i], row[j], to[j]);
    }
  }
  return true;
}

// kChunk vectors beside each other: vectors[t][c] is element t of vector c. Solves y U = a for each, in place.
void solve_upper(double* vectors, const double* u, std::size_t n) {
  constexpr std::size_t kGroup = 4, kWides = kChunk / kLanes;  // elements solved together
  for (std::size_t from = 0; from < n; from += kGroup) {
    const std::size_t group = std::min(kGroup, n - from);
    for (std::size_t w = 0; w < kWides; w += kVectors) {
      Doubles acc[kGroup][kVectors] = {};
      double* column = vectors + w * kLanes;
      for (std::size_t g = 0; g < group; ++g)
        for (std::size_t v = 0; v < kVectors; ++v) acc[g][v] = Doubles::load(column + (from + g) * kChunk + v * kLanes);
      const auto eliminate = [&](std::size_t s, std::size_t g, std::size_t v) {
        acc[g][v] = fma(Doubles::all(-u[s * n + from + g]), Doubles::load(column + s * kChunk + v * kLanes), acc[g][v]);
      };
      if (group == kGroup) {
        for (std::size_t s = 0; s < from; ++s)
#pragma GCC unroll 4
          for (std::size_t g = 0; g < kGroup; ++g)
#pragma GCC unroll 3
            for (std::size_t v = 0; v < kVectors; ++v) eliminate(s, g, v);
      } else {
        for (std::size_t s = 0; s < from; ++s)
          for (std::size_t g = 0; g < group; ++g)
            for (std::size_t v = 0; v < kVectors; ++v) eliminate(s, g, v);
      }
      for (std::size_t g = 0; g < group; ++g) {
        const Doubles inverse = Doubles::all(1 / u[(from + g) * n + from + g]);
        for (std::size_t v = 0; v < kVectors; ++v) {
          for (std::size_t s = from; s < from + g; ++s) eliminate(s, g, v);
          (acc[g][v] * inverse).store(column + (from + g) * kChunk + v * kLanes);
        }
      }
    }
  }
}

class Sweeper {
 public:
  Sweeper(Matrix<double>& a, const Executor& exec)
      : a_(a.data()), n_(static_cast<std::size_t>(a.rows())), exec_(exec), limits_(n_) {
    const std::size_t padded = (n_ + kChunk - 1) / kChunk * kChunk;
    left_.resize(padded * kBlock), right_.resize(padded * kBlock);
    for (std::size_t i = 0; i < n_; ++i)
      limits_[i] = static_cast<double>(n_) * std::numeric_limits<double>::epsilon() * std::abs(a_[i * n_ + i]);
  }

  bool run() {
    for (std::size_t k = 0; k < n_; k += kBlock) {
      if (!sweep_block(k, std::min(kBlock, n_ - k))) return false;
    }
    return true;
  }

 private:
  bool sweep_block(std::size_t k, std::size_t depth) {
    factor_.resize(depth * depth);
    for (std::size_t i = 0; i < depth; ++i)
      for (std::size_t j = i; j < depth; ++j) factor_[i * depth + j] = a_[(k + i) * n_ + k + j];
    if (!factorise(factor_, depth, limits_.data() + k)) return false;
    // With its rows and columns reversed, U^T is upper triangular: one routine solves both.
    reversed_.resize(depth * depth);
    for (std::size_t i = 0; i < depth; ++i)
      for (std::size_t j = i; j < depth; ++j)
        reversed_[(depth - 1 - j) * depth + depth - 1 - i] = factor_[i * depth + j];
    exec_.for_blocks(n_, kChunk, [&](std::size_t begin, std::size_t end) { sweep_rows(begin, end, k, depth); });

    const std::size_t blocks = (n_ + kBlock - 1) / kBlock;
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < blocks; ++i)
      for (std::size_t j = i; j < blocks; ++j)
        if (i != k / kBlock && j != k / kBlock) pairs.emplace_back(i * kBlock, j * kBlock);
    exec_.for_blocks(pairs.size(), 1,
                     [&](std::size_t p, std::size_t) { update(pairs[p].first, pairs[p].second, depth); });
    return true;
  }

  // Rows [begin, end) of the panel A_ik: Y = A_ik U^-1 packed as both operands, A_ik <- Y U^-T = A_ik D. Of the block
  // itself the panel is the identity, and A_kk <- -D.
  void sweep_rows(std::size_t begin, std::size_t end, std::size_t k, std::size_t depth) {
    const std::size_t rows = end - begin;
    const bool own = begin >= k && begin < k + depth;
    double panel[kBlock * kChunk] = {}, turned[kBlock * kChunk];
    for (std::size_t t = 0; t < depth; ++t) {
      for (std::size_t c = 0; c < rows; ++c)
        panel[t * kChunk + c] = own         ? (begin + c == k + t ? 1.0 : 0.0)
                                : begin < k ? a_[(begin + c) * n_ + k + t]
                                            : a_[(k + t) * n_ + begin + c];
    }
    solve_upper(panel, factor_.data(), depth);
    if (!own) {
      pack<kCols>(panel, 1, depth, right_.data() + begin * kBlock);
      pack<kRows>(panel, -1, depth, left_.data() + begin * kBlock);
    }
    for (std::size_t t = 0; t < depth; ++t) std::copy_n(panel + t * kChunk, kChunk, turned + (depth - 1 - t) * kChunk);
    solve_upper(turned, reversed_.data(), depth);
    for (std::size_t t = 0; t < depth; ++t) {
      const double* from = turned + (depth - 1 - t) * kChunk;
      for (std::size_t c = 0; c < rows; ++c) {
        if (own) {
          if (begin + c <= k + t) a_[(begin + c) * n_ + k + t] = -from[c];
        } else {
          (begin < k ? a_[(begin + c) * n_ + k + t] : a_[(k + t) * n_ + begin + c]) = from[c];
        }
      }
    }
  }

  // The block whose first element is (row, col): tiles on or above the diagonal. kCols columns stay in L1 for all its
  // rows.
  void update(std::size_t row, std::size_t col, std::size_t depth) {
    const std::size_t row_end = std::min(n_, row + kBlock), col_end = std::min(n_, col + kBlock);
    for (std::size_t j = col; j < col_end; j += kCols)
      for (std::size_t i = row; i < row_end && i < j + kCols; i += kRows)
        tile_product(a_ + i * n_ + j, n_, slice(left_, i, kRows, depth), slice(right_, j, kCols, depth), depth,
                     row_end - i, col_end - j);
  }

  // A chunk begins at its first row times kBlock; inside it groups of `width` rows take width * depth.
  static const double* slice(const std::vector<double>& packed, std::size_t row, std::size_t width, std::size_t depth) {
    const std::size_t chunk = row / kChunk * kChunk;
    return packed.data() + chunk * kBlock + (row - chunk) / width * width * depth;
  }

  double* a_;
  std::size_t n_;
  const Executor& exec_;
  std::vector<double> limits_;
  std::vector<double> left_, right_;       // -Y and Y, packed
  std::vector<double> factor_, reversed_;  // U of the block being swept
};

}  // namespace

bool invert_spd(Matrix<double>& a, const Executor& exec) {
  SEGUE_CHECK(a.rows() == a.cols(), "the inverse of a {} x {} matrix", a.rows(), a.cols());
  if (!Sweeper(a, exec).run()) return false;
  const auto n = static_cast<std::size_t>(a.rows());
  exec.for_blocks(n, 64, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = i; j < n; ++j) a.data()[i * n + j] = -a.data()[i * n + j];
  });
  mirror_upper(a, exec);
  return true;
}

}  // namespace segue
