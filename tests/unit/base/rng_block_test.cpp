#include "framework/base/rng_block.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

TEST(DrawsOf, AreThoseOfOneCallAfterAnother) {
  Rng rng(7);
  std::vector<std::uint32_t> expected(2000);
  for (std::uint32_t& x : expected) x = rng.next_u32();
  for (const std::size_t first : {0u, 4u, 8u, 132u})
    for (const std::size_t n : {0u, 1u, 31u, 32u, 127u, 128u, 129u, 700u}) {
      std::vector<std::uint32_t> out(n);
      draws_of(rng, first, out);  // although rng has been drawn from
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], expected[first + i]) << first << ", " << i << " of " << n;
    }
  std::vector<std::uint32_t> out(3);
  EXPECT_THROW(draws_of(rng, 2, out), LogicError);
}

}  // namespace
}  // namespace segue
