// Sixteen floats in registers, for the few kernels where the compiler's own vectorisation is not to be trusted (GCC 12
// turns a register tile into shuffles). Each lane does what scalar code with std::fma would, and sum() adds in one
// fixed order, so the bits are the same with AVX-512, AVX2 or neither. Comparisons give one bit a lane, lane 0 lowest.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

namespace segue {

struct Lanes {
  static constexpr std::size_t kCount = 16;

#if defined(__AVX512F__)
  static constexpr std::size_t kRegisters = 32;  // how many Lanes the machine's registers hold
  __m512 v;
  static Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Lanes all(float x) { return {_mm512_set1_ps(x)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  friend Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }    // a b + c, rounded once
  friend Lanes fnma(Lanes a, Lanes b, Lanes c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a b, rounded once
  friend Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
  friend std::uint32_t above(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ); }
  friend std::uint32_t at_least(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ); }
  void pick(std::uint32_t bits, std::uint32_t first, float* values, std::uint32_t* numbers) const {
    const auto wanted = static_cast<__mmask16>(bits);
    const __m512i own = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm512_storeu_ps(values, _mm512_maskz_compress_ps(wanted, v));
    _mm512_storeu_si512(
        numbers, _mm512_maskz_compress_epi32(wanted, _mm512_add_epi32(own, _mm512_set1_epi32(static_cast<int>(first)))));
  }
  // The maskz forms keep GCC 12 from warning of the undefined pass-through operand of the plain ones.
  friend Lanes sqrt(Lanes a) { return {_mm512_maskz_sqrt_ps(kAll, a.v)}; }
  friend Lanes max(Lanes a, Lanes b) { return {_mm512_maskz_max_ps(kAll, a.v, b.v)}; }  // b where either is NaN
  friend Lanes min(Lanes a, Lanes b) { return {_mm512_maskz_min_ps(kAll, a.v, b.v)}; }
  // The whole number nearest to a, ties to even, and a 2^n for whole n in [-126, 127].
  friend Lanes nearest(Lanes a) { return {_mm512_maskz_roundscale_ps(kAll, a.v, 8)}; }
  friend Lanes scale(Lanes a, Lanes n) { return {_mm512_maskz_scalef_ps(kAll, a.v, n.v)}; }
  Lanes spread(int lane) const { return {_mm512_maskz_permutexvar_ps(kAll, _mm512_set1_epi32(lane), v)}; }
  static Lanes load_part(const float* p, std::size_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  void store_part(float* p, std::size_t n) const { _mm512_mask_storeu_ps(p, first(n), v); }
  Lanes without(std::uint32_t bits) const { return {_mm512_maskz_mov_ps(static_cast<__mmask16>(~bits), v)}; }
  static Lanes sums(const Lanes (&x)[kCount]) {
    __m512 half[8], quarter[4], pair[2];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i)  // lanes 0 to 7 of x[i], 8 to 15 of x[i + 8]
      half[i] = _mm512_add_ps(_mm512_maskz_shuffle_f32x4(kAll, x[i].v, x[i + 8].v, 0x44),
                              _mm512_maskz_shuffle_f32x4(kAll, x[i].v, x[i + 8].v, 0xee));
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)  // four lanes each of x[i], x[i + 8], x[i + 4], x[i + 12]
      quarter[i] = _mm512_add_ps(_mm512_maskz_shuffle_f32x4(kAll, half[i], half[i + 4], 0x88),
                                 _mm512_maskz_shuffle_f32x4(kAll, half[i], half[i + 4], 0xdd));
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
      pair[i] = _mm512_add_ps(_mm512_maskz_shuffle_ps(kAll, quarter[i], quarter[i + 2], 0x44),
                              _mm512_maskz_shuffle_ps(kAll, quarter[i], quarter[i + 2], 0xee));
    const __m512 one = _mm512_add_ps(_mm512_maskz_shuffle_ps(kAll, pair[0], pair[1], 0x88),
                                     _mm512_maskz_shuffle_ps(kAll, pair[0], pair[1], 0xdd));
    const __m512i order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
    return {_mm512_maskz_permutexvar_ps(kAll, order, one)};
  }

 private:
  static constexpr __mmask16 kAll = 0xffff;
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }

 public:
#elif defined(__AVX2__) && defined(__FMA__)
  static constexpr std::size_t kRegisters = 8;
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
  friend Lanes operator/(Lanes a, Lanes b) { return {_mm256_div_ps(a.v, b.v), _mm256_div_ps(a.w, b.w)}; }
  friend std::uint32_t above(Lanes a, Lanes b) {
    return bits(_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ), _mm256_cmp_ps(a.w, b.w, _CMP_GT_OQ));
  }
  friend std::uint32_t at_least(Lanes a, Lanes b) {
    return bits(_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ), _mm256_cmp_ps(a.w, b.w, _CMP_GE_OQ));
  }
  friend Lanes sqrt(Lanes a) { return {_mm256_sqrt_ps(a.v), _mm256_sqrt_ps(a.w)}; }
  friend Lanes max(Lanes a, Lanes b) { return {_mm256_max_ps(a.v, b.v), _mm256_max_ps(a.w, b.w)}; }
  friend Lanes min(Lanes a, Lanes b) { return {_mm256_min_ps(a.v, b.v), _mm256_min_ps(a.w, b.w)}; }
  friend Lanes nearest(Lanes a) { return {_mm256_round_ps(a.v, 8), _mm256_round_ps(a.w, 8)}; }
  friend Lanes scale(Lanes a, Lanes n) {
    return {_mm256_mul_ps(a.v, power_of_two(n.v)), _mm256_mul_ps(a.w, power_of_two(n.w))};
  }

 private:
  static __m256 power_of_two(__m256 n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
  }
  static std::uint32_t bits(__m256 low, __m256 high) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(low) | _mm256_movemask_ps(high) << 8);
  }

 public:
#else
  static constexpr std::size_t kRegisters = 8;
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
  friend Lanes operator/(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] / b.v[l]; });
  }
  friend std::uint32_t above(const Lanes& a, const Lanes& b) {
    std::uint32_t bits = 0;
    for (std::size_t l = 0; l < kCount; ++l) bits |= (a.v[l] > b.v[l] ? 1u : 0u) << l;
    return bits;
  }
  friend std::uint32_t at_least(const Lanes& a, const Lanes& b) {
    std::uint32_t bits = 0;
    for (std::size_t l = 0; l < kCount; ++l) bits |= (a.v[l] >= b.v[l] ? 1u : 0u) << l;
    return bits;
  }
  friend Lanes sqrt(const Lanes& a) {
    return each([&](std::size_t l) { return std::sqrt(a.v[l]); });
  }
  friend Lanes max(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] > b.v[l] ? a.v[l] : b.v[l]; });
  }
  friend Lanes min(const Lanes& a, const Lanes& b) {
    return each([&](std::size_t l) { return a.v[l] < b.v[l] ? a.v[l] : b.v[l]; });
  }
  friend Lanes nearest(const Lanes& a) {
    return each([&](std::size_t l) { return std::nearbyint(a.v[l]); });
  }
  friend Lanes scale(const Lanes& a, const Lanes& n) {
    return each(
        [&](std::size_t l) { return std::isnan(n.v[l]) ? n.v[l] : std::ldexp(a.v[l], static_cast<int>(n.v[l])); });
  }
#endif
#if !defined(__AVX512F__)
  // The lanes whose bit is set, one after the other, and for each its number counted from `first`. Overwrites sixteen
  // places of both arrays, whatever the bits.
  void pick(std::uint32_t bits, std::uint32_t first, float* values, std::uint32_t* numbers) const {
    float x[kCount];
    store(x);
    for (std::size_t n = 0; bits != 0; bits &= bits - 1, ++n) {
      const auto lane = static_cast<std::uint32_t>(std::countr_zero(bits));
      values[n] = x[lane];
      numbers[n] = first + lane;
    }
  }
  // Zero in the lanes whose bit is set.
  Lanes without(std::uint32_t bits) const {
    float x[kCount];
    store(x);
    for (std::size_t l = 0; l < kCount; ++l)
      if (bits >> l & 1) x[l] = 0;
    return load(x);
  }
  // Lane `lane` in all lanes.
  Lanes spread(int lane) const {
    float x[kCount];
    store(x);
    return all(x[lane]);
  }
  // The first n < 16 lanes; load_part sets the others to zero, and neither touches memory beyond them.
  static Lanes load_part(const float* p, std::size_t n) {
    float x[kCount] = {};
    for (std::size_t l = 0; l < n; ++l) x[l] = p[l];
    return load(x);
  }
  void store_part(float* p, std::size_t n) const {
    float x[kCount];
    store(x);
    for (std::size_t l = 0; l < n; ++l) p[l] = x[l];
  }
  // Lane l is x[l].sum(), bit for bit.
  static Lanes sums(const Lanes (&x)[kCount]) {
    float out[kCount];
    for (std::size_t l = 0; l < kCount; ++l) out[l] = x[l].sum();
    return load(out);
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

// to[j][i] = from[i][j], 16 x 16.
inline void transpose_lanes(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
#if defined(__AVX512F__)
  constexpr __mmask16 kAll = 0xffff;
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) a[i] = _mm512_loadu_ps(from + i * from_stride);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {  // pairs of rows, then of pairs, within each 128 bits; then the 4 x 4 parts
    b[i] = _mm512_maskz_unpacklo_ps(kAll, a[i], a[i + 1]);
    b[i + 1] = _mm512_maskz_unpackhi_ps(kAll, a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    a[i] = _mm512_maskz_shuffle_ps(kAll, b[i], b[i + 2], 0x44);
    a[i + 1] = _mm512_maskz_shuffle_ps(kAll, b[i], b[i + 2], 0xee);
    a[i + 2] = _mm512_maskz_shuffle_ps(kAll, b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm512_maskz_shuffle_ps(kAll, b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    const __m512 low = _mm512_maskz_shuffle_f32x4(kAll, a[j], a[j + 4], 0x88);
    const __m512 high = _mm512_maskz_shuffle_f32x4(kAll, a[j], a[j + 4], 0xdd);
    const __m512 low2 = _mm512_maskz_shuffle_f32x4(kAll, a[j + 8], a[j + 12], 0x88);
    const __m512 high2 = _mm512_maskz_shuffle_f32x4(kAll, a[j + 8], a[j + 12], 0xdd);
    _mm512_storeu_ps(to + j * to_stride, _mm512_maskz_shuffle_f32x4(kAll, low, low2, 0x88));
    _mm512_storeu_ps(to + (j + 8) * to_stride, _mm512_maskz_shuffle_f32x4(kAll, low, low2, 0xdd));
    _mm512_storeu_ps(to + (j + 4) * to_stride, _mm512_maskz_shuffle_f32x4(kAll, high, high2, 0x88));
    _mm512_storeu_ps(to + (j + 12) * to_stride, _mm512_maskz_shuffle_f32x4(kAll, high, high2, 0xdd));
  }
#else
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t j = 0; j < 16; ++j) to[j * to_stride + i] = from[i * from_stride + j];
#endif
}

// Asks for the cache lines of p[0, n) without waiting for them.
inline void prefetch(const float* p, std::size_t n) {
  for (std::size_t j = 0; j < n; j += 16) __builtin_prefetch(p + j);
}
// The same for lines that are to be written.
inline void prefetch_to_write(float* p, std::size_t n) {
  for (std::size_t j = 0; j < n; j += 16) __builtin_prefetch(p + j, 1);
}

// As many doubles as one register holds; their number differs between machines, what each lane does does not.
struct Doubles {
#if defined(__AVX512F__)
  static constexpr std::size_t kCount = 8;
  __m512d v;
  static Doubles load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static Doubles all(double x) { return {_mm512_set1_pd(x)}; }
  void store(double* p) const { _mm512_storeu_pd(p, v); }
  static Doubles load(const float* p) { return {_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(p))}; }
  friend Doubles operator+(Doubles a, Doubles b) { return {_mm512_add_pd(a.v, b.v)}; }
  friend Doubles operator-(Doubles a, Doubles b) { return {_mm512_sub_pd(a.v, b.v)}; }
  friend Doubles operator*(Doubles a, Doubles b) { return {_mm512_mul_pd(a.v, b.v)}; }
  friend Doubles fma(Doubles a, Doubles b, Doubles c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
  friend unsigned above(Doubles a, Doubles b) { return _mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ); }  // bit l: a > b
#elif defined(__AVX2__) && defined(__FMA__)
  static constexpr std::size_t kCount = 4;
  __m256d v;
  static Doubles load(const double* p) { return {_mm256_loadu_pd(p)}; }
  static Doubles all(double x) { return {_mm256_set1_pd(x)}; }
  void store(double* p) const { _mm256_storeu_pd(p, v); }
  static Doubles load(const float* p) { return {_mm256_cvtps_pd(_mm_loadu_ps(p))}; }
  friend Doubles operator+(Doubles a, Doubles b) { return {_mm256_add_pd(a.v, b.v)}; }
  friend Doubles operator-(Doubles a, Doubles b) { return {_mm256_sub_pd(a.v, b.v)}; }
  friend Doubles operator*(Doubles a, Doubles b) { return {_mm256_mul_pd(a.v, b.v)}; }
  friend Doubles fma(Doubles a, Doubles b, Doubles c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
  friend unsigned above(Doubles a, Doubles b) {
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)));
  }
#else
  static constexpr std::size_t kCount = 1;
  double v;
  static Doubles load(const double* p) { return {*p}; }
  static Doubles all(double x) { return {x}; }
  void store(double* p) const { *p = v; }
  static Doubles load(const float* p) { return {double{*p}}; }
  friend Doubles operator+(Doubles a, Doubles b) { return {a.v + b.v}; }
  friend Doubles operator-(Doubles a, Doubles b) { return {a.v - b.v}; }
  friend Doubles operator*(Doubles a, Doubles b) { return {a.v * b.v}; }
  friend Doubles fma(Doubles a, Doubles b, Doubles c) { return {std::fma(a.v, b.v, c.v)}; }
  friend unsigned above(Doubles a, Doubles b) { return a.v > b.v ? 1u : 0u; }
#endif
};

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
