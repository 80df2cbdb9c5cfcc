#include "framework/linalg/truncated_svd.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <Eigen/Eigenvalues>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

constexpr std::size_t kRowBlock = 64;
constexpr std::size_t kSumBlock = 1024;  // rows of one partial product

double* row_of(Matrix<double>& m, std::size_t r) { return m.data() + r * static_cast<std::size_t>(m.cols()); }
const double* row_of(const Matrix<double>& m, std::size_t r) {
  return m.data() + r * static_cast<std::size_t>(m.cols());
}

// rows x m for a sparse left side.
template <class Index>
Matrix<double> product(const Csr<Index>& rows, const Matrix<double>& m, const Executor& exec) {
  const auto l = static_cast<std::size_t>(m.cols());
  Matrix<double> out = Matrix<double>::Zero(static_cast<Eigen::Index>(rows.rows()), m.cols());
  exec.for_blocks(rows.rows(), kRowBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      double* to = row_of(out, r);
      for (std::uint64_t p = rows.offsets()[r]; p < rows.offsets()[r + 1]; ++p) {
        const double weight = rows.all_values().empty() ? 1.0 : double{rows.all_values()[p]};
        const double* from = row_of(m, static_cast<std::size_t>(rows.all_indices()[p]));
        for (std::size_t c = 0; c < l; ++c) to[c] = std::fma(weight, from[c], to[c]);
      }
    }
  });
  return out;
}

// m^T m
Matrix<double> gram(const Matrix<double>& m, const Executor& exec) {
  const auto l = static_cast<std::size_t>(m.cols());
  const Matrix<double> zero = Matrix<double>::Zero(m.cols(), m.cols());
  Matrix<double> sum = exec.reduce_blocks(
      static_cast<std::size_t>(m.rows()), kSumBlock, zero,
      [&](std::size_t begin, std::size_t end) {
        Matrix<double> part = zero;
        for (std::size_t r = begin; r < end; ++r) {
          const double* row = row_of(m, r);
          for (std::size_t i = 0; i < l; ++i) {
            double* to = row_of(part, i);
            for (std::size_t j = i; j < l; ++j) to[j] = std::fma(row[i], row[j], to[j]);
          }
        }
        return part;
      },
      [](Matrix<double> total, const Matrix<double>& part) { return Matrix<double>(total + part); });
  for (Eigen::Index i = 0; i < sum.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) sum(i, j) = sum(j, i);
  return sum;
}

// m times a small square matrix, in place.
void turn(Matrix<double>& m, const Matrix<double>& by, const Executor& exec) {
  const auto l = static_cast<std::size_t>(m.cols());
  exec.for_blocks(static_cast<std::size_t>(m.rows()), kRowBlock, [&](std::size_t begin, std::size_t end) {
    std::vector<double> turned(l);
    for (std::size_t r = begin; r < end; ++r) {
      std::fill(turned.begin(), turned.end(), 0.0);
      double* row = row_of(m, r);
      for (std::size_t i = 0; i < l; ++i) {
        const double* from = row_of(by, i);
        for (std::size_t j = 0; j < l; ++j) turned[j] = std::fma(row[i], from[j], turned[j]);
      }
      std::copy(turned.begin(), turned.end(), row);
    }
  });
}

struct Spectrum {
  Vector<double> values;   // descending, not below zero
  Matrix<double> vectors;  // one a column
};

Spectrum eigen(const Matrix<double>& symmetric) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  SEGUE_CHECK(solver.info() == Eigen::Success, "the eigenvalues of a {0} x {0} matrix did not converge",
              symmetric.rows());
  return {solver.eigenvalues().reverse().cwiseMax(0.0), solver.eigenvectors().rowwise().reverse()};
}

// An orthonormal basis of m's columns; zero columns for what is within rounding of the others. Twice, since the first
// pass leaves the rounding of a Gram matrix.
void orthonormalise(Matrix<double>& m, const Executor& exec) {
  for (int pass = 0; pass < 2; ++pass) {
    Spectrum e = eigen(gram(m, exec));
    const double least = e.values.size() == 0 ? 0 : e.values(0) * 1e-14;
    for (Eigen::Index c = 0; c < e.values.size(); ++c)
      e.vectors.col(c) *= e.values(c) > least ? 1 / std::sqrt(e.values(c)) : 0.0;
    turn(m, e.vectors, exec);
  }
}

}  // namespace

TruncatedSvd truncated_svd(const Csr<ItemIdx>& x, std::size_t k, std::size_t oversampling, int iterations,
                           const Rng& rng, const Executor& exec) {
  SEGUE_CHECK(k > 0 && iterations > 0, "{} singular values in {} iterations", k, iterations);
  const std::size_t n = x.cols(), l = std::min(k + oversampling, n);
  const Csr<UserIdx> by_item = x.transposed<UserIdx>();
  Matrix<double> q(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(l));
  exec.for_blocks(n, kRowBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Rng row = rng.stream("test matrix", i);
      for (std::size_t c = 0; c < l; ++c) row_of(q, i)[c] = row.normal();
    }
  });
  for (int it = 0; it < iterations; ++it) {
    q = product(by_item, product(x, q, exec), exec);
    orthonormalise(q, exec);
  }
  const Spectrum e = eigen(gram(product(x, q, exec), exec));  // of X^T X in the basis q
  turn(q, e.vectors, exec);

  const auto width = static_cast<Eigen::Index>(k);
  TruncatedSvd out{Vector<double>::Zero(width), Matrix<double>::Zero(q.rows(), width)};
  for (Eigen::Index c = 0; c < std::min(width, q.cols()); ++c) {
    if (!(e.values(c) > 1e-12 * e.values(0))) break;
    Eigen::Index largest = 0;
    q.col(c).cwiseAbs().maxCoeff(&largest);
    out.values(c) = std::sqrt(e.values(c));
    out.right.col(c) = q.col(c) * (q(largest, c) < 0 ? -1.0 : 1.0);
  }
  return out;
}

}  // namespace segue
