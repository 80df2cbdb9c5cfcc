#include "framework/linalg/spd_solve.hpp"

#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/linalg/tiles.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;

// A window into zeros and ones: lanes above `lane` are one, the others zero.
Lanes ones_above(std::size_t lane) {
  alignas(64) static constexpr float kSteps[2 * kLanes] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                           1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return Lanes::load(kSteps + (kLanes - 1 - lane));
}

// Sixteen rows of one vector each, eliminated from the top: row u -= factors[t][u] row t, t < u.
void eliminate_rows(Lanes (&v)[kLanes], const float* factors) {
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t) {
#pragma GCC unroll 16
    for (std::size_t u = t + 1; u < kLanes; ++u) v[u] = fnma(Lanes::all(factors[t * kLanes + u]), v[t], v[u]);
  }
}

}  // namespace

SpdSolver::SpdSolver(std::size_t width)
    : width_(width),
      factors_(16, 16),
      inverses_(static_cast<Eigen::Index>(width), 16),
      roots_(1, static_cast<Eigen::Index>(width)) {
  SEGUE_CHECK(width > 0 && width % kLanes == 0, "a system of {} unknowns, not of whole vectors", width);
}

// One strip, whose earlier rows are already taken off: factors_, inverses_, roots_ and the rows of U right of the
// diagonal block.
bool SpdSolver::eliminate(float* a, std::size_t stride, std::size_t first) {
  float* factors = factors_.data();
  float* roots = roots_.data() + first;
  Lanes v[kLanes];
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t) v[t] = Lanes::load(a + t * stride + first);
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t) {
    const Lanes pivot = v[t].spread(static_cast<int>(t));
    const Lanes row = v[t] / pivot;
    (row * ones_above(t)).store(factors + t * kLanes);
    pivot.store_part(roots + t, 1);
#pragma GCC unroll 16
    for (std::size_t u = t + 1; u < kLanes; ++u) v[u] = fnma(v[t].spread(static_cast<int>(u)), row, v[u]);
  }
  bool positive = true;
  for (std::size_t t = 0; t < kLanes; ++t) positive &= roots[t] > 0 && std::isfinite(roots[t]);
  if (!positive) return false;
  (Lanes::all(1) / sqrt(Lanes::load(roots))).store(roots);

  for (std::size_t j = first + kLanes; j < width_; j += kLanes) {
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kLanes; ++t) v[t] = Lanes::load(a + t * stride + j);
    eliminate_rows(v, factors);
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kLanes; ++t) (v[t] * Lanes::all(roots[t])).store(a + t * stride + j);
  }
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t)
    v[t] = t == 0 ? Lanes::all(1) - ones_above(0) : ones_above(t - 1) - ones_above(t);
  eliminate_rows(v, factors);
  float* inverse = inverses_.data() + first * kLanes;
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t) v[t].store(inverse + t * kLanes);
  return true;
}

// U^T z = b for the strip, z over b.
void SpdSolver::forward(const float* a, std::size_t stride, std::size_t first, float* b) const {
  Lanes z = Lanes::load(b + first), other[3] = {Lanes::zero(), Lanes::zero(), Lanes::zero()};
  for (std::size_t p = 0; p < first; p += 4) {
    z = fnma(Lanes::all(b[p]), Lanes::load(a + p * stride + first), z);
    for (std::size_t k = 1; k < 4; ++k)
      other[k - 1] = fma(Lanes::all(b[p + k]), Lanes::load(a + (p + k) * stride + first), other[k - 1]);
  }
  z = z - (other[0] + (other[1] + other[2]));
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t)
    z = fnma(z.spread(static_cast<int>(t)), Lanes::load(factors_.data() + t * kLanes), z);
  (z * Lanes::load(roots_.data() + first)).store(b + first);
}

// U x = z for the strip, x over z; later strips are already solved.
void SpdSolver::backward(const float* a, std::size_t stride, std::size_t first, float* b) const {
  Lanes acc[kLanes];
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t) acc[t] = Lanes::zero();
  for (std::size_t j = first + kLanes; j < width_; j += kLanes) {
    const Lanes x = Lanes::load(b + j);
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kLanes; ++t) acc[t] = fma(Lanes::load(a + (first + t) * stride + j), x, acc[t]);
  }
  const Lanes y = (Lanes::load(b + first) - Lanes::sums(acc)) * Lanes::load(roots_.data() + first);
  const float* inverse = inverses_.data() + first * kLanes;
  Lanes sum[4] = {Lanes::zero(), Lanes::zero(), Lanes::zero(), Lanes::zero()};
#pragma GCC unroll 16
  for (std::size_t t = 0; t < kLanes; ++t)
    sum[t % 4] = fma(y.spread(static_cast<int>(t)), Lanes::load(inverse + t * kLanes), sum[t % 4]);
  ((sum[0] + sum[1]) + (sum[2] + sum[3])).store(b + first);
}

std::optional<double> SpdSolver::solve(float* a, std::size_t stride, std::span<float> b) {
  SEGUE_CHECK(b.size() == width_ && stride >= width_, "a right side of {} values and a stride of {} for {} unknowns",
              b.size(), stride, width_);
  for (std::size_t first = 0; first < width_; first += kLanes) {
    float* strip = a + first * stride;
    fold_strip<Fold::kSubtract>(strip, stride, a, stride, first, width_, first);
    if (!eliminate(strip, stride, first)) return std::nullopt;
    forward(a, stride, first, b.data());
  }
  double explained = 0;
  for (float z : b) explained += static_cast<double>(z) * static_cast<double>(z);
  for (std::size_t first = width_; first > 0; first -= kLanes) backward(a, stride, first - kLanes, b.data());
  return explained;
}

}  // namespace segue
