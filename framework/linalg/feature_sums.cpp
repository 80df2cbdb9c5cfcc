#include "framework/linalg/feature_sums.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kChains = 4;  // sums in flight

// Sixteen columns of a matrix, or as many as there are from `first` on.
struct Strip {
  std::size_t stride, first, width;
  Lanes load(const Matrix<float>& m, std::size_t r) const {
    const float* p = m.data() + r * stride + first;
    return width == kLanes ? Lanes::load(p) : Lanes::load_part(p, width);
  }
  void store(Lanes x, Matrix<float>& m, std::size_t r) const {
    float* p = m.data() + r * stride + first;
    width == kLanes ? x.store(p) : x.store_part(p, width);
  }
};

}  // namespace

void FeatureSums::round(const Matrix<float>& targets, const Matrix<float>* noise, std::size_t dims,
                        Matrix<float>& features, Matrix<float>& sums, const Executor& exec) const {
  const std::size_t n = by_row.rows(), count = by_feature.rows();
  SEGUE_CHECK(targets.cols() == features.cols() && targets.cols() == sums.cols() &&
                  dims <= static_cast<std::size_t>(targets.cols()) && static_cast<std::size_t>(targets.rows()) == n &&
                  sums.rows() == targets.rows() && static_cast<std::size_t>(features.rows()) == count &&
                  (!noise || (noise->rows() == features.rows() && noise->cols() == features.cols())),
              "targets {}x{}, sums {}x{}, features {}x{} of {} columns, {} rows with {} features", targets.rows(),
              targets.cols(), sums.rows(), sums.cols(), features.rows(), features.cols(), dims, n, count);
  SEGUE_CHECK(scale.size() == n && weight.size() == n && ridge.size() == count,
              "{} scales, {} weights, {} ridges for {} rows and {} features", scale.size(), weight.size(), ridge.size(),
              n, count);
  std::vector<float> pull(n), mass(count, 0.0f);  // weight scale of a row; s_j
  for (std::size_t r = 0; r < n; ++r) pull[r] = weight[r] * scale[r];
  for (std::size_t j = 0; j < count; ++j)
    for (std::uint32_t r : by_feature.columns_of(j)) mass[j] += pull[r] * scale[r];

  exec.for_blocks((dims + kLanes - 1) / kLanes, 1, [&](std::size_t block, std::size_t) {
    const Strip strip{static_cast<std::size_t>(targets.cols()), block * kLanes,
                      std::min(kLanes, dims - block * kLanes)};
    std::vector<float> left(n * kLanes);
    for (std::size_t r = 0; r < n; ++r) (strip.load(targets, r) - strip.load(sums, r)).store(&left[r * kLanes]);
    for (std::size_t j = 0; j < count; ++j) {
      const std::span<const std::uint32_t> which = by_feature.columns_of(j);
      if (which.empty()) continue;
      Lanes sum[kChains] = {Lanes::zero(), Lanes::zero(), Lanes::zero(), Lanes::zero()};
      for (std::size_t e = 0; e < which.size(); e += kChains) {
        const std::size_t some = std::min(kChains, which.size() - e);
#pragma GCC unroll 4
        for (std::size_t k = 0; k < kChains; ++k)
          if (k < some) sum[k] = fma(Lanes::all(pull[which[e + k]]), Lanes::load(&left[which[e + k] * kLanes]), sum[k]);
      }
      const Lanes old = strip.load(features, j);
      const float inverse = 1 / (mass[j] + ridge[j]);
      Lanes now = (sum[0] + sum[1]) + (sum[2] + sum[3]);
      now = fma(Lanes::all(mass[j]), old, now) * Lanes::all(inverse);
      if (noise) now = fma(Lanes::all(std::sqrt(inverse)), strip.load(*noise, j), now);
      const Lanes change = now - old;
      for (std::uint32_t r : which)
        fnma(Lanes::all(scale[r]), change, Lanes::load(&left[r * kLanes])).store(&left[r * kLanes]);
      strip.store(now, features, j);
    }
    // Anew from the features, so that no rounding gathers over the rounds.
    for (std::size_t r = 0; r < n; ++r) {
      Lanes sum[2] = {Lanes::zero(), Lanes::zero()};
      const std::span<const std::uint32_t> which = by_row.columns_of(r);
      const std::size_t pairs = which.size() / 2 * 2;
      for (std::size_t e = 0; e < pairs; e += 2) {
        sum[0] = sum[0] + strip.load(features, which[e]);
        sum[1] = sum[1] + strip.load(features, which[e + 1]);
      }
      if (pairs < which.size()) sum[0] = sum[0] + strip.load(features, which[pairs]);
      strip.store((sum[0] + sum[1]) * Lanes::all(scale[r]), sums, r);
    }
  });
}

}  // namespace segue
