// Sixteen floats in registers, for the few kernels where the compiler's own vectorisation is not to be trusted (GCC 12
// turns a register tile into shuffles). Each lane does what scalar code with std::fma would, and sum() adds in one
// fixed order, so the bits are the same with AVX-512, AVX2 or neither.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

namespace segue {

struct Lanes {
  static constexpr std::size_t kCount = 16;

#if defined(__AVX512F__)
  __m512 v;
  static Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Lanes all(float x) { return {_mm512_set1_ps(x)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  friend Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }    // a b + c, rounded once
  friend Lanes fnma(Lanes a, Lanes b, Lanes c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a b, rounded once
#elif defined(__AVX2__) && defined(__FMA__)
  __m256 v, w;
  static Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Lanes all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  void store(float* p) const { _mm256_storeu_ps(p, v), _mm256_storeu_ps(p + 8, w); }
  friend Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_ps(a.v, b.v), _mm256_add_ps(a.w, b.w)}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {_mm256_sub_ps(a.v, b.v), _mm256_sub_ps(a.w, b.w)}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {_mm256_mul_ps(a.v, b.v), _mm256_mul_ps(a.w, b.w)}; }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v), _mm256_fmadd_ps(a.w, b.w, c.w)};
  }
  friend Lanes fnma(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fnmadd_ps(a.v, b.v, c.v), _mm256_fnmadd_ps(a.w, b.w, c.w)};
  }
#else
  float v[kCount];
  template <class F>
  static Lanes each(F f) {
    Lanes out;
    for (std::size_t l = 0; l < kCount; ++l) out.v[l] = f(l);
    return out;
  }
  static Lanes load(const float* p) {
    return each([&](std::size_t l) { return p[l]; });
  }
  static Lanes all(float x) {
    return each([&](std::size_t) { return x; });
  }
  void store(float* p) const {
    for (std::size_t l = 0; l < kCount; ++l) p[l] = v[l];
  }
  friend Lanes operator+(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] + b.v[l]; });
  }
  friend Lanes operator-(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] - b.v[l]; });
  }
  friend Lanes operator*(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] * b.v[l]; });
  }
  friend Lanes fma(const Lanes& a, const Lanes& b, const Lanes& c) {
    return each([&](std::size_t l) { return std::fma(a.v[l], b.v[l], c.v[l]); });
  }
  friend Lanes fnma(const Lanes& a, const Lanes& b, const Lanes& c) {
    return each([&](std::size_t l) { return std::fma(-a.v[l], b.v[l], c.v[l]); });
  }
#endif

  static Lanes zero() { return all(0); }
  // Lanes l and l + 8 are added, then l and l + 4, l + 2, l + 1.
  float sum() const {
#if defined(__AVX512F__)
    // The maskz forms keep GCC 12 from warning of the undefined pass-through operand of the plain ones.
    const __m512d x = _mm512_castps_pd(v);
    const __m256 eight = _mm256_add_ps(_mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, x, 0)),
                                       _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xff, x, 1)));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
#else
    float x[kCount];
    store(x);
    for (std::size_t width = kCount / 2; width > 0; width /= 2)
      for (std::size_t l = 0; l < width; ++l) x[l] += x[l + width];
    return x[0];
#endif
  }
};

// Asks for a row that is to be changed soon.
inline void prefetch_row(const float* row, std::size_t n) {
  for (std::size_t d = 0; d < n; d += Lanes::kCount) __builtin_prefetch(row + d, 1);
}

// The inner product of two vectors of the same length: sixteen chains of fused multiply-adds, then Lanes::sum(). Faster
// than dot_in_order() of scoring.hpp and with other bits: for training, not for scores.
inline float lane_dot(std::span<const float> a, std::span<const float> b) {
  const std::size_t n = a.size(), whole = n / Lanes::kCount * Lanes::kCount;
  Lanes sum = Lanes::zero();
  for (std::size_t d = 0; d < whole; d += Lanes::kCount) sum = fma(Lanes::load(&a[d]), Lanes::load(&b[d]), sum);
  float total = sum.sum();
  for (std::size_t d = whole; d < n; ++d) total = std::fma(a[d], b[d], total);
  return total;
}

}  // namespace segue
