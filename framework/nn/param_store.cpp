#include "framework/nn/param_store.hpp"

#include <cmath>

namespace segue::nn {

template <class T>
void init_normal(View<T> block, double stddev, Rng rng) {
  for (std::size_t r = 0; r < block.rows; ++r)
    for (T& x : block.span(r)) x = static_cast<T>(stddev * rng.normal());
}

template <class T>
void init_uniform(View<T> block, double limit, Rng rng) {
  for (std::size_t r = 0; r < block.rows; ++r)
    for (T& x : block.span(r)) x = static_cast<T>(limit * (2 * rng.uniform() - 1));
}

template <class T>
void init_xavier(View<T> block, Rng rng) {
  init_uniform(block, std::sqrt(6.0 / static_cast<double>(block.rows + block.cols)), rng);
}

template void init_normal(View<float>, double, Rng);
template void init_normal(View<double>, double, Rng);
template void init_uniform(View<float>, double, Rng);
template void init_uniform(View<double>, double, Rng);
template void init_xavier(View<float>, Rng);
template void init_xavier(View<double>, Rng);

}  // namespace segue::nn
