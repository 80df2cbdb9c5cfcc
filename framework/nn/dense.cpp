#include "framework/nn/dense.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

// f(a, b) of every element.
template <class T, class F>
void each(ConstView<T> a, ConstView<T> b, View<T> out, F f) {
  for (std::size_t r = 0; r < out.rows; ++r)
    for_parts<T>(out.cols, [&, x = a.row(r), y = b.row(r), to = out.row(r)](auto part) {
      part.store(to, f(part.load(x), part.load(y)));
    });
}

constexpr double kGeluScale = 0.7978845608028654;  // sqrt(2 / pi)
constexpr double kGeluCubic = 0.044715;

template <class V>
V apply(Activation f, V x) {
  using segue::sigmoid;
  switch (f) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return max(x, all<V>(0));
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kTanh:
      return tanh(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kGelu:
      break;
  }
  const V inner = all<V>(kGeluScale) * (x + all<V>(kGeluCubic) * x * x * x);
  return all<V>(0.5) * x * (all<V>(1) + tanh(inner));
}

template <class V>
V slope(Activation f, V x, V dy) {
  using segue::sigmoid;
  const V one = all<V>(1);
  switch (f) {
    case Activation::kNone:
      return dy;
    case Activation::kRelu:
      return where_positive(x, dy);
    case Activation::kSilu: {
      const V s = sigmoid(x);
      return dy * (s * (one + x * (one - s)));
    }
    case Activation::kTanh: {
      const V t = tanh(x);
      return dy * (one - t * t);
    }
    case Activation::kSigmoid: {
      const V s = sigmoid(x);
      return dy * (s * (one - s));
    }
    case Activation::kGelu:
      break;
  }
  const V cubic = all<V>(kGeluCubic), half = all<V>(0.5), scale = all<V>(kGeluScale);
  const V t = tanh(scale * (x + cubic * x * x * x));
  const V inner = scale * (one + all<V>(3) * cubic * x * x);
  return dy * (half * (one + t) + half * x * (one - t * t) * inner);
}

}  // namespace

template <class T>
void dense_forward(ConstView<T> x, ConstView<T> w, ConstView<T> bias, View<T> y) {
  SEGUE_CHECK(bias.rows == 0 || (bias.rows == 1 && bias.cols == y.cols), "dense: bias {}x{} for {} outputs", bias.rows,
              bias.cols, y.cols);
  if (bias.rows == 0) return gemm(x, w, y);
  for (std::size_t r = 0; r < y.rows; ++r)  // not copied by the library: a call a row costs more than the row
    for_parts<T>(y.cols, [from = bias.data, to = y.row(r)](auto part) { part.store(to, part.load(from)); });
  gemm(x, w, y, Gemm::kAdd);
}

template <class T>
void dense_backward_input(ConstView<T> dy, ConstView<T> w, View<T> dx, Gemm mode) {
  gemm_nt(dy, w, dx, mode);
}

template <class T>
void dense_backward_params(ConstView<T> x, ConstView<T> dy, View<T> dw, View<T> dbias) {
  gemm_tn(x, dy, dw, Gemm::kAdd);
  if (dbias.rows > 0) add_column_sums(dy, dbias);
}

template <class T>
void add_column_sums(ConstView<T> x, View<T> sums) {
  SEGUE_CHECK(sums.rows == 1 && sums.cols == x.cols, "column sums of {}x{} into {}x{}", x.rows, x.cols, sums.rows,
              sums.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T* row = x.row(r);
    for (std::size_t c = 0; c < x.cols; ++c) sums.data[c] += row[c];
  }
}

template <class T>
void activate(Activation f, ConstView<T> x, View<T> y) {
  SEGUE_CHECK(x.rows == y.rows && x.cols == y.cols, "activation of {}x{} into {}x{}", x.rows, x.cols, y.rows, y.cols);
  each<T>(x, x, y, [f](auto in, auto) { return apply(f, in); });
}

template <class T>
void activate_backward(Activation f, ConstView<T> x, ConstView<T> dy, View<T> dx) {
  SEGUE_CHECK(x.rows == dx.rows && x.cols == dx.cols && dy.rows == dx.rows && dy.cols == dx.cols,
              "activation's gradient: {}x{}, {}x{} into {}x{}", x.rows, x.cols, dy.rows, dy.cols, dx.rows, dx.cols);
  each<T>(x, dy, dx, [f](auto in, auto d) { return slope(f, in, d); });
}

template void dense_forward(ConstView<float>, ConstView<float>, ConstView<float>, View<float>);
template void dense_forward(ConstView<double>, ConstView<double>, ConstView<double>, View<double>);
template void dense_backward_input(ConstView<float>, ConstView<float>, View<float>, Gemm);
template void dense_backward_input(ConstView<double>, ConstView<double>, View<double>, Gemm);
template void dense_backward_params(ConstView<float>, ConstView<float>, View<float>, View<float>);
template void dense_backward_params(ConstView<double>, ConstView<double>, View<double>, View<double>);
template void add_column_sums(ConstView<float>, View<float>);
template void add_column_sums(ConstView<double>, View<double>);
template void activate(Activation, ConstView<float>, View<float>);
template void activate(Activation, ConstView<double>, View<double>);
template void activate_backward(Activation, ConstView<float>, ConstView<float>, View<float>);
template void activate_backward(Activation, ConstView<double>, ConstView<double>, View<double>);

}  // namespace segue::nn
