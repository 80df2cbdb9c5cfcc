// One kernel text for float, sixteen at a time, and for double, one at a time: for the kernels of networks, here and in
// the folders of models.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>

#include "framework/linalg/vector_math.hpp"

namespace segue::nn {

// Where a kernel stands in an array: [at, at + n), n <= 16 floats or one double.
struct FloatPart {
  using V = Lanes;
  std::size_t at, n;
  V load(const float* p) const { return n == V::kCount ? V::load(p + at) : V::load_part(p + at, n); }
  void store(float* p, V x) const { n == V::kCount ? x.store(p + at) : x.store_part(p + at, n); }
};
struct DoublePart {
  using V = double;
  std::size_t at;
  V load(const double* p) const { return p[at]; }
  void store(double* p, V x) const { p[at] = x; }
};

template <class T>
using LaneOf = std::conditional_t<std::is_same_v<T, float>, Lanes, double>;

template <class V>
V all(double x) {
  if constexpr (std::is_same_v<V, Lanes>)
    return Lanes::all(static_cast<float>(x));
  else
    return x;
}
inline double max(double a, double b) { return a > b ? a : b; }
inline double min(double a, double b) { return a < b ? a : b; }
inline double sqrt(double a) { return std::sqrt(a); }
inline double exp(double a) { return std::exp(a); }
inline double tanh(double a) { return std::tanh(a); }
inline double fma(double a, double b, double c) { return std::fma(a, b, c); }
// y where x > 0, else 0.
inline Lanes where_positive(Lanes x, Lanes y) { return y.without(~above(x, Lanes::zero())); }
inline double where_positive(double x, double y) { return x > 0 ? y : 0; }

inline double total(double x) { return x; }
inline double total(Lanes x) { return static_cast<double>(x.sum()); }
// x, and zero in the lanes beyond the end.
inline Lanes only(const FloatPart& part, Lanes x) {
  return part.n == Lanes::kCount ? x : x.without(~0u << part.n & 0xffffu);
}
inline double only(const DoublePart&, double x) { return x; }

// f(part) over [0, n).
template <class T, class F>
void for_parts(std::size_t n, F f) {
  if constexpr (std::is_same_v<T, float>) {
    std::size_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) f(FloatPart{i, Lanes::kCount});
    if (i < n) f(FloatPart{i, n - i});
  } else {
    for (std::size_t i = 0; i < n; ++i) f(DoublePart{i});
  }
}

}  // namespace segue::nn
