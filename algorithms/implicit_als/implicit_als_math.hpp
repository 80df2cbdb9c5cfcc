// The half-steps and the objective of implicit-feedback ALS: Hu, Koren & Volinsky 2008 (equations 3 to 5); Rendle,
// Krichene, Zhang & Koren 2021, "Revisiting the performance of iALS on item recommendation benchmarks" (the weight a0
// of unobserved pairs, the penalty's exponent nu); the same authors' "iALS++" of 2021 (the block solver).
//
// An event of weight w has preference p = 1 where w > 0, else 0, and a0 is the weight of a pair without an event. With
// s = x_u . y_i the objective is
//   kConfidence:  L = sum over events of (a0 + alpha |w|) (p - s)^2 + sum over other pairs of a0 s^2      + penalties
//   kSeparate:    L = sum over events of       alpha |w|  (p - s)^2 + sum over all pairs of   a0 s^2      + penalties
// and the penalty of a row with n events among m columns is reg (n + a0 m)^nu |row|^2. Both are, for one row, x^T A x -
// 2 b^T x and a constant, with A = a0 Y^T Y + penalty I + sum alpha |w| y y^T and b = sum over w > 0 of t y, t = a0 +
// alpha w or alpha w. Symbols: d dimensions; "rows" are solved (n x d), "columns" are held fixed (m x d), gram =
// columns^T columns (d x d).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/gram.hpp"

namespace segue {

enum class AlsLoss { kConfidence, kSeparate };
enum class AlsSolver { kCholesky, kCg, kBlock };

struct AlsSettings {
  float reg = 0;
  float alpha = 0;
  float unobserved = 1;    // a0
  float reg_exponent = 0;  // nu
  AlsLoss loss = AlsLoss::kConfidence;
  AlsSolver solver = AlsSolver::kCholesky;
  int cg_steps = 3;
  int block_size = 64;  // dimensions that kBlock solves together
};

// reg (events + a0 columns)^nu, the weight of |row|^2 in L.
float als_penalty(const AlsSettings& settings, std::size_t events, std::size_t columns);

// One row's share of L, and its minimiser. One object serves many rows in turn; not thread-safe, make one a block.
class AlsRow {
 public:
  // base: a0 gram. Both matrices must outlive this.
  AlsRow(const Matrix<float>& column_factors, const Matrix<float>& base, const AlsSettings& settings);

  // weights: as long as columns, or empty for all ones.
  template <class Index>
  void load(std::span<const Index> columns, std::span<const float> weights) {
    const std::size_t n = columns.size();
    which_.resize(n), curvature_.resize(n), target_.resize(n);
    for (std::size_t e = 0; e < n; ++e) which_[e] = static_cast<std::uint32_t>(columns[e]);
    set_weights(weights);
  }

  // Replaces x by the minimiser (kCholesky), or by a better point than x itself: after cg_steps steps of conjugate
  // gradients (kCg), or with each block of dimensions in turn minimised given the others (kBlock). Zero where nothing
  // has w > 0. Returns how far the share lies below its value at zero, b^T (2 x) - x^T A x. UsageError where the system
  // is not positive definite in float arithmetic.
  double solve(std::span<float> x, AlsSolver solver);

 private:
  void set_weights(std::span<const float> weights);
  double exact(std::span<float> x);
  double conjugate_gradient(std::span<float> x);
  double blocks(std::span<float> x);
  // out = (base + penalty I) x.
  void dense_product(std::span<const float> x, std::span<float> out) const;

  const Matrix<float>& factors_;
  const Matrix<float>& base_;
  const AlsSettings& settings_;
  float alpha_, offset_;
  std::vector<std::uint32_t> which_;
  std::vector<float> curvature_, target_;  // alpha |w| and t
  bool liked_ = false;
  std::size_t events_ = 0;
  float penalty_ = 0;
  std::optional<RidgeSystem> system_, last_;  // made on first use; last_: of the block that is smaller than the others
  std::vector<float> r_, p_, ap_, dense_, s_, miss_;
};

// Where to cut rows into blocks of like cost: begins with 0, ends with the number of rows. Depends on the data alone.
std::vector<std::size_t> als_cuts(std::span<const std::uint64_t> offsets, std::size_t dims);

// Solves every row, from its present value on, and returns the sum of what AlsRow::solve returns, folded in block
// order.
template <class Index>
double als_half_step(const Csr<Index>& events, const Matrix<float>& column_factors, const Matrix<float>& gram,
                     const AlsSettings& settings, Matrix<float>& row_factors, const Executor& exec) {
  const Matrix<float> base = settings.unobserved * gram;
  const std::vector<std::size_t> cuts =
      als_cuts({events.offsets().data(), events.offsets().size()}, static_cast<std::size_t>(column_factors.cols()));
  return exec.reduce_blocks(
      cuts.size() - 1, 1, 0.0,
      [&](std::size_t block, std::size_t) {
        AlsRow row(column_factors, base, settings);
        double below = 0;
        for (std::size_t r = cuts[block]; r < cuts[block + 1]; ++r) {
          row.load(events.indices(r), events.has_values() ? events.values(r) : std::span<const float>{});
          below += row.solve(row_span(row_factors, r), settings.solver);
        }
        return below;
      },
      [](double total, double part) { return total + part; });
}

// L where every row is zero and the columns have no penalty: the sum of p times the weight of (p - s)^2 over the
// events.
template <class Index>
double als_loss_at_zero(const Csr<Index>& events, const AlsSettings& settings, const Executor& exec) {
  const double offset = settings.loss == AlsLoss::kConfidence ? static_cast<double>(settings.unobserved) : 0;
  const double alpha = static_cast<double>(settings.alpha);
  if (!events.has_values()) return static_cast<double>(events.nnz()) * (offset + alpha);
  const std::span<const float> weights{events.all_values().data(), events.nnz()};
  return exec.reduce_blocks(
      weights.size(), 65536, 0.0,
      [&](std::size_t begin, std::size_t end) {
        double sum = 0;
        for (std::size_t n = begin; n < end; ++n)
          if (weights[n] > 0) sum += offset + alpha * static_cast<double>(weights[n]);
        return sum;
      },
      [](double total, double part) { return total + part; });
}

// The sum of penalty |row|^2.
template <class Index>
double als_penalties(const Csr<Index>& events, const Matrix<float>& row_factors, const AlsSettings& settings,
                     const Executor& exec) {
  return exec.reduce_blocks(
      events.rows(), 1024, 0.0,
      [&](std::size_t begin, std::size_t end) {
        double sum = 0;
        for (std::size_t r = begin; r < end; ++r) {
          std::size_t n = events.row_size(r);
          if (events.has_values()) {
            for (float w : events.values(r)) n -= w == 0;
          }
          double squares = 0;
          for (float x : row_span(row_factors, r)) squares += static_cast<double>(x) * static_cast<double>(x);
          sum += static_cast<double>(als_penalty(settings, n, events.cols())) * squares;
        }
        return sum;
      },
      [](double total, double part) { return total + part; });
}

}  // namespace segue
