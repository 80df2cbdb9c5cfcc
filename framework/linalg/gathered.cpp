#include "framework/linalg/gathered.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kChunk = 4;  // vectors of an output kept in registers, twice: one for even, one for odd rows

// Where sixteen rows begin; those beyond the end repeat the first.
struct Group {
  Group(const Matrix<float>& rows, std::span<const std::uint32_t> which, std::size_t begin, std::size_t first,
        std::size_t n, Cache cache) {
    const std::size_t stride = static_cast<std::size_t>(rows.cols());
    count = std::min(kLanes, which.size() - begin);
    for (std::size_t e = 0; e < kLanes; ++e) y[e] = rows.data() + which[begin + (e < count ? e : 0)] * stride + first;
    if (cache == Cache::kWarm) return;
    for (std::size_t e = begin + kLanes; e < std::min(begin + 2 * kLanes, which.size()); ++e)
      prefetch(rows.data() + which[e] * stride + first, n);
  }
  const float* y[kLanes];
  std::size_t count;
};

// Lane e: <y[e], x>.
Lanes dots(const float* const (&y)[kLanes], std::span<const float> x) {
  Lanes acc[kLanes];
#pragma GCC unroll 16
  for (std::size_t e = 0; e < kLanes; ++e) acc[e] = Lanes::zero();
  std::size_t j = 0;
  for (; j + kLanes <= x.size(); j += kLanes) {
    const Lanes part = Lanes::load(&x[j]);
#pragma GCC unroll 16
    for (std::size_t e = 0; e < kLanes; ++e) acc[e] = fma(Lanes::load(y[e] + j), part, acc[e]);
  }
  if (const std::size_t n = x.size() - j; n > 0) [[unlikely]] {
    const Lanes part = Lanes::load_part(x.data() + j, n);
#pragma GCC unroll 16
    for (std::size_t e = 0; e < kLanes; ++e) acc[e] = fma(Lanes::load_part(y[e] + j, n), part, acc[e]);
  }
  return Lanes::sums(acc);
}

// out += sum over r < count of f[r] row(r), rows ascending, even and odd rows apart. count is even.
template <class Row>
void add_rows(std::span<float> out, std::size_t count, const float* f, Row row) {
  std::size_t j = 0;
  for (; j + kChunk * kLanes <= out.size(); j += kChunk * kLanes) {
    Lanes even[kChunk], odd[kChunk];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kChunk; ++v) even[v] = Lanes::load(&out[j + v * kLanes]), odd[v] = Lanes::zero();
    for (std::size_t r = 0; r < count; r += 2) {
      const float *a = row(r) + j, *b = row(r + 1) + j;
      const Lanes fa = Lanes::all(f[r]), fb = Lanes::all(f[r + 1]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kChunk; ++v) {
        even[v] = fma(fa, Lanes::load(a + v * kLanes), even[v]);
        odd[v] = fma(fb, Lanes::load(b + v * kLanes), odd[v]);
      }
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kChunk; ++v) (even[v] + odd[v]).store(&out[j + v * kLanes]);
  }
  for (; j < out.size(); j += kLanes) {
    const std::size_t n = std::min(kLanes, out.size() - j);
    Lanes even = Lanes::load_part(&out[j], n), odd = Lanes::zero();
    for (std::size_t r = 0; r < count; r += 2) {
      even = fma(Lanes::all(f[r]), Lanes::load_part(row(r) + j, n), even);
      odd = fma(Lanes::all(f[r + 1]), Lanes::load_part(row(r + 1) + j, n), odd);
    }
    (even + odd).store_part(&out[j], n);
  }
}

}  // namespace

void gathered_dots(const Matrix<float>& rows, std::span<const std::uint32_t> which, std::span<const float> x,
                   std::span<float> out, std::size_t first, Cache cache) {
  SEGUE_CHECK(first + x.size() <= static_cast<std::size_t>(rows.cols()) && out.size() == which.size(),
              "{} of {} columns from {}, {} results of {} rows", x.size(), rows.cols(), first, out.size(),
              which.size());
  for (std::size_t begin = 0; begin < which.size(); begin += kLanes) {
    const Group group(rows, which, begin, first, x.size(), cache);
    const Lanes s = dots(group.y, x);
    if (group.count == kLanes)
      s.store(&out[begin]);
    else
      s.store_part(&out[begin], group.count);
  }
}

double add_gathered_residual(const Matrix<float>& rows, std::span<const std::uint32_t> which,
                             std::span<const float> weights, std::span<const float> targets, std::span<const float> x,
                             std::span<float> out, Cache cache) {
  SEGUE_CHECK(x.size() == static_cast<std::size_t>(rows.cols()) && out.size() == x.size() &&
                  weights.size() == which.size() && (targets.empty() || targets.size() == which.size()),
              "{} columns, a point of {}, a residual of {}; {} rows, {} weights, {} targets", rows.cols(), x.size(),
              out.size(), which.size(), weights.size(), targets.size());
  double explained = 0;
  for (std::size_t begin = 0; begin < which.size(); begin += kLanes) {
    const Group group(rows, which, begin, 0, x.size(), cache);
    const bool whole = group.count == kLanes;
    const Lanes s = dots(group.y, x);
    Lanes target = Lanes::zero();
    if (!targets.empty())
      target = whole ? Lanes::load(&targets[begin]) : Lanes::load_part(&targets[begin], group.count);
    const Lanes weight = whole ? Lanes::load(&weights[begin]) : Lanes::load_part(&weights[begin], group.count);
    alignas(64) float f[kLanes];
    fnma(weight, s, target).store(f);
    if (!targets.empty()) explained += static_cast<double>((target * s).sum());
    add_rows(out, (group.count + 1) / 2 * 2, f, [&](std::size_t r) { return group.y[r]; });
  }
  return explained;
}

namespace {

// All of m x where m has whole vectors: each vector of the upper triangle is read once, for its own row and, mirrored,
// for its columns' rows, since larger matrices come from the second-level cache.
void whole_symmetric_product(const Matrix<float>& m, std::span<const float> x, std::span<float> out) {
  const std::size_t n = x.size();
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const float* a = m.data() + i * n;
    Lanes row[kLanes];
    const Lanes own = Lanes::load(&x[i]);
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kLanes; ++t) row[t] = Lanes::load(a + t * n + i) * own;
    for (std::size_t j = i + kLanes; j < n; j += kLanes) {
      const Lanes other = Lanes::load(&x[j]);
      Lanes column[4] = {Lanes::load(&out[j]), Lanes::zero(), Lanes::zero(), Lanes::zero()};
#pragma GCC unroll 16
      for (std::size_t t = 0; t < kLanes; ++t) {
        const Lanes part = Lanes::load(a + t * n + j);
        row[t] = fma(part, other, row[t]);
        column[t % 4] = fma(part, Lanes::all(x[i + t]), column[t % 4]);
      }
      ((column[0] + column[1]) + (column[2] + column[3])).store(&out[j]);
    }
    (Lanes::load(&out[i]) + Lanes::sums(row)).store(&out[i]);
  }
}

}  // namespace

void symmetric_product(const Matrix<float>& m, std::span<const float> x, std::span<float> out, std::size_t first) {
  const std::size_t n = x.size(), stride = static_cast<std::size_t>(m.cols());
  SEGUE_CHECK(n == static_cast<std::size_t>(m.rows()) && first + out.size() <= stride,
              "{}x{} times {}, {} results from {}", m.rows(), m.cols(), n, out.size(), first);
  if (n > 64 && n % kLanes == 0 && out.size() == n) return whole_symmetric_product(m, x, out);
  std::fill(out.begin(), out.end(), 0.0f);
  const auto row = [&](std::size_t r) { return m.data() + r * stride + first; };
  add_rows(out, n / 2 * 2, x.data(), row);
  if (n % 2 == 1) {
    const float f[2] = {x[n - 1], 0};
    add_rows(out, 2, f, [&](std::size_t) { return row(n - 1); });
  }
}

}  // namespace segue
