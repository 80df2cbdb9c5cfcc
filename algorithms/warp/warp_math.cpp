#include "algorithms/warp/warp_math.hpp"

namespace segue {

std::vector<float> warp_weights(std::size_t items, std::size_t max_sampled) {
  std::vector<double> harmonic(items, 0);  // harmonic[r] = 1 + 1/2 + ... + 1/r
  for (std::size_t r = 1; r < items; ++r) harmonic[r] = harmonic[r - 1] + 1 / static_cast<double>(r);
  std::vector<float> out(max_sampled, 0);
  for (std::size_t n = 1; n <= max_sampled && items > 0; ++n)
    out[n - 1] = static_cast<float>(harmonic[(items - 1) / n]);
  return out;
}

}  // namespace segue
