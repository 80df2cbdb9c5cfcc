// Exponentials of whole arrays, the same bits for an element wherever it stands and whatever the instruction set.
//
// exp: 2^n times a polynomial of degree 6 on [-ln 2 / 2, ln 2 / 2] (the reduction of Cody & Waite 1980 in two parts),
// within 2 units in the last place for arguments in [-87, 88]; below it gives 0, above it 88's value rather than
// infinity. NaN stays NaN, so that a diverged network is seen. In double, for gradient checks, std::exp.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "framework/linalg/simd.hpp"

namespace segue {

inline Lanes exp(Lanes x) {
  const Lanes low = Lanes::all(-87.0f);
  const std::uint32_t vanishes = above(low, x);
  x = min(Lanes::all(88.0f), max(low, x));  // where either is NaN these give the second
  const Lanes n = nearest(x * Lanes::all(1.44269504f));
  Lanes r = fnma(n, Lanes::all(0.693359375f), x);
  r = fnma(n, Lanes::all(-2.12194440e-4f), r);
  Lanes p = Lanes::all(1.0f / 720);
  p = fma(p, r, Lanes::all(1.0f / 120));
  p = fma(p, r, Lanes::all(1.0f / 24));
  p = fma(p, r, Lanes::all(1.0f / 6));
  p = fma(p, r, Lanes::all(0.5f));
  p = fma(p, r, Lanes::all(1.0f));
  p = fma(p, r, Lanes::all(1.0f));
  const Lanes y = scale(p, n);
  return vanishes == 0 ? y : y.without(vanishes);
}

// f of every element, sixteen at a time; the last ones go through the same instructions.
template <class F>
void map_lanes(std::span<const float> in, std::span<float> out, F f) {
  constexpr std::size_t kLanes = Lanes::kCount;
  std::size_t i = 0;
  for (; i + kLanes <= in.size(); i += kLanes) f(Lanes::load(&in[i])).store(&out[i]);
  if (i < in.size()) f(Lanes::load_part(&in[i], in.size() - i)).store_part(&out[i], in.size() - i);
}

inline Lanes sigmoid(Lanes x) {
  const Lanes one = Lanes::all(1);
  return one / (one + exp(Lanes::zero() - x));
}
inline Lanes tanh(Lanes x) {  // 1 - 2 / (e^2x + 1): absolute error under 2e-7
  const Lanes one = Lanes::all(1), two = Lanes::all(2);
  return one - two / (exp(two * x) + one);
}
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
void exp_of(std::span<const T> in, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>)
    map_lanes(in, out, [](Lanes x) { return exp(x); });
  else
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::exp(in[i]);
}
template <class T>
void sigmoid_of(std::span<const T> in, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>)
    map_lanes(in, out, [](Lanes x) { return sigmoid(x); });
  else
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = sigmoid(in[i]);
}
template <class T>
void tanh_of(std::span<const T> in, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>)
    map_lanes(in, out, [](Lanes x) { return tanh(x); });
  else
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::tanh(in[i]);
}

}  // namespace segue
