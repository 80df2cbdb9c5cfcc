#include "framework/base/distributions.hpp"

#include <cmath>

#include "framework/base/errors.hpp"

namespace segue {

double draw_gamma(double shape, Rng& rng) {
  SEGUE_CHECK(shape > 0 && std::isfinite(shape), "a gamma distribution of shape {}", shape);
  // Below one the density has a pole; section 6: a draw of shape + 1 times u^(1 / shape).
  if (shape < 1) {
    const double larger = draw_gamma(shape + 1, rng);
    return larger * std::pow(1 - rng.uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root, u = 1 - rng.uniform();
    if (std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace segue
