// Row-major dense matrices: one row a user, an item or a query. Products of matrices go through the kernels of this
// folder, never through Eigen's operator* on large operands, so that their bits do not depend on batch or threads.
#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <span>

namespace segue {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

// A writable / read-only view of a row-major matrix with unit inner stride.
template <class T>
using MatRef = Eigen::Ref<Matrix<T>, 0, Eigen::OuterStride<>>;
template <class T>
using ConstMatRef = Eigen::Ref<const Matrix<T>, 0, Eigen::OuterStride<>>;

template <class T>
std::span<const T> row_span(const Matrix<T>& m, std::size_t row) {
  return {m.data() + row * static_cast<std::size_t>(m.cols()), static_cast<std::size_t>(m.cols())};
}
template <class T>
std::span<T> row_span(Matrix<T>& m, std::size_t row) {
  return {m.data() + row * static_cast<std::size_t>(m.cols()), static_cast<std::size_t>(m.cols())};
}

}  // namespace segue
