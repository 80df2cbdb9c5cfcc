// From sums over the common columns of two rows to their similarity.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "framework/linalg/lane_product.hpp"
#include "framework/linalg/similarity.hpp"

namespace segue {

// What is added up over the common columns of two rows; only what the similarity needs.
template <Similarity kKind, bool kOnes>
struct PairSums {
  static constexpr bool kProducts = kKind != Similarity::kJaccard && !kOnes;  // of ones xy is n
  static constexpr bool kSquares = kKind != Similarity::kCosine && kKind != Similarity::kJaccard;
  static constexpr bool kMeans = kKind == Similarity::kPearson;
  // As LaneProduct counts them.
  static constexpr std::size_t kCount = !kProducts && !kSquares ? 1 : !kSquares ? 2 : !kMeans ? 4 : 6;
  struct None {};

  std::conditional_t<kProducts, double, None> xy{};
  std::conditional_t<kSquares, double, None> xx{}, yy{};
  std::conditional_t<kMeans, double, None> x{}, y{};
  std::uint32_t n = 0;

  void add([[maybe_unused]] double a, [[maybe_unused]] double b) {
    if constexpr (kProducts) xy += a * b;
    if constexpr (kSquares) xx += a * a, yy += b * b;
    if constexpr (kMeans) x += a, y += b;
    ++n;
  }
  // From one lane of a LaneProduct's sums.
  template <class T>
  static PairSums of_lane(const T* lane, std::size_t lanes) {
    const auto sum = [&](LaneSum which) { return double(lane[static_cast<std::size_t>(which) * lanes]); };
    PairSums out;
    if constexpr (kProducts) out.xy = sum(LaneSum::kProduct);
    if constexpr (kSquares) out.xx = sum(LaneSum::kLeftSquare), out.yy = sum(LaneSum::kRightSquare);
    if constexpr (kMeans) out.x = sum(LaneSum::kLeft), out.y = sum(LaneSum::kRight);
    out.n = static_cast<std::uint32_t>(sum(LaneSum::kCount));
    return out;
  }

  double similarity(double norm_x, double norm_y, std::size_t size_x, std::size_t size_y) const {
    if constexpr (kKind == Similarity::kCosine) {
      const double product = norm_x * norm_y;
      double dot = n;
      if constexpr (kProducts) dot = xy;
      return product > 0 ? dot / product : 0;
    } else if constexpr (kKind == Similarity::kJaccard) {
      return double(n) / double(size_x + size_y - n);
    } else if constexpr (kKind == Similarity::kPearson) {
      // n times the sums of squares about the means: exact for whole and half stars.
      const double vx = n * xx - x * x, vy = n * yy - y * y;
      if (n < 2 || vx <= 1e-12 * n * xx || vy <= 1e-12 * n * yy) return 0;
      return ratio(n * xy - x * y, vx, vy);
    } else {
      return ratio(xy, xx, yy);
    }
  }
  float shrunk(double norm_x, double norm_y, std::size_t size_x, std::size_t size_y, double shrinkage) const {
    return static_cast<float>(similarity(norm_x, norm_y, size_x, size_y) * n / (n + shrinkage));
  }

 private:
  // Of a quotient whose denominator is a product of sums of squares: what is left of a constant row is rounding.
  static double ratio(double dot, double xx, double yy) {
    const double product = xx * yy;
    return product > 0 ? dot / std::sqrt(product) : 0;
  }
};

}  // namespace segue
