// Sums of outer products and the ridge systems they form: the kernels of alternating least squares and its fold-in.
//
// Every element of a sum is one chain of fused multiply-adds over the rows in the order they were given, whatever the
// tile shape of the machine; chains over many rows are cut into blocks of a fixed size and folded in block order. So
// the bits depend on the rows and their order only, never on threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/spd_solve.hpp"

namespace segue {

// rows^T rows, d x d, both triangles. Cost: n d^2 / 2 multiply-adds.
Matrix<float> gram(const Matrix<float>& rows, const Executor& exec);

// A x = b with A = base + ridge I + sum of weight_e y_e y_e^T and b = sum of target_e y_e, the y_e picked from a matrix
// of rows, solved by Cholesky. One object serves many systems of the same size in turn; not thread-safe, make one a
// block.
class RidgeSystem {
 public:
  explicit RidgeSystem(std::size_t dims);

  // A = base[first..first + dims, the same] + ridge I, b = 0. base: symmetric; only its upper triangle is read.
  void begin(const Matrix<float>& base, float ridge, std::size_t first = 0);
  // A += sum of weights[e] y_e y_e^T, b += sum of targets[e] y_e, where y_e = rows[which[e]][first..first + dims].
  // weights: none negative; weights and targets as long as which.
  void add(const Matrix<float>& rows, std::span<const std::uint32_t> which, std::span<const float> weights,
           std::span<const float> targets, std::size_t first = 0);
  // b += target. target: dims.
  void add_target(std::span<const float> target);
  // Writes x (dims) and returns b^T x, which is b^T A^-1 b. Nothing where A is not positive definite in float
  // arithmetic; x is then unspecified. Ends the system.
  [[nodiscard]] std::optional<double> solve(std::span<float> x);

  // The upper triangle of A so far, dims x dims, zeros below it (for gram() and tests).
  Matrix<float> upper() const;

 private:
  void gather(const Matrix<float>& rows, std::span<const std::uint32_t> which, const float* weights,
              const float* targets, std::size_t first);

  std::size_t dims_, width_,
      stride_;          // width_: dims_ in whole vectors, the padding of A is the identity; stride_: of a_ and rows_
  std::size_t buffer_;  // rows folded into A at a time
  Matrix<float> a_;     // width_ x stride_, upper triangle
  Matrix<float> b_;     // 1 x width_
  Matrix<float> rows_;  // buffer_ x stride_: rows times the root of their weight
  SpdSolver solver_;
};

}  // namespace segue
