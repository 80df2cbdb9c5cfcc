// Products against the obvious loop, bit for bit: each element is one chain of fused multiply-adds in ascending order.
#include "framework/linalg/gemm.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/vector_math.hpp"

namespace segue::test {
namespace {

template <class T>
std::vector<T> normal(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<T> out(n);
  for (T& x : out) x = static_cast<T>(rng.normal());
  return out;
}

template <class T>
class GemmOf : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmOf, Scalars);

TYPED_TEST(GemmOf, IsTheChainOfFusedMultiplyAddsOfEveryElement) {
  using T = TypeParam;
  // Sizes on both sides of tiles, vectors, row blocks, step blocks, and of what is copied together.
  for (const auto& [m, n, k] : std::vector<std::array<std::size_t, 3>>{{1, 1, 1},
                                                                       {1, 5, 3},
                                                                       {2, 16, 7},
                                                                       {15, 37, 300},
                                                                       {64, 64, 17},
                                                                       {100, 33, 513},
                                                                       {230, 47, 65},
                                                                       {3, 0, 2},
                                                                       {2, 3, 0}}) {
    const std::size_t stride = n + 3;  // C is part of a wider matrix
    const std::vector<T> a = normal<T>(m * k, 1), b = normal<T>(k * n, 2), before = normal<T>(m * stride, 3);
    std::vector<T> at(k * m), bt(n * k);
    transpose<T>({a.data(), m, k}, {at.data(), k, m});
    transpose<T>({b.data(), k, n}, {bt.data(), n, k});
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t r = 0; r < k; ++r) ASSERT_EQ(at[r * m + i], a[i * k + r]);
    for (const Gemm mode : {Gemm::kSet, Gemm::kAdd}) {
      std::vector<T> expected = before;
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          T sum = mode == Gemm::kSet ? T(0) : before[i * stride + j];
          for (std::size_t r = 0; r < k; ++r) sum = std::fma(a[i * k + r], b[r * n + j], sum);
          expected[i * stride + j] = sum;
        }
      std::vector<T> c = before;
      gemm<T>({a.data(), m, k}, {b.data(), k, n}, {c.data(), m, n, stride}, mode);
      EXPECT_EQ(c, expected) << m << "x" << n << "x" << k;
      c = before;
      gemm_tn<T>({at.data(), k, m}, {b.data(), k, n}, {c.data(), m, n, stride}, mode);
      EXPECT_EQ(c, expected) << "tn " << m << "x" << n << "x" << k;
      c = before;
      gemm_nt<T>({a.data(), m, k}, {bt.data(), n, k}, {c.data(), m, n, stride}, mode);
      EXPECT_EQ(c, expected) << "nt " << m << "x" << n << "x" << k;
    }
  }
}

TYPED_TEST(GemmOf, RefusesShapesThatDoNotFit) {
  using T = TypeParam;
  std::vector<T> x(64);
  EXPECT_THROW(gemm<T>({x.data(), 2, 3}, {x.data(), 4, 2}, {x.data(), 2, 2}), LogicError);
  EXPECT_THROW(gemm_tn<T>({x.data(), 2, 3}, {x.data(), 3, 2}, {x.data(), 3, 2}), LogicError);
  EXPECT_THROW(gemm_nt<T>({x.data(), 2, 3}, {x.data(), 2, 4}, {x.data(), 2, 2}), LogicError);
  EXPECT_THROW(transpose<T>({x.data(), 2, 3}, {x.data(), 2, 3}), LogicError);
}

TEST(VectorMath, ExponentialsAreWithinTwoUnitsInTheLastPlace) {
  std::vector<float> x, y;
  for (float v = -86.9f; v < 88.0f; v += 0.00731f) x.push_back(v);
  y.resize(x.size());
  exp_of<float>(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(double{x[i]});
    ASSERT_LE(std::abs(double{y[i]} - exact), 2 * exact * std::numeric_limits<float>::epsilon()) << x[i];
  }
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> ends{-inf, -100.0f, 0.0f, 200.0f};
  std::vector<float> at(4);
  exp_of<float>(ends, at);
  EXPECT_EQ(at[0], 0.0f);
  EXPECT_EQ(at[1], 0.0f);
  EXPECT_EQ(at[2], 1.0f);
  EXPECT_TRUE(std::isfinite(at[3]));
  const std::vector<float> nan(3, std::nanf(""));
  for (const auto function : {exp_of<float>, sigmoid_of<float>, tanh_of<float>}) {
    std::vector<float> out(3);
    function(nan, out);
    EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[2]));
  }
}

TEST(VectorMath, SigmoidAndTanhAgreeWithTheLibraryAndDoNotDependOnPlace) {
  std::vector<float> x;
  for (float v = -30; v < 30; v += 0.0137f) x.push_back(v);
  std::vector<float> s(x.size()), t(x.size());
  sigmoid_of<float>(x, s);
  tanh_of<float>(x, t);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(double{s[i]}, 1 / (1 + std::exp(-double{x[i]})), 2e-7);
    ASSERT_NEAR(double{t[i]}, std::tanh(double{x[i]}), 3e-7);
    float alone;
    sigmoid_of<float>({&x[i], 1}, {&alone, 1});
    ASSERT_EQ(alone, s[i]);
  }
}

}  // namespace
}  // namespace segue::test
