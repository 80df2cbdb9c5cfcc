#include "framework/nn/norm.hpp"

#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

void check(std::size_t rows, std::size_t cols, std::size_t stats_rows, std::size_t stats_cols, std::size_t wanted) {
  SEGUE_CHECK(stats_rows == rows && stats_cols == wanted && cols > 0, "norm of {}x{}: stats {}x{}", rows, cols,
              stats_rows, stats_cols);
}

}  // namespace

template <class T>
void layer_norm_forward(ConstView<T> x, ConstView<T> gain, ConstView<T> shift, double epsilon, View<T> y,
                        View<T> stats) {
  using V = LaneOf<T>;
  check(x.rows, x.cols, stats.rows, stats.cols, 2);
  SEGUE_CHECK(gain.size() == x.cols && shift.size() == x.cols && y.rows == x.rows && y.cols == x.cols,
              "layer norm of {}x{} into {}x{}", x.rows, x.cols, y.rows, y.cols);
  const double d = static_cast<double>(x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T* from = x.row(r);
    V sum = all<V>(0);
    for_parts<T>(x.cols, [&](auto part) { sum = sum + part.load(from); });
    const double mean = total(sum) / d;
    const V center = all<V>(mean);
    V squares = all<V>(0);
    for_parts<T>(x.cols, [&](auto part) {
      const V c = only(part, part.load(from) - center);
      squares = fma(c, c, squares);
    });
    const double scale = 1 / std::sqrt(total(squares) / d + epsilon);
    stats(r, 0) = static_cast<T>(mean);
    stats(r, 1) = static_cast<T>(scale);
    const V by = all<V>(scale);
    T* to = y.row(r);
    for_parts<T>(x.cols, [&](auto part) {
      part.store(to, fma((part.load(from) - center) * by, part.load(gain.data), part.load(shift.data)));
    });
  }
}

template <class T>
void layer_norm_backward(ConstView<T> x, ConstView<T> gain, ConstView<T> stats, ConstView<T> dy, View<T> dx,
                         View<T> dgain, View<T> dshift) {
  using V = LaneOf<T>;
  check(x.rows, x.cols, stats.rows, stats.cols, 2);
  SEGUE_CHECK(dy.rows == x.rows && dy.cols == x.cols && dx.rows == x.rows && dx.cols == x.cols &&
                  dgain.size() == x.cols && dshift.size() == x.cols,
              "layer norm's gradient {}x{} into {}x{}", dy.rows, dy.cols, dx.rows, dx.cols);
  const double d = static_cast<double>(x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T *from = x.row(r), *out = dy.row(r);
    const V center = all<V>(static_cast<double>(stats(r, 0))), by = all<V>(static_cast<double>(stats(r, 1)));
    V sum = all<V>(0), along = all<V>(0);  // of g and g z, with z the normalised row and g = gain dy
    for_parts<T>(x.cols, [&](auto part) {
      const V z = (part.load(from) - center) * by, given = part.load(out), g = given * part.load(gain.data);
      sum = sum + g;
      along = fma(g, z, along);
      part.store(dgain.data, fma(given, z, part.load(dgain.data)));
      part.store(dshift.data, given + part.load(dshift.data));
    });
    const V mean = all<V>(total(sum) / d), slope = all<V>(total(along) / d);
    T* to = dx.row(r);
    for_parts<T>(x.cols, [&](auto part) {
      const V z = (part.load(from) - center) * by, g = part.load(out) * part.load(gain.data);
      part.store(to, by * (g - mean - z * slope));
    });
  }
}

template <class T>
void rms_norm_forward(ConstView<T> x, ConstView<T> gain, double epsilon, View<T> y, View<T> stats) {
  using V = LaneOf<T>;
  check(x.rows, x.cols, stats.rows, stats.cols, 1);
  SEGUE_CHECK(gain.size() == x.cols && y.rows == x.rows && y.cols == x.cols, "RMS norm of {}x{} into {}x{}", x.rows,
              x.cols, y.rows, y.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T* from = x.row(r);
    V squares = all<V>(0);
    for_parts<T>(x.cols, [&](auto part) {
      const V c = part.load(from);
      squares = fma(c, c, squares);
    });
    const double scale = 1 / std::sqrt(total(squares) / static_cast<double>(x.cols) + epsilon);
    stats(r, 0) = static_cast<T>(scale);
    const V by = all<V>(scale);
    T* to = y.row(r);
    for_parts<T>(x.cols, [&](auto part) { part.store(to, part.load(from) * by * part.load(gain.data)); });
  }
}

template <class T>
void rms_norm_backward(ConstView<T> x, ConstView<T> gain, ConstView<T> stats, ConstView<T> dy, View<T> dx,
                       View<T> dgain) {
  using V = LaneOf<T>;
  check(x.rows, x.cols, stats.rows, stats.cols, 1);
  SEGUE_CHECK(
      dy.rows == x.rows && dy.cols == x.cols && dx.rows == x.rows && dx.cols == x.cols && dgain.size() == x.cols,
      "RMS norm's gradient {}x{} into {}x{}", dy.rows, dy.cols, dx.rows, dx.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T *from = x.row(r), *out = dy.row(r);
    const V by = all<V>(static_cast<double>(stats(r, 0)));
    V along = all<V>(0);
    for_parts<T>(x.cols, [&](auto part) {
      const V z = part.load(from) * by, given = part.load(out);
      along = fma(given * part.load(gain.data), z, along);
      part.store(dgain.data, fma(given, z, part.load(dgain.data)));
    });
    const V slope = all<V>(total(along) / static_cast<double>(x.cols));
    T* to = dx.row(r);
    for_parts<T>(x.cols, [&](auto part) {
      const V z = part.load(from) * by, g = part.load(out) * part.load(gain.data);
      part.store(to, by * (g - z * slope));
    });
  }
}

#define SEGUE_INSTANTIATE(T)                                                                                  \
  template void layer_norm_forward(ConstView<T>, ConstView<T>, ConstView<T>, double, View<T>, View<T>);       \
  template void layer_norm_backward(ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>, View<T>, \
                                    View<T>);                                                                 \
  template void rms_norm_forward(ConstView<T>, ConstView<T>, double, View<T>, View<T>);                       \
  template void rms_norm_backward(ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>, View<T>);
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue::nn
