// Gradients against differences of the loss, in double: for every layer and every whole model.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "framework/base/rng.hpp"

namespace segue::nn {

struct GradientCheck {
  double worst = 0;       // relative error |a - n| / max(|a|, |n|, floor)
  std::size_t index = 0;  // where
  double analytic = 0, numeric = 0;
  std::size_t checked = 0;
};

// Compares `analytic`, the gradient of loss() with respect to x at its present values, with differences of five points,
// (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h, whose error is of order h^4. At most `most` elements,
// drawn from rng, are checked; x is left as it was. floor: gradients below it count as zero; a thousandth of the
// largest analytic one where 0 is given.
GradientCheck check_gradient(const std::function<double()>& loss, std::span<double> x, std::span<const double> analytic,
                             Rng rng, std::size_t most = 400, double h = 1e-3, double floor = 0);

}  // namespace segue::nn
