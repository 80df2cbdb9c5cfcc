// The nearest of a few hundred or thousand centroids, by the kernel of scores. Internal to framework/index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/scoring.hpp"

namespace segue {

class Centroids {
 public:
  // squares: the nearest are those at the least squared Euclidean distance; otherwise those of the largest product.
  Centroids(std::size_t dims, bool squares) : rows_(0, static_cast<Eigen::Index>(dims)), squares_(squares) {}

  const Matrix<float>& rows() const { return rows_; }
  void clear() { rows_.resize(0, rows_.cols()); }
  // `count` more, each of `dims` numbers, one behind the other.
  void add(std::size_t count, const float* centroids);

  // The `many` nearest of each query, nearest first, then by number: numbers[q many + i], and their squared distances
  // or products. A query's have the same bits in any batch. exec: null for the caller's thread. SEGUE_CHECK where
  // there are not as many.
  void search(std::size_t count, const float* queries, std::size_t many, float* distances, std::int64_t* numbers,
              const Executor* exec) const;

 private:
  Matrix<float> rows_;
  PackedRows packed_;
  std::vector<float> bias_;
  bool squares_;
};

}  // namespace segue
