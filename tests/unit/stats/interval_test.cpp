#include "framework/stats/interval.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/stats/distributions.hpp"
#include "tests/unit/stats/golden.hpp"

namespace segue::stats {
namespace {

// Not kept: a limit of two threads would hold for the tests with more.
Executor two() { return Executor(2); }

Interval interval_of(const std::vector<double>& x, BootstrapOptions options, std::uint64_t seed = 1) {
  return bootstrap_means(x, 1, x.size(), options, Rng(seed), two())[0];
}

constexpr double kResamples = 40'000, kOfScipy = 200'000;

// The standard error of a bootstrap quantile at share p, in standard errors of the mean: sqrt(p (1-p) / B) / phi(z_p);
// for BCa the share itself moves with z0, whose error is sqrt(1/4B) / phi(0), twice. Five of these are allowed, for the
// draws of both sides; a tail where the density is thinner than the normal's gets twice that.
double monte_carlo_bound(double p, bool bca) {
  const auto density = [](double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); };
  double error = std::sqrt(p * (1 - p)) / density(normal_quantile(p));
  if (bca) error += 2 * std::sqrt(0.25) / density(0);
  return 5 * error * std::sqrt(1 / kResamples + 1 / kOfScipy);
}

BootstrapOptions many(IntervalMethod method, double level = 0.95) {
  return {static_cast<std::size_t>(kResamples), level, method};
}

TEST(Bootstrap, AgreesWithScipy) {
  for (const Golden::Line& line : Golden::get().of("bootstrap")) {
    const double level = line.numbers[0], low = line.numbers[1], high = line.numbers[2];
    const IntervalMethod method = interval_method(line.names[1]);
    const Interval ours = interval_of(Golden::get().samples.at(line.names[0]), many(method, level));
    double bound = monte_carlo_bound((1 - level) / 2, method == IntervalMethod::kBca) * ours.standard_error;
    if (line.names[0] == "heavy") bound *= 2;
    EXPECT_NEAR(ours.low, low, bound) << line.names[0] << ' ' << line.names[1] << ' ' << level;
    EXPECT_NEAR(ours.high, high, bound) << line.names[0] << ' ' << line.names[1] << ' ' << level;
  }
}

TEST(Bootstrap, TheMethodsDiffer) {  // or the bounds above would tell nothing
  const std::vector<double>& x = Golden::get().samples.at("skewed");
  const Interval percentile = interval_of(x, many(IntervalMethod::kPercentile)),
                 bca = interval_of(x, many(IntervalMethod::kBca));
  const Interval basic = interval_of(x, many(IntervalMethod::kBasic));
  const double bound = monte_carlo_bound(0.025, true) * percentile.standard_error;
  EXPECT_GT(bca.low, percentile.low + bound);
  EXPECT_GT(bca.high, percentile.high + bound);
  EXPECT_LT(basic.low, percentile.low - bound);
  EXPECT_NEAR(basic.low + percentile.high, 2 * basic.mean, 1e-9);
  EXPECT_NEAR(basic.high + percentile.low, 2 * basic.mean, 1e-9);
}

TEST(Bootstrap, StudentTAgreesWithScipy) {
  for (const Golden::Line& line : Golden::get().of("t_interval")) {
    const Interval ours =
        interval_of(Golden::get().samples.at(line.names[0]), {1, line.numbers[0], IntervalMethod::kStudentT});
    EXPECT_NEAR(ours.low, line.numbers[1], 1e-8);
    EXPECT_NEAR(ours.high, line.numbers[2], 1e-8);
  }
}

// The ends are order statistics of the resampled means, and so whole numbers of hits; nothing is lost in floats.
TEST(Bootstrap, MeansOfHitsAreSharesOfHits) {
  std::vector<double> many_hits(6000, 0.0);
  std::fill_n(many_hits.begin(), 2417, 1.0);
  for (const std::vector<double>& x : {Golden::get().samples.at("hits"), many_hits}) {
    const double n = static_cast<double>(x.size());
    const Interval ours =
        interval_of(x, {981, 0.9, IntervalMethod::kPercentile});  // the ends are the 50th and the 932nd
    EXPECT_NEAR(ours.low * n, std::round(ours.low * n), 1e-10);
    EXPECT_NEAR(ours.high * n, std::round(ours.high * n), 1e-10);
  }
}

// Multiples of 0.1 are no floats. Sorted, so that without another order the sums of a slice would grow far.
TEST(Bootstrap, FloatsLoseLittle) {
  std::vector<double> tenths, whole;
  for (int i = 0; i < 6000; ++i) whole.push_back(std::floor(i * i / 3.6e6)), tenths.push_back(0.1 * whole.back());
  for (const IntervalMethod method : {IntervalMethod::kPercentile, IntervalMethod::kBasic, IntervalMethod::kBca}) {
    const Interval a = interval_of(tenths, {300, 0.95, method}), b = interval_of(whole, {300, 0.95, method});
    EXPECT_NEAR(a.low, 0.1 * b.low, 2e-6 * a.standard_error);
    EXPECT_NEAR(a.high, 0.1 * b.high, 2e-6 * a.standard_error);
  }
}

// Two units: a resample has mean 0, 1/2 or 1 with probabilities 1/4, 1/2, 1/4, so z0 = 0 only if ties count half, and
// there is no skewness: BCa is the percentile interval. Were ties counted as below (or not), z0 would be +-0.67.
TEST(Bootstrap, TiesCountHalf) {
  const std::vector<double> x{0, 1};
  const Interval bca = interval_of(x, {2000, 0.4, IntervalMethod::kBca});
  EXPECT_NEAR(bca.low, 0.5, 1e-6);  // the shares 0.3 and 0.7 both fall on 1/2
  EXPECT_NEAR(bca.high, 0.5, 1e-6);
}

// Two resamples: half the level is half the way from one to the other.
TEST(Bootstrap, QuantilesInterpolate) {
  const std::vector<double>& x = Golden::get().samples.at("skewed");
  const Interval all = interval_of(x, {2, 1 - 1e-12, IntervalMethod::kPercentile}),
                 half = interval_of(x, {2, 0.5, IntervalMethod::kPercentile});
  EXPECT_GT(all.high, all.low);
  EXPECT_NEAR(half.low, all.low + 0.25 * (all.high - all.low), 1e-9);
  EXPECT_NEAR(half.high, all.low + 0.75 * (all.high - all.low), 1e-9);
}

TEST(Bootstrap, RowsWithoutSpread) {
  for (const IntervalMethod method :
       {IntervalMethod::kPercentile, IntervalMethod::kBasic, IntervalMethod::kBca, IntervalMethod::kStudentT}) {
    const std::vector<double> values{0.1, 0.1, 0.1, 0, 0, 0, 0, 1, 0};
    const std::vector<Interval> out = bootstrap_means(values, 3, 3, {500, 0.95, method}, Rng(1), two());
    EXPECT_EQ(out[0].low, 0.1);
    EXPECT_EQ(out[0].high, 0.1);
    EXPECT_EQ(out[0].mean, 0.1);
    EXPECT_EQ(out[0].standard_error, 0);
    EXPECT_EQ(out[1].high, 0);
    EXPECT_LT(out[2].low, out[2].high);
    const Interval one = interval_of({0.7}, {100, 0.95, method});
    EXPECT_EQ(one.low, 0.7);
    EXPECT_EQ(one.high, 0.7);
  }
  EXPECT_TRUE(bootstrap_means({}, 0, 5, {}, Rng(1), two()).empty());
}

TEST(Bootstrap, MovesAndScalesWithItsValues) {
  std::vector<double> x = Golden::get().samples.at("skewed"), far = x, tiny = x;
  for (double& v : far) v += 1e6;
  for (double& v : tiny) v *= 0x1p-150;  // squares below the range of floats
  const Interval a = interval_of(x, {2000}), b = interval_of(far, {2000}), c = interval_of(tiny, {2000});
  EXPECT_NEAR(b.low - 1e6, a.low, 1e-7);
  EXPECT_NEAR(b.high - 1e6, a.high, 1e-7);
  EXPECT_EQ(c.low * 0x1p150, a.low);
  EXPECT_EQ(c.high * 0x1p150, a.high);
}

TEST(Bootstrap, SameBitsForAnyThreadsAndCompany) {
  std::vector<double> values(90 * 700);
  Rng rng(5);
  for (double& v : values) v = rng.exponential();
  const auto run = [&](int threads, std::size_t rows) {
    std::vector<double> ends;
    for (const Interval& i : bootstrap_means({values.data(), rows * 700}, rows, 700, {300}, Rng(9), Executor(threads)))
      ends.insert(ends.end(), {i.mean, i.low, i.high, i.standard_error});
    return ends;
  };
  const std::vector<double> all = run(1, 90);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(run(threads, 90), all);
  EXPECT_EQ(run(2, 1), std::vector<double>(all.begin(), all.begin() + 4));
  const Interval other = bootstrap_means({values.data(), 700}, 1, 700, {300}, Rng(10), two())[0];
  EXPECT_NE(other.low, all[1]);  // the seed matters
}

TEST(Bootstrap, Refusals) {
  EXPECT_THROW(interval_of({1, std::nan("")}, {}), LogicError);
  EXPECT_THROW(interval_of({1, INFINITY}, {}), LogicError);
  EXPECT_THROW(interval_of({1, 2}, {100, 1.0}), LogicError);
  EXPECT_THROW(interval_of({1, 2}, {0}), LogicError);
  EXPECT_THROW(bootstrap_means(std::vector<double>{1, 2, 3}, 2, 2, {}, Rng(1), two()), LogicError);
  EXPECT_THROW(bootstrap_means({}, 2, 0, {}, Rng(1), two()), LogicError);
  for (const std::string name : {"percentile", "basic", "bca", "t"})
    EXPECT_EQ(interval_method_name(interval_method(name)), name);
  try {
    interval_method("bac");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("unknown interval 'bac'"),
                                         testing::HasSubstr("known: percentile, basic, bca, t")));
  }
}

}  // namespace
}  // namespace segue::stats
