#include "framework/stats/paired.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/stats/distributions.hpp"
#include "framework/stats/ranks.hpp"

namespace segue::stats {

namespace {

struct Spread {
  double mean = 0, deviation = 0;  // s over n - 1; 0 where n = 1 or all are equal
};

Spread spread_of(std::span<const double> d) {
  SEGUE_CHECK(!d.empty(), "no differences");
  double sum = 0;
  for (const double x : d) {
    SEGUE_CHECK(std::isfinite(x), "a difference is {}", x);
    sum += x;
  }
  // Asked outright, since the rounding of the mean would make a spread of its own.
  if (std::all_of(d.begin(), d.end(), [&](double x) { return x == d[0]; })) return {d[0], 0};
  const double n = static_cast<double>(d.size()), mean = sum / n;
  double squares = 0;
  for (const double x : d) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (n - 1))};
}

double signed_infinity(double x) { return std::copysign(std::numeric_limits<double>::infinity(), x); }

}  // namespace

std::vector<double> paired_differences(std::span<const double> a, std::span<const double> b) {
  SEGUE_CHECK(a.size() == b.size(), "{} units against {}", a.size(), b.size());
  std::vector<double> out(a.size());
  for (std::size_t u = 0; u < a.size(); ++u) {
    const double d = a[u] - b[u];
    out[u] = std::abs(d) <= 1e-12 * std::max(std::abs(a[u]), std::abs(b[u])) ? 0 : d;
  }
  return out;
}

TTest paired_t_test(std::span<const double> d) {
  const Spread spread = spread_of(d);
  const double n = static_cast<double>(d.size());
  if (d.size() == 1 || (spread.deviation == 0 && spread.mean == 0)) return {0, n - 1, 1};
  if (spread.deviation == 0) return {signed_infinity(spread.mean), n - 1, 0};
  const double t = spread.mean / (spread.deviation / std::sqrt(n));
  return {t, n - 1, student_t_two_sided(t, n - 1)};
}

WilcoxonTest wilcoxon_signed_rank(std::span<const double> d) {
  SEGUE_CHECK(!d.empty(), "no differences");
  std::vector<double> magnitude;
  std::vector<bool> positive;
  for (const double x : d) {
    SEGUE_CHECK(std::isfinite(x), "a difference is {}", x);
    if (x == 0) continue;
    magnitude.push_back(std::abs(x));
    positive.push_back(x > 0);
  }
  if (magnitude.empty()) return {};
  double ties = 0;
  const std::vector<double> rank = midranks(magnitude, &ties);
  const double n = static_cast<double>(rank.size());
  double up = 0, down = 0;
  for (std::size_t i = 0; i < rank.size(); ++i) (positive[i] ? up : down) += rank[i];
  const double statistic = std::min(up, down);
  const double variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
  const double z = (statistic - n * (n + 1) / 4) / std::sqrt(variance);
  return {statistic, z, normal_two_sided(z), rank.size()};
}

EffectSize effect_size(std::span<const double> d) {
  const Spread spread = spread_of(d);
  EffectSize out;
  if (spread.deviation > 0)
    out.cohen_dz = spread.mean / spread.deviation;
  else if (spread.mean != 0)
    out.cohen_dz = signed_infinity(spread.mean);
  out.hedges_gz = d.size() > 2 ? out.cohen_dz * hedges_factor(static_cast<double>(d.size() - 1)) : out.cohen_dz;
  double wins = 0;
  for (const double x : d) wins += x > 0 ? 1 : x == 0 ? 0.5 : 0;
  out.superiority = wins / static_cast<double>(d.size());
  return out;
}

double detectable_effect(std::size_t n, double alpha, double power) {
  SEGUE_CHECK(n >= 2 && alpha > 0 && alpha < power && power < 1, "n {}, alpha {}, power {}", n, alpha, power);
  const double df = static_cast<double>(n - 1), critical = student_t_quantile(1 - alpha / 2, df);
  const auto found = [&](double shift) {  // probability that |t| exceeds the critical value
    return 1 - noncentral_t_cdf(critical, df, shift) + noncentral_t_cdf(-critical, df, shift);
  };
  double low = 0, high = 1;
  while (found(high) < power) high *= 2;
  while (high - low > 1e-12 * high) {
    const double middle = 0.5 * (low + high);
    (found(middle) < power ? low : high) = middle;
  }
  return high / std::sqrt(static_cast<double>(n));
}

double minimum_detectable_difference(std::span<const double> d, double alpha, double power) {
  const Spread spread = spread_of(d);
  return spread.deviation > 0 ? detectable_effect(d.size(), alpha, power) * spread.deviation : 0;
}

}  // namespace segue::stats
