// Natural logarithms and square roots of arrays, sixteen numbers at a time: the same bits for a number wherever it
// stands and whatever the instruction set.
//
// In float, log x = e ln 2 + log m with m in [sqrt(1/2), sqrt(2)), and log m by the polynomial of Cephes' logf (Moshier
// 1989): within one unit in the last place, for normal positive x. In double, std::log.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>

#include "framework/linalg/vector_math.hpp"
#include "framework/linalg/wide.hpp"

namespace segue {

inline void log_wide(const Wide<float>& x, Wide<float>& to) {
  typedef std::int32_t Bits __attribute__((vector_size(64)));
  constexpr std::int32_t kRoot = 0x3f3504f3;  // sqrt(1/2)
  // Subtracting sqrt(1/2) from the pattern leaves the exponent of x relative to [sqrt(1/2), sqrt(2)).
  Bits pattern;
  std::memcpy(&pattern, &x, sizeof pattern);
  const Bits exponent = (pattern - kRoot) >> 23;
  pattern -= exponent << 23;
  Wide<float> m;
  std::memcpy(&m, &pattern, sizeof m);
  const Wide<float> e = __builtin_convertvector(exponent, Wide<float>);
  const Wide<float> r = m - 1.0f, square = r * r;
  Wide<float> p = 7.0376836292e-2f * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  p = p * r * square;
  p += e * -2.12194440e-4f;
  p -= 0.5f * square;
  to = r + p + e * 0.693359375f;
}

// out may be in.
template <class T>
void log_of(std::span<const T> in, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>) {
    for (std::size_t i = 0; i < in.size(); i += kWide) {
      const std::size_t n = std::min(kWide, in.size() - i);
      float part[kWide];
      for (float& x : part) x = 1;
      std::memcpy(part, &in[i], n * sizeof(float));
      Wide<float> x, y;
      load_wide(part, x);
      log_wide(x, y);
      store_wide<float>(y, part);
      std::memcpy(&out[i], part, n * sizeof(float));
    }
  } else {
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::log(in[i]);
  }
}

template <class T>
void sqrt_of(std::span<const T> in, std::span<T> out) {
  if constexpr (std::is_same_v<T, float>)
    map_lanes(in, out, [](Lanes x) { return sqrt(x); });
  else
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::sqrt(in[i]);
}

}  // namespace segue
