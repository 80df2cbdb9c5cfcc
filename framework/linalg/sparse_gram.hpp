// X^T X of a sparse matrix X (users x items): how often, or how strongly, two items are had together. What ease and
// slim learn from.
//
// Row i of the product visits the rows of X that hold item i, each from item i on: sum over rows of (entries)^2 / 2
// additions, scattered over one row of sums that stays in L1 up to some 4,000 items. Sums are in double over ascending
// rows of X; of a matrix of ones they are whole numbers, and exact.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// Calls take(i, row) once for every column i of X, from several threads: row[j] = (X^T X)(i, j) for j >= i; what stands
// before is unspecified. row: as long as X has columns, valid during the call.
void sparse_gram(const Csr<ItemIdx>& x, const Executor& exec,
                 const std::function<void(std::size_t i, std::span<const double> row)>& take);

// Writes the triangle above the diagonal of a square matrix also below it.
void mirror_upper(Matrix<float>& square, const Executor& exec);
void mirror_upper(Matrix<double>& square, const Executor& exec);

}  // namespace segue
