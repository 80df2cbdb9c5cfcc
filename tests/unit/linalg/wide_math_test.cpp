// Logarithms of arrays against std::log, and that a number's bits do not depend on where it stands.
#include "framework/linalg/wide_math.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue::test {
namespace {

TEST(WideMath, LogarithmsAreStdLogsToAUnit) {
  Rng rng(1);
  std::vector<float> x;
  for (int i = 0; i < 200001; ++i) x.push_back(static_cast<float>(std::exp(170 * rng.uniform() - 85)));
  for (int i = 0; i < 20000; ++i) x.push_back(static_cast<float>(0.5 + rng.uniform()));
  for (const float edge :
       {1.0f, 0.70710677f, 0.70710683f, 1.4142135f, 1.4142137f, 2.0f, 1e-10f, 1.1754944e-38f, 3.4e38f})
    x.push_back(edge);
  std::vector<float> y(x.size());
  log_of<float>(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::log(static_cast<double>(x[i]));
    ASSERT_NEAR(static_cast<double>(y[i]), exact, std::abs(exact) * 0x1p-23) << x[i];  // a unit is at most that
  }
  for (std::size_t begin = 0; begin < 40; ++begin) {
    std::vector<float> part(40 - begin);
    log_of<float>(std::span<const float>(x).subspan(begin, part.size()), part);
    for (std::size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], y[begin + i]);
  }
}

}  // namespace
}  // namespace segue::test
