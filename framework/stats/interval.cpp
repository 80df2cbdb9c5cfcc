#include "framework/stats/interval.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/stats/distributions.hpp"
#include "framework/stats/weighted_sums.hpp"

namespace segue::stats {

namespace {

constexpr std::array<std::string_view, 4> kNames{"percentile", "basic", "bca", "t"};

struct Moments {
  double mean = 0, squares = 0, cubes = 0;  // of the deviations: sums
  // What the product sees is (x - base) scale. Since a resample has n draws, any base may stand for the mean; a coarse
  // one near it leaves values such as hits with few bits, whose sums are exact.
  double base = 0, scale = 1;
};

Moments moments(std::span<const double> x) {
  Moments m;
  double low = x[0], high = x[0];
  for (const double v : x) m.mean += v, low = std::min(low, v), high = std::max(high, v);
  m.mean /= static_cast<double>(x.size());
  if (low == high) return {low, 0, 0, low, 1};  // the sum's rounding would make a spread of its own
  for (const double v : x) {
    const double d = v - m.mean;
    m.squares += d * d;
    m.cubes += d * d * d;
  }
  m.scale = float_scale(std::max(high - m.mean, m.mean - low));
  m.base = std::round(m.mean * m.scale * 256) / 256 / m.scale;
  return m;
}

// Type 7; reorders `sums`. Every call sees the same values, in whatever order.
double quantile(std::span<float> sums, double p) {
  const double position = p * static_cast<double>(sums.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(position);
  const auto at = sums.begin() + below;
  std::nth_element(sums.begin(), at, sums.end());
  const double low = *at, high = at + 1 == sums.end() ? low : *std::min_element(at + 1, sums.end());
  return low + (position - static_cast<double>(below)) * (high - low);
}

// Where BCa reads the lower and the upper end, as shares of the resampled means.
std::array<double, 2> bca_shares(const Moments& m, std::span<const float> sums, double units, double tail) {
  const double centre = units * (m.mean - m.base) * m.scale, equal = kSumError * std::sqrt(m.squares) * m.scale;
  double below = 0;
  for (const float s : sums) below += double{s} < centre - equal ? 1 : double{s} <= centre + equal ? 0.5 : 0;
  const double draws = static_cast<double>(sums.size());
  const double z0 = normal_quantile(std::clamp(below / draws, 0.5 / draws, 1 - 0.5 / draws));
  const double a = m.cubes / (6 * m.squares * std::sqrt(m.squares));
  std::array<double, 2> out{};
  for (const std::size_t end : {0u, 1u}) {
    const double z = z0 + normal_quantile(end == 0 ? tail : 1 - tail);
    // Not positive only for a skewness that no resample can show: then the outermost resample.
    const double bend = 1 - a * z;
    out[end] = bend > 0 ? normal_cdf(z0 + z / bend) : z < 0 ? 0 : 1;
  }
  return out;
}

// Rng::below() spends 64 random bits on a draw, and drawing is most of the time where rows are few. Needs n < 2^32.
std::uint32_t below_32(Rng& rng, std::uint32_t n) {
  std::uint64_t product = std::uint64_t{rng.next_u32()} * n;
  if (static_cast<std::uint32_t>(product) < n) {
    const std::uint32_t biased = (0u - n) % n;
    while (static_cast<std::uint32_t>(product) < biased) product = std::uint64_t{rng.next_u32()} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace

std::string_view interval_method_name(IntervalMethod method) { return kNames[static_cast<std::size_t>(method)]; }

IntervalMethod interval_method(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end())
    throw UsageError("unknown interval '{}'{}", name, suggestion(name, {kNames.begin(), kNames.end()}));
  return static_cast<IntervalMethod>(found - kNames.begin());
}

std::vector<Interval> bootstrap_means(std::span<const double> values, std::size_t rows, std::size_t n,
                                      const BootstrapOptions& options, const Rng& rng, const Executor& exec) {
  SEGUE_CHECK(n > 0 && n <= std::numeric_limits<std::uint32_t>::max() && values.size() == rows * n,
              "{} values for {} rows of {} units", values.size(), rows, n);
  SEGUE_CHECK(options.level > 0 && options.level < 1, "level {}", options.level);
  SEGUE_CHECK(options.resamples > 0, "no resamples");
  const auto row_of = [&](std::size_t row) { return values.subspan(row * n, n); };
  const double units = static_cast<double>(n), tail = (1 - options.level) / 2;
  const bool by_t = options.method == IntervalMethod::kStudentT;

  std::vector<Moments> facts(rows);
  std::vector<Interval> out(rows);
  exec.for_blocks(rows, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      for (const double v : row_of(r)) SEGUE_CHECK(std::isfinite(v), "row {} holds {}", r, v);
      const Moments& m = facts[r] = moments(row_of(r));
      const double error = n > 1 ? std::sqrt(m.squares / (units - 1) / units) : 0;
      const double reach = by_t && n > 1 ? student_t_quantile(1 - tail, units - 1) * error : 0;
      out[r] = {m.mean, m.mean - reach, m.mean + reach, error};
    }
  });
  if (by_t) return out;

  std::vector<std::size_t> spread;  // the rows that need resamples
  for (std::size_t r = 0; r < rows; ++r)
    if (facts[r].squares > 0) spread.push_back(r);
  // Units in the order of their values would make long one-sided sums, and the worst rounding; any order serves as
  // well.
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  rng.stream("order").shuffle(std::span(order));
  WeightedSums task{.rows = spread.size(), .units = n, .draws = options.resamples, .load = {}, .weigh = {}, .use = {}};
  task.load = [&](std::size_t i, std::span<float> to) {
    const Moments& m = facts[spread[i]];
    const std::span<const double> x = row_of(spread[i]);
    for (std::size_t u = 0; u < n; ++u) to[u] = static_cast<float>((x[order[u]] - m.base) * m.scale);
  };
  task.weigh = [&](std::size_t draw, std::span<float> counts) {
    Rng random = rng.stream("bootstrap", draw);
    for (std::size_t u = 0; u < n; ++u) counts[below_32(random, static_cast<std::uint32_t>(n))] += 1;
  };
  task.use = [&](std::size_t i, std::span<float> sums) {
    const Moments& m = facts[spread[i]];
    Interval& to = out[spread[i]];
    std::array<double, 2> share{tail, 1 - tail};
    if (options.method == IntervalMethod::kBca) share = bca_shares(m, sums, units, tail);
    to.low = m.base + quantile(sums, share[0]) / m.scale / units;
    to.high = m.base + quantile(sums, share[1]) / m.scale / units;
    if (options.method == IntervalMethod::kBasic) to.low = 2 * m.mean - std::exchange(to.high, 2 * m.mean - to.low);
  };
  weighted_sums(task, exec);
  return out;
}

}  // namespace segue::stats
