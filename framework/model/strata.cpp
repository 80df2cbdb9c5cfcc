#include "framework/model/strata.hpp"

#include "framework/base/errors.hpp"

namespace segue {

std::size_t strata_count(std::size_t items, std::size_t dims) {
  constexpr std::size_t kCacheBytes = std::size_t{1} << 20;
  std::size_t groups = 16;
  while (groups < 128 && items * dims * sizeof(float) > groups * kCacheBytes) groups *= 2;
  return groups;
}

std::vector<std::uint32_t> random_order(std::size_t n, Rng rng) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  rng.shuffle(std::span(order));
  return order;
}

std::vector<std::uint8_t> groups_of(std::span<const std::uint32_t> order, std::size_t groups) {
  SEGUE_CHECK(groups <= 256, "{} groups do not fit a byte", groups);
  std::vector<std::uint8_t> out(order.size());
  for (std::size_t p = 0; p < order.size(); ++p) out[order[p]] = static_cast<std::uint8_t>(p * groups / order.size());
  return out;
}

}  // namespace segue
