// A Cholesky solver for thousands of small symmetric positive definite systems, one after the other, in cache and
// registers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "framework/linalg/matrix.hpp"

namespace segue {

// Solves A x = b in strips of 16 rows, A = U^T U (Golub & Van Loan 2013, Matrix Computations, 4.2): in a strip the
// pivots are eliminated without square roots, and each strip keeps the inverse of its unit triangle for the way back.
// About n^3 / 3 + 16 n^2 flop. One object serves many systems of the same size in turn; not thread-safe.
class SpdSolver {
 public:
  // width: unknowns, a positive multiple of 16.
  explicit SpdSolver(std::size_t width);

  // a: width rows `stride` apart; of each row the vectors (of 16) from the one with the diagonal on are read, and all
  // of them are overwritten. b: width; x on return. The answer is b^T A^-1 b, or nothing where A is not positive
  // definite in float arithmetic (b is then unspecified).
  [[nodiscard]] std::optional<double> solve(float* a, std::size_t stride, std::span<float> b);

 private:
  bool eliminate(float* a, std::size_t stride, std::size_t first);
  void forward(const float* a, std::size_t stride, std::size_t first, float* b) const;
  void backward(const float* a, std::size_t stride, std::size_t first, float* b) const;

  std::size_t width_;
  Matrix<float>
      factors_;  // 16 x 16: row t holds what row t of the strip takes from the rows below it, zeros up to the diagonal
  Matrix<float> inverses_;  // width x 16: of each strip the inverse of its unit lower triangle
  Matrix<float> roots_;     // 1 x width: 1 / sqrt(pivot)
};

}  // namespace segue
