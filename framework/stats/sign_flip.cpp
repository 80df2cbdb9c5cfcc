#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/stats/paired.hpp"
#include "framework/stats/weighted_sums.hpp"

namespace segue::stats {

namespace {

struct Facts {
  double sum = 0, magnitudes = 0, squares = 0, largest = 0;  // of d, |d|, d^2; |d|
  std::size_t nonzero = 0;
};

Facts facts_of(std::span<const double> d) {
  Facts f;
  for (const double x : d) {
    SEGUE_CHECK(std::isfinite(x), "a difference is {}", x);
    f.sum += x;
    f.magnitudes += std::abs(x);
    f.squares += x * x;
    f.largest = std::max(f.largest, std::abs(x));
    f.nonzero += x != 0;
  }
  return f;
}

double exact_p(std::span<const double> d, const Facts& facts) {
  std::vector<double> sums;  // over all patterns in which the first difference keeps its sign: the others mirror them
  for (const double x : d) {
    if (x == 0) continue;
    if (sums.empty()) {
      sums.push_back(x);
      continue;
    }
    const std::size_t half = sums.size();
    sums.resize(2 * half);
    for (std::size_t i = 0; i < half; ++i) {
      sums[half + i] = sums[i] - x;
      sums[i] += x;
    }
  }
  const double reach = std::abs(facts.sum) - 1e-10 * facts.magnitudes;
  const auto reached = std::count_if(sums.begin(), sums.end(), [&](double s) { return std::abs(s) >= reach; });
  return static_cast<double>(reached) / static_cast<double>(sums.size());
}

// At least the share of sign patterns that reach |S| (Hoeffding 1963, theorem 2).
double hoeffding(const Facts& f) { return 2 * std::exp(-f.sum * f.sum / (2 * f.squares)); }

SignFlipMethod choose(const Facts& f, std::size_t draws) {
  if (f.nonzero == 0) return SignFlipMethod::kNoDifference;
  if (f.nonzero < std::numeric_limits<std::size_t>::digits && std::size_t{1} << f.nonzero <= draws)
    return SignFlipMethod::kExact;
  return static_cast<double>(draws) * hoeffding(f) < 1e-12 ? SignFlipMethod::kBound : SignFlipMethod::kSimulated;
}

void flip_signs(Rng rng, std::span<float> signs) {
  for (std::size_t u = 0; u < signs.size(); u += 32) {
    std::uint32_t bits = rng.next_u32();
    for (std::size_t i = u; i < std::min(u + 32, signs.size()); ++i, bits >>= 1) signs[i] = bits & 1 ? 1.0f : -1.0f;
  }
}

}  // namespace

std::vector<SignFlipTest> sign_flip_tests(std::span<const double> differences, std::size_t rows, std::size_t n,
                                          std::size_t draws, const Rng& rng, const Executor& exec) {
  SEGUE_CHECK(n > 0 && differences.size() == rows * n, "{} differences for {} rows of {} units", differences.size(),
              rows, n);
  SEGUE_CHECK(draws > 0, "no draws");
  const auto row_of = [&](std::size_t row) { return differences.subspan(row * n, n); };

  std::vector<Facts> facts(rows);
  std::vector<SignFlipTest> out(rows);
  exec.for_blocks(rows, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const Facts& f = facts[r] = facts_of(row_of(r));
      out[r] = {.mean_difference = f.sum / static_cast<double>(n), .method = choose(f, draws)};
      if (out[r].method == SignFlipMethod::kExact) out[r].p = exact_p(row_of(r), f);
      if (out[r].method == SignFlipMethod::kBound) out[r].p = 1 / (1 + static_cast<double>(draws));
    }
  });

  std::vector<std::size_t> open;
  for (std::size_t r = 0; r < rows; ++r)
    if (out[r].method == SignFlipMethod::kSimulated) open.push_back(r);
  WeightedSums task{.rows = open.size(), .units = n, .draws = draws, .load = {}, .weigh = {}, .use = {}};
  task.load = [&](std::size_t i, std::span<float> to) {
    const double scale = float_scale(facts[open[i]].largest);
    const std::span<const double> d = row_of(open[i]);
    for (std::size_t u = 0; u < n; ++u) to[u] = static_cast<float>(d[u] * scale);
  };
  task.weigh = [&](std::size_t draw, std::span<float> signs) { flip_signs(rng.stream("signs", draw), signs); };
  task.use = [&](std::size_t i, std::span<float> sums) {
    const Facts& f = facts[open[i]];
    const double reach = (std::abs(f.sum) - kSumError * std::sqrt(f.squares)) * float_scale(f.largest);
    const auto reached = std::count_if(sums.begin(), sums.end(), [&](float s) { return std::abs(double{s}) >= reach; });
    out[open[i]].p = (1 + static_cast<double>(reached)) / (1 + static_cast<double>(draws));
  };
  weighted_sums(task, exec);
  for (std::size_t r = 0; r < rows; ++r) {
    out[r].p_tail = out[r].p;
    if (out[r].method != SignFlipMethod::kBound && out[r].method != SignFlipMethod::kSimulated) continue;
    if (const double bound = hoeffding(facts[r]); bound < 1 / (1 + static_cast<double>(draws)))
      out[r].p_tail = std::max(bound, std::numeric_limits<double>::min());
  }
  return out;
}

}  // namespace segue::stats
