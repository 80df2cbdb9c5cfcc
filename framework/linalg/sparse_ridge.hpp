// Ridge regression of many targets on sparse features, in double.
#pragma once

#include <span>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// W (features x targets) that minimises the sum over rows r of weight_r |W^T x_r - y_r|^2, plus reg |W|^2 (Hoerl &
// Kennard 1970). Solved by the smaller of two systems: W = (X^T C X + reg I)^-1 X^T C Y, or X^T C^1/2 (C^1/2 X X^T
// C^1/2 + reg I)^-1 C^1/2 Y, which are equal. Cost: min(rows, features)^3 flop, and as many squares of entries a row
// (or column).
//
// x: rows x features. weights: one a row, at least 0; rows of weight 0 teach nothing. targets: rows x targets. reg > 0.
// UsageError where the system is not positive definite to working accuracy. The same bits for any number of threads.
Matrix<double> sparse_ridge(const Csr<ItemIdx>& x, std::span<const double> weights, const Matrix<float>& targets,
                            double reg, const Executor& exec);

}  // namespace segue
