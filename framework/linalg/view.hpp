// A view of a row-major matrix with unit inner stride, of any scalar type: what gemm.hpp and framework/nn work on.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "framework/linalg/matrix.hpp"

namespace segue {

// T or const T. Element (r, c) is data[r * stride + c]; stride >= cols. Refers to memory of others.
template <class T>
struct View {
  using Scalar = std::remove_const_t<T>;

  T* data = nullptr;
  std::size_t rows = 0, cols = 0, stride = 0;

  View() = default;
  View(T* data_, std::size_t rows_, std::size_t cols_) : View(data_, rows_, cols_, cols_) {}
  View(T* data_, std::size_t rows_, std::size_t cols_, std::size_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}
  View(Matrix<Scalar>& m) requires(!std::is_const_v<T>)
      : View(m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())) {}
  View(const Matrix<Scalar>& m) requires(std::is_const_v<T>)
      : View(m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())) {}
  operator View<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols, stride}; }

  std::size_t size() const { return rows * cols; }
  T* row(std::size_t r) const { return data + r * stride; }
  std::span<T> span(std::size_t r) const { return {row(r), cols}; }
  T& operator()(std::size_t r, std::size_t c) const { return data[r * stride + c]; }
  // Rows [begin, end), columns [begin, end).
  View some_rows(std::size_t begin, std::size_t end) const {
    return {data + begin * stride, end - begin, cols, stride};
  }
  View some_cols(std::size_t begin, std::size_t end) const { return {data + begin, rows, end - begin, stride}; }
  void fill(Scalar x) const {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < cols; ++c) data[r * stride + c] = x;
  }
};

template <class T>
using ConstView = View<const T>;

}  // namespace segue
