#include "framework/nn/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue::nn {

GradientCheck check_gradient(const std::function<double()>& loss, std::span<double> x, std::span<const double> analytic,
                             Rng rng, std::size_t most, double h, double floor) {
  SEGUE_CHECK(x.size() == analytic.size(), "{} values, {} gradients", x.size(), analytic.size());
  std::vector<std::uint64_t> which;
  if (x.size() <= most) {
    which.resize(x.size());
    std::iota(which.begin(), which.end(), 0);
  } else {
    which = rng.sample_without_replacement(x.size(), most);
  }
  if (floor == 0)
    for (const double g : analytic) floor = std::max(floor, 1e-3 * std::abs(g));
  floor = std::max(floor, 1e-12);
  GradientCheck out;
  for (const std::uint64_t i : which) {
    const double at = x[i];
    const auto f = [&](double step) {
      x[i] = at + step;
      return loss();
    };
    const double numeric = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
    x[i] = at;
    const double error = std::abs(numeric - analytic[i]) / std::max({std::abs(numeric), std::abs(analytic[i]), floor});
    if (!(error <= out.worst)) {  // NaN is the worst
      out = {error, i, analytic[i], numeric, out.checked};
      if (std::isnan(error)) return out;
    }
    ++out.checked;
  }
  return out;
}

}  // namespace segue::nn
