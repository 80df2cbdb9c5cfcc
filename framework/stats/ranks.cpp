#include "framework/stats/ranks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/stats/distributions.hpp"

namespace segue::stats {

namespace {

std::vector<std::size_t> ascending(std::span<const double> values) {
  for (const double v : values) SEGUE_CHECK(!std::isnan(v), "a value to be ranked is NaN");
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

}  // namespace

std::vector<double> midranks(std::span<const double> values, double* ties) {
  const std::vector<std::size_t> order = ascending(values);
  std::vector<double> ranks(values.size());
  if (ties != nullptr) *ties = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double t = static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin) + (t + 1) / 2;
    if (ties != nullptr) *ties += t * t * t - t;
  }
  return ranks;
}

FriedmanTest friedman_test(std::span<const double> values, std::size_t tasks, std::size_t systems) {
  SEGUE_CHECK(tasks >= 2 && systems >= 2 && values.size() == tasks * systems, "{} values for {} tasks of {} systems",
              values.size(), tasks, systems);
  const double n = static_cast<double>(tasks), k = static_cast<double>(systems);
  FriedmanTest out;
  out.mean_ranks.assign(systems, 0.0);
  double all_ties = 0;
  std::vector<double> losses(systems);
  for (std::size_t t = 0; t < tasks; ++t) {
    for (std::size_t s = 0; s < systems; ++s) losses[s] = -values[t * systems + s];
    double ties = 0;
    const std::vector<double> ranks = midranks(losses, &ties);
    for (std::size_t s = 0; s < systems; ++s) out.mean_ranks[s] += ranks[s];  // sums of halves: exact
    all_ties += ties;
  }
  const double correction = 1 - all_ties / (n * k * (k * k - 1));
  double squares = 0;
  for (double& rank : out.mean_ranks) {
    rank /= n;
    squares += (rank - (k + 1) / 2) * (rank - (k + 1) / 2);
  }
  if (all_ties == n * k * (k * k - 1)) return out;
  out.chi_square = 12 * n / (k * (k + 1)) * squares / correction;
  out.chi_square_p = chi_square_upper(out.chi_square, k - 1);
  const double left = n * (k - 1) - out.chi_square;  // 0 where all tasks rank alike, but for rounding
  out.f = left > 1e-12 * n * k ? (n - 1) * out.chi_square / left : std::numeric_limits<double>::infinity();
  out.f_p = f_upper(out.f, k - 1, (k - 1) * (n - 1));
  return out;
}

double nemenyi_critical_difference(std::size_t tasks, std::size_t systems, double alpha) {
  SEGUE_CHECK(tasks >= 1 && systems >= 2 && alpha > 0 && alpha < 1, "{} tasks, {} systems, alpha {}", tasks, systems,
              alpha);
  const double k = static_cast<double>(systems);
  return studentised_range_quantile(1 - alpha, systems) / std::numbers::sqrt2 *
         std::sqrt(k * (k + 1) / (6 * static_cast<double>(tasks)));
}

std::vector<std::vector<std::size_t>> cliques(std::span<const double> mean_ranks, double critical_difference) {
  const std::vector<std::size_t> order = ascending(mean_ranks);
  std::vector<std::vector<std::size_t>> out;
  for (std::size_t begin = 0, end = 0, covered = 0; begin < order.size(); ++begin) {
    end = std::max(end, begin + 1);
    while (end < order.size() && mean_ranks[order[end]] - mean_ranks[order[begin]] < critical_difference) ++end;
    if (end - begin >= 2 && end > covered) {
      out.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                       order.begin() + static_cast<std::ptrdiff_t>(end));
      covered = end;
    }
  }
  return out;
}

}  // namespace segue::stats
