// Distributions beyond the uniform and the normal, drawn from a generator of rng.hpp.
#pragma once

#include "framework/base/rng.hpp"

namespace segue {

// Gamma with this shape (above 0) and scale 1: mean and variance are the shape. Marsaglia & Tsang 2000, "A simple
// method for generating gamma variables", ACM TOMS 26(3).
double draw_gamma(double shape, Rng& rng);

}  // namespace segue
