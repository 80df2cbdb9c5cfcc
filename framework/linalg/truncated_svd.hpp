// The largest singular values of a sparse matrix by randomised subspace iteration (Halko, Martinsson & Tropp 2011,
// "Finding structure with randomness", SIAM Review 53(2), algorithms 4.4 and 5.1): X^T X is applied to a random n x l
// matrix, made orthonormal after each application, and the small problem that is left is solved exactly. All in double;
// sums over rows in blocks of a fixed size, folded in block order; the random matrix is a function of the generator and
// of positions.
#pragma once

#include <cstddef>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

struct TruncatedSvd {
  Vector<double> values;  // k, descending; zero where the rank is less than k
  Matrix<double>
      right;  // items x k: right singular vectors, the largest component of each positive; zero for a value of zero
};

// x: users x items. k: how many; oversampling: l = min(k + oversampling, items). iterations: applications of X^T X, at
// least one; the error of value k falls as (value l+1 / value k)^(4 iterations - 2). Directions below 1e-6 of the
// largest singular value may be taken for zero. Cost: 4 nnz l + 2 items l^2 an iteration.
TruncatedSvd truncated_svd(const Csr<ItemIdx>& x, std::size_t k, std::size_t oversampling, int iterations,
                           const Rng& rng, const Executor& exec);

}  // namespace segue
