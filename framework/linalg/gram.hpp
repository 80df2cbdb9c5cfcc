// Sums of outer products and the ridge systems they form: the kernels of alternating least squares and its fold-in.
//
// Every element of a sum is one chain of fused multiply-adds over the rows in the order they were given, whatever the
// tile shape of the machine; chains over many rows are cut into blocks of a fixed size and folded in block order. So
// the bits depend on the rows and their order only, never on threads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// rows^T rows, d x d, both triangles. Cost: n d^2 / 2 multiply-adds.
Matrix<float> gram(const Matrix<float>& rows, const Executor& exec);

// A x = b with A = base + ridge I + sum of weight_r y_r y_r^T and b = sum of target_r y_r, built row by row, solved by
// Cholesky (A = U^T U). One object serves many systems of the same size in turn; not thread-safe, make one a block.
class RidgeSystem {
 public:
  explicit RidgeSystem(std::size_t dims);

  // A = base + ridge I, b = 0. base: d x d, symmetric; only its upper triangle is read.
  void begin(const Matrix<float>& base, float ridge);
  // A += weight y y^T, b += target y. y: d.
  void add(std::span<const float> y, float weight, float target);
  // Writes x (d). False where A is not positive definite in float arithmetic; x is then unspecified. Ends the system.
  [[nodiscard]] bool solve(std::span<float> x);

  // The upper triangle of A so far, d x d, zeros below it (for gram() and tests).
  Matrix<float> upper();

 private:
  void flush();
  bool factorise();

  std::size_t dims_, stride_;  // stride_: dims_ rounded up to whole vectors; the padding of A is the identity
  std::size_t buffered_ = 0;
  std::vector<float> a_;  // stride_ x stride_, row-major, upper triangle
  std::vector<float> b_;
  std::vector<float> rows_, scaled_;  // up to kBuffer rows, plain and times their weight
};

}  // namespace segue
