// The half-steps and the objective of implicit-feedback ALS (Hu, Koren & Volinsky 2008, equations 3 to 5).
//
// An event of weight w has preference p = 1 where w > 0, else 0, and confidence c = 1 + alpha |w|; every other pair has
// p = 0 and c = 1. The objective is
//   L = sum over all pairs of c (p - x_u . y_i)^2 + reg (sum |x_u|^2 + sum |y_i|^2).
// Symbols: d dimensions; "rows" are solved (n x d), "columns" are held fixed (m x d), gram = columns^T columns (d x d).
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/base/executor.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/gram.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/model/query.hpp"

namespace segue {

struct AlsSettings {
  float reg = 0;
  float alpha = 0;
};

// The minimiser x of one row's share of L: (gram + reg I + sum alpha |w| y y^T) x = sum over w > 0 of (1 + alpha w) y.
// weights: as long as columns, or empty for all ones. x is zero where nothing has w > 0. UsageError where the
// system is not positive definite in float arithmetic.
template <class Index>
void als_solve_row(std::span<const Index> columns, std::span<const float> weights, const Matrix<float>& column_factors,
                   const Matrix<float>& gram, AlsSettings settings, RidgeSystem& system, std::span<float> x) {
  system.begin(gram, settings.reg);
  bool liked = false;
  for (std::size_t n = 0; n < columns.size(); ++n) {
    const float weight = weights.empty() ? 1.0f : weights[n];
    const float extra = settings.alpha * std::abs(weight);
    liked |= weight > 0;
    system.add(row_span(column_factors, static_cast<std::size_t>(columns[n])), extra, weight > 0 ? 1 + extra : 0.0f);
  }
  if (!liked) {
    std::fill(x.begin(), x.end(), 0.0f);
  } else if (!system.solve(x)) {
    throw UsageError("implicit_als: a least-squares system is singular; raise reg (now {})", settings.reg);
  }
}

// Solves every row, and returns what the events add to L over unobserved pairs: sum over events of
// c (p - s)^2 - s^2, s = x_u . y_i, in double, folded in block order.
template <class Index>
double als_half_step(const Csr<Index>& events, const Matrix<float>& column_factors, const Matrix<float>& gram,
                     AlsSettings settings, Matrix<float>& row_factors, const Executor& exec) {
  constexpr std::size_t kRowsPerBlock = 32;
  return exec.reduce_blocks(
      events.rows(), kRowsPerBlock, 0.0,
      [&](std::size_t begin, std::size_t end) {
        RidgeSystem system(static_cast<std::size_t>(column_factors.cols()));
        double loss = 0;
        for (std::size_t r = begin; r < end; ++r) {
          const std::span<const Index> columns = events.indices(r);
          const std::span<const float> weights = events.has_values() ? events.values(r) : std::span<const float>{};
          const std::span<float> x = row_span(row_factors, r);
          als_solve_row<Index>(columns, weights, column_factors, gram, settings, system, x);
          for (std::size_t n = 0; n < columns.size(); ++n) {
            const float weight = weights.empty() ? 1.0f : weights[n];
            const double s = lane_dot(x, row_span(column_factors, static_cast<std::size_t>(columns[n])));
            const double miss = (weight > 0 ? 1.0 : 0.0) - s;
            loss += (1.0 + static_cast<double>(settings.alpha) * std::abs(weight)) * miss * miss - s * s;
          }
        }
        return loss;
      },
      [](double total, double part) { return total + part; });
}

// The rest of L from the Gram matrices alone: the sum of all s^2 is <X^T X, Y^T Y>, and their traces are the penalties.
double als_dense_loss(const Matrix<float>& row_gram, const Matrix<float>& column_gram, float reg);

// A query's history as one row of events: items ascending, a repeated item once. Its weight is the sum of the query's
// weights for it, or 1 where the query has none. Items outside [0, n_items) are left out.
void als_history(const Query& query, std::size_t n_items, std::vector<ItemIdx>& items, std::vector<float>& weights);

}  // namespace segue
