// The inverse of a dense symmetric positive definite matrix, in place and in double.
//
// Blocked sweeps (Goodnight 1979, "A tutorial on the SWEEP operator", The American Statistician 33(3)): for each block
// k of rows in turn, with its diagonal block U^T U and Y_i = A_ik U^-1 for every other i,
//   A_ij -= Y_i Y_j^T,   A_ik <- Y_i U^-T,   A_kk <- -U^-1 U^-T,
// after which A holds minus its inverse. It is Cholesky, the inverse of the factor and their product in one pass
// (Bientinesi, Gunter & van de Geijn 2008, "Families of algorithms related to the inversion of a symmetric positive
// definite matrix", ACM TOMS 35(1)): the same n^3 flop, but every step is one rank-b update of the whole triangle, so
// that the parallel work is even from the first block to the last. Solving with U, rather than multiplying by the
// block's inverse, keeps the error at the condition number times epsilon instead of its square. In double, since that
// number is 1e3 for ease on MovieLens 1M at reg 500 and grows as reg falls.
//
// Every element is one chain of fused multiply-adds over blocks of a fixed size, so the bits do not depend on threads.
#pragma once

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// a (n x n) becomes its inverse, both triangles. Only the upper triangle is read. False where a is not positive
// definite to working accuracy (a pivot below n epsilon times its diagonal); a is then unspecified. Cost: n^3 flop.
[[nodiscard]] bool invert_spd(Matrix<double>& a, const Executor& exec);

}  // namespace segue
