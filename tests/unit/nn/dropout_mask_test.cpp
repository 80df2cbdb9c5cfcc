#include <cmath>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/nn/dropout.hpp"

namespace segue::nn {
namespace {

// Element (r, c) is kept where a number of 16 bits of the stream is at least 65536 times the rate: each draw of 32 bits
// gives two, and each row begins with a draw of its own.
TEST(DropoutMask, KeepsWhatTheStreamSays) {
  for (const std::size_t cols : {1u, 15u, 16u, 50u, 200u}) {
    constexpr std::size_t kRows = 37;
    Rng rng(3);
    DropoutMask mask;
    mask.draw(kRows, cols, 0.3, rng);
    Matrix<float> x = Matrix<float>::Ones(kRows, static_cast<Eigen::Index>(cols)), y = x;
    mask.apply(ConstView<float>(x), View<float>(y));
    const Matrix<double> xd = x.cast<double>();
    Matrix<double> yd = xd;
    mask.apply(ConstView<double>(xd), View<double>(yd));
    double kept = 0;
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t word = 0; word < (cols + 15) / 16; ++word)
        for (std::size_t i = 0; i < 8; ++i) {
          const std::uint32_t two = rng.next_u32();
          for (std::size_t half = 0; half < 2; ++half) {
            const std::size_t c = 16 * word + 2 * i + half;
            if (c >= cols) continue;
            const bool keep = (half == 0 ? two & 0xffffu : two >> 16) >= 19661;  // 0.3 * 65536
            const auto row = static_cast<Eigen::Index>(r), col = static_cast<Eigen::Index>(c);
            ASSERT_NEAR(double{y(row, col)}, keep ? 1 / 0.7 : 0, 1e-4) << cols << ": " << r << ", " << c;
            ASSERT_NEAR(yd(row, col), keep ? 1 / 0.7 : 0, 1e-4);
            ASSERT_EQ(mask.row(r)[word] >> c % 16 & 1, keep ? 1 : 0);
            kept += keep;
          }
        }
    }
    const double n = static_cast<double>(kRows * cols);
    EXPECT_NEAR(kept / n, 0.7, 5 * std::sqrt(0.21 / n));
  }
}

TEST(DropoutMask, KeepsEverythingAtRateZero) {
  DropoutMask mask;
  mask.draw(2, 3, 0, Rng(1));
  Matrix<float> x = Matrix<float>::Random(2, 3), y = Matrix<float>::Zero(2, 3);
  mask.apply(ConstView<float>(x), View<float>(y));
  EXPECT_EQ(x, y);
  EXPECT_EQ(mask.row(1), nullptr);
  EXPECT_EQ(mask.scale(), 1.0);
  EXPECT_THROW(mask.draw(2, 3, 1, Rng(1)), LogicError);
}

}  // namespace
}  // namespace segue::nn
