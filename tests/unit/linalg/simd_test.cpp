#include "framework/linalg/simd.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue {
namespace {

constexpr std::size_t kCount = Lanes::kCount;

TEST(Lanes, ComparisonsGiveOneBitALane) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const float values[] = {0.0f, -0.0f, 1, -1, 1e-40f, inf, -inf, nan};
  Rng rng(1);
  for (int round = 0; round < 500; ++round) {
    float a[kCount], b[kCount];
    std::uint32_t more = 0, as_much = 0;
    for (std::size_t l = 0; l < kCount; ++l) {
      a[l] = values[rng.below(8)];
      b[l] = values[rng.below(8)];
      more |= (a[l] > b[l] ? 1u : 0u) << l;
      as_much |= (a[l] >= b[l] ? 1u : 0u) << l;
    }
    EXPECT_EQ(above(Lanes::load(a), Lanes::load(b)), more);
    EXPECT_EQ(at_least(Lanes::load(a), Lanes::load(b)), as_much);
  }
}

TEST(Lanes, PickPutsTheChosenTogether) {
  float x[kCount];
  for (std::size_t l = 0; l < kCount; ++l) x[l] = 100 + static_cast<float>(l);
  for (std::uint32_t bits = 0; bits < 0x10000; bits += 1 + bits / 7) {
    std::vector<float> values(kCount + 1, 7), expected;
    std::vector<std::uint32_t> numbers(kCount + 1, 7), places;
    for (std::uint32_t l = 0; l < kCount; ++l)
      if ((bits >> l & 1) != 0) expected.push_back(x[l]), places.push_back(900 + l);
    Lanes::load(x).pick(bits, 900, values.data(), numbers.data());
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), values.begin())) << bits;
    ASSERT_TRUE(std::equal(places.begin(), places.end(), numbers.begin())) << bits;
    ASSERT_EQ(values.back(), 7);
    ASSERT_EQ(numbers.back(), 7u);
  }
}

}  // namespace
}  // namespace segue
