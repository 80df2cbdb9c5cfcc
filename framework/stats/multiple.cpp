#include "framework/stats/multiple.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue::stats {

namespace {
constexpr std::array<std::string_view, 4> kNames{"none", "bonferroni", "holm", "bh"};
}

std::string_view adjustment_name(Adjustment adjustment) { return kNames[static_cast<std::size_t>(adjustment)]; }

Adjustment adjustment(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end())
    throw UsageError("unknown correction '{}'{}", name, suggestion(name, {kNames.begin(), kNames.end()}));
  return static_cast<Adjustment>(found - kNames.begin());
}

std::vector<double> adjusted(std::span<const double> p, Adjustment adjustment) {
  for (const double x : p) SEGUE_CHECK(x >= 0 && x <= 1, "a p-value is {}", x);
  std::vector<double> out(p.begin(), p.end());
  if (adjustment == Adjustment::kNone) return out;
  const std::size_t n = p.size();
  const double tests = static_cast<double>(n);
  if (adjustment == Adjustment::kBonferroni) {
    for (double& x : out) x = std::min(1.0, tests * x);
    return out;
  }
  std::vector<std::size_t> order(n);  // smallest p first
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  if (adjustment == Adjustment::kHolm) {
    double above = 0;
    for (std::size_t i = 0; i < n; ++i)
      above = out[order[i]] = std::max(above, std::min(1.0, (tests - static_cast<double>(i)) * p[order[i]]));
  } else {
    double below = 1;
    for (std::size_t i = n; i-- > 0;)
      below = out[order[i]] = std::min(below, tests * p[order[i]] / static_cast<double>(i + 1));
  }
  return out;
}

}  // namespace segue::stats
