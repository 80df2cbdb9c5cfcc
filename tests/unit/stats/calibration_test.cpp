// Do the figures keep their promise? Identical systems must differ significantly in 5 % of the cases, no more and no
// less; an interval must cover the truth as often as it says; and a difference that is there must be found.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "framework/stats/interval.hpp"
#include "framework/stats/paired.hpp"

namespace segue::stats {
namespace {

constexpr std::size_t kTrials = 2000, kUnits = 200, kDraws = 399, kBatch = 50;

// Trials of one batch share their signs, so batches have seeds of their own: else the rates would all hang on the same
// 999 draws.
double rejection_rate(const std::function<double(Rng&)>& difference) {
  const Executor exec(2);
  std::size_t rejected = 0;
  for (std::size_t batch = 0; batch < kTrials / kBatch; ++batch) {
    Rng values = Rng(11).stream("values", batch);
    std::vector<double> d(kBatch * kUnits);
    for (double& x : d) x = difference(values);
    for (const SignFlipTest& t : sign_flip_tests(d, kBatch, kUnits, kDraws, Rng(12).stream("test", batch), exec))
      rejected += t.p <= 0.05;
  }
  return static_cast<double>(rejected) / static_cast<double>(kTrials);
}

// Per-user figures as evaluations have them: most are zero, the others skewed; some users are easier for every system.
double hit(Rng& rng, double skill) { return rng.uniform() < skill ? 1 : 0; }
double ndcg(Rng& rng, double skill) {
  return rng.uniform() < skill ? 1 / std::log2(2 + static_cast<double>(rng.below(10))) : 0;
}

TEST(Calibration, IdenticalSystemsDifferInFivePercent) {
  EXPECT_NEAR(rejection_rate([](Rng& rng) { return rng.normal(); }), 0.05, 0.01);
  EXPECT_NEAR(rejection_rate([](Rng& rng) { return (rng.uniform() < 0.5 ? 1 : -1) * std::exp(1.5 * rng.normal()); }),
              0.05, 0.01);
  EXPECT_NEAR(rejection_rate([](Rng& rng) {
                const double skill = 0.6 * rng.uniform();
                return ndcg(rng, skill) - ndcg(rng, skill);
              }),
              0.05, 0.01);
}

// m differences of +-1 have few distinct sums, so no threshold is reached in exactly 5 %: the largest share below it.
double attainable_size(int m) {
  const auto share = [m](int heads) {
    return std::exp(std::lgamma(m + 1) - std::lgamma(heads + 1) - std::lgamma(m - heads + 1) - m * std::log(2));
  };
  double size = 0;
  for (int heads = 0; 2 * heads < m && size + 2 * share(heads) <= 0.05; ++heads) size += 2 * share(heads);
  return size;
}

TEST(Calibration, HitsOfIdenticalSystemsDifferAsOftenAsTheirTiesAllow) {
  double expected = 0, flipped = 0;
  std::size_t drawn = 0;
  const double rate = rejection_rate([&](Rng& rng) {
    const double skill = 0.6 * rng.uniform(), d = hit(rng, skill) - hit(rng, skill);
    flipped += d != 0;
    if (++drawn % kUnits == 0) {
      expected += attainable_size(static_cast<int>(flipped)) / kTrials;
      flipped = 0;
    }
    return d;
  });
  EXPECT_EQ(drawn, kTrials * kUnits);
  EXPECT_GT(expected, 0.03);
  EXPECT_LT(expected, 0.05);
  EXPECT_NEAR(rate, expected, 0.01);
}

// A shift of 0.2 standard deviations with 200 pairs is found with probability 0.80 by a t test (G*Power: n = 199 for
// 0.80).
TEST(Calibration, ADifferenceIsFoundAsOftenAsItShould) {
  EXPECT_NEAR(detectable_effect(199, 0.05, 0.8), 0.2, 5e-4);
  EXPECT_NEAR(rejection_rate([](Rng& rng) { return rng.normal() + 0.2; }), 0.80, 0.03);
}

TEST(Calibration, IntervalsCoverTheTruth) {
  const Executor exec(2);
  Rng rng(21);
  std::vector<double> values(kTrials * 100);
  for (double& x : values) x = rng.exponential();  // mean 1
  const auto coverage = [&](IntervalMethod method) {
    std::size_t covered = 0;
    for (const Interval& i : bootstrap_means(values, kTrials, 100, {999, 0.9, method}, Rng(22), exec))
      covered += i.low <= 1 && 1 <= i.high;
    return static_cast<double>(covered) / static_cast<double>(kTrials);
  };
  // 2000 trials are good to 0.7 %; skewness costs the bootstrap about a percent at n = 100.
  for (const IntervalMethod method :
       {IntervalMethod::kPercentile, IntervalMethod::kBasic, IntervalMethod::kBca, IntervalMethod::kStudentT})
    EXPECT_NEAR(coverage(method), 0.89, 0.025) << interval_method_name(method);
}

}  // namespace
}  // namespace segue::stats
