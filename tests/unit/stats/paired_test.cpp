#include "framework/stats/paired.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/unit/stats/golden.hpp"

namespace segue::stats {
namespace {

// Not kept: a limit of two threads would hold for the tests with more.
Executor two() { return Executor(2); }

SignFlipTest flip(const std::vector<double>& d, std::size_t draws, std::uint64_t seed = 1) {
  return sign_flip_tests(d, 1, d.size(), draws, Rng(seed), two())[0];
}

TEST(SignFlip, ExactAsScipy) {
  for (const Golden::Line& line : Golden::get().of("sign_flip_exact")) {
    const SignFlipTest ours = flip(Golden::get().samples.at(line.names[0]), 4096);
    EXPECT_EQ(ours.method, SignFlipMethod::kExact);
    EXPECT_EQ(ours.p, line.numbers[0]) << line.names[0];
  }
}

// 0.1 + 0.2 - 0.3 and its like: in double the flipped sums miss the observed one by a rounding. Compare with whole
// numbers.
TEST(SignFlip, RoundingDoesNotBreakTies) {
  Rng rng(8);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<double> whole(10), tenths(10);
    for (std::size_t i = 0; i < 10; ++i) {
      whole[i] = static_cast<double>(rng.below(9)) - 4;
      tenths[i] = whole[i] * 0.1;
    }
    EXPECT_EQ(flip(tenths, 2000).p, flip(whole, 2000).p);
  }
}

// The same ties in the float product: with 1200 differences of +-0.1 the draws must reach |S| as often as with +-1.
TEST(SignFlip, RoundingDoesNotBreakTiesWhenSimulated) {
  std::vector<double> ones(2000, 0.0), tenths(2000, 0.0);
  for (std::size_t i = 0; i < 1200; ++i) {
    ones[i] = i < 625 ? 1 : -1;  // sorted, which is the worst for the sums inside a slice
    tenths[i] = ones[i] * 0.1;
  }
  const SignFlipTest a = flip(ones, 1000), b = flip(tenths, 1000);
  EXPECT_EQ(a.method, SignFlipMethod::kSimulated);
  EXPECT_EQ(a.p, b.p);
  // P(|S*| >= 50) for 1200 fair coins, by the binomial distribution.
  double exact = 0;
  for (int heads = 0; heads <= 1200; ++heads)
    if (std::abs(2 * heads - 1200) >= 50)
      exact += std::exp(std::lgamma(1201) - std::lgamma(heads + 1) - std::lgamma(1201 - heads) - 1200 * std::log(2));
  EXPECT_NEAR(a.p, exact, 4 * std::sqrt(exact * (1 - exact) / 1000) + 1.0 / 1000);
}

TEST(SignFlip, SimulationAgreesWithScipyAndWithTheExactTest) {
  constexpr double kDraws = 50'000, kOfScipy = 200'000;
  for (const Golden::Line& line : Golden::get().of("sign_flip")) {
    const SignFlipTest ours = flip(Golden::get().samples.at(line.names[0]), static_cast<std::size_t>(kDraws));
    const double p = line.numbers[0];
    EXPECT_EQ(ours.method, SignFlipMethod::kSimulated);
    EXPECT_NEAR(ours.p, p, 5 * std::sqrt(p * (1 - p) * (1 / kDraws + 1 / kOfScipy))) << line.names[0];
  }
  for (const Golden::Line& line : Golden::get().of("sign_flip_exact")) {
    const std::vector<double>& d = Golden::get().samples.at(line.names[0]);
    std::size_t nonzero = 0;
    for (const double x : d) nonzero += x != 0;
    const std::size_t draws = (std::size_t{1} << nonzero) - 1;  // one too few for all patterns
    const SignFlipTest ours = flip(d, draws);
    const double p = line.numbers[0];
    EXPECT_EQ(ours.method, SignFlipMethod::kSimulated);
    EXPECT_NEAR(ours.p, p,
                5 * std::sqrt(p * (1 - p) / static_cast<double>(draws)) + 1 / (1.0 + static_cast<double>(draws)))
        << line.names[0];
  }
}

// Zeros leave both sums as they are, so they cost no patterns.
TEST(SignFlip, OnlyDifferencesThatAreNotZeroCount) {
  std::vector<double> d(500, 0.0);
  d[3] = 0.5, d[99] = 0.25, d[400] = 0.1;
  EXPECT_EQ(flip(d, 8).method, SignFlipMethod::kExact);
  EXPECT_EQ(flip(d, 8).p, 0.25);  // +++ and ---, of eight
  EXPECT_NEAR(flip(d, 8).mean_difference, 0.85 / 500, 1e-16);
  EXPECT_EQ(flip(d, 7).method, SignFlipMethod::kSimulated);
  const SignFlipTest none = flip(std::vector<double>(500, 0.0), 100);
  EXPECT_EQ(none.method, SignFlipMethod::kNoDifference);
  EXPECT_EQ(none.p, 1);
  EXPECT_EQ(flip({0.3}, 100).p, 1);  // one unit: both signs reach it
}

// Where the bound decides, a simulation of the same differences, diluted until it is needed, has to agree.
TEST(SignFlip, TheBoundGivesWhatDrawingGives) {
  std::vector<double> d(100);
  for (std::size_t i = 0; i < 100; ++i) d[i] = 1 + 0.01 * static_cast<double>(i);
  const SignFlipTest bound = flip(d, 999);
  EXPECT_EQ(bound.method, SignFlipMethod::kBound);
  EXPECT_EQ(bound.p, 1.0 / 1000);
  for (std::size_t i = 0; i < 15; ++i) d[i] = -d[i];
  const SignFlipTest drawn = flip(d, 999);  // six standard deviations: not certain enough for the bound
  EXPECT_EQ(drawn.method, SignFlipMethod::kSimulated);
  EXPECT_EQ(drawn.p, 1.0 / 1000);
}

// A thousand tests at once, with the 999 draws of one: corrected by the smallest p that draws can give, nothing would
// ever be different.
TEST(SignFlip, TheTailIsFinerThanTheDraws) {
  std::vector<double> d(16);
  for (std::size_t i = 0; i < 16; ++i) d[i] = 1 + 0.01 * static_cast<double>(i);
  const SignFlipTest drawn = flip(d, 999), exact = flip(d, 70'000);
  ASSERT_EQ(drawn.method, SignFlipMethod::kSimulated);
  ASSERT_EQ(exact.method, SignFlipMethod::kExact);
  EXPECT_EQ(drawn.p, 1.0 / 1000);
  EXPECT_NEAR(drawn.p_tail, 2 * std::exp(-8), 1e-5);  // S^2 is almost n sum d^2
  EXPECT_GE(drawn.p_tail, exact.p) << "a bound on the exact share, 2 / 65536";
  EXPECT_EQ(exact.p_tail, exact.p);
  d[0] = -10;
  EXPECT_EQ(flip(d, 999).p_tail, flip(d, 999).p) << "where draws can tell, they do";
  EXPECT_GT(flip(std::vector<double>(5000, 1.0), 999).p_tail, 0);
  EXPECT_LT(flip(std::vector<double>(5000, 1.0), 999).p_tail, 1e-300);
}

TEST(SignFlip, SameBitsForAnyThreadsAndCompany) {
  std::vector<double> d(90 * 700);
  Rng rng(5);
  for (double& v : d) v = rng.normal();
  const auto run = [&](int threads, std::size_t rows) {
    std::vector<double> p;
    for (const SignFlipTest& t : sign_flip_tests({d.data(), rows * 700}, rows, 700, 500, Rng(9), Executor(threads)))
      p.push_back(t.p);
    return p;
  };
  const std::vector<double> all = run(1, 90);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(run(threads, 90), all);
  EXPECT_EQ(run(2, 1)[0], all[0]);
  const std::vector<double> first(d.begin(), d.begin() + 700);
  EXPECT_NE(flip(first, 500, 10).p, flip(first, 500, 11).p);  // the seed matters
}

TEST(PairedT, AgreesWithScipy) {
  for (const Golden::Line& line : Golden::get().of("t_test")) {
    const TTest ours = paired_t_test(Golden::get().samples.at(line.names[0]));
    EXPECT_NEAR(ours.t, line.numbers[0], 1e-9) << line.names[0];
    EXPECT_NEAR(ours.p, line.numbers[1], 1e-9) << line.names[0];
  }
  EXPECT_EQ(paired_t_test(std::vector<double>{0.1, 0.1, 0.1}).p, 0);
  EXPECT_EQ(paired_t_test(std::vector<double>{-0.1, -0.1, -0.1}).t, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(paired_t_test(std::vector<double>{0, 0}).p, 1);
  EXPECT_EQ(paired_t_test(std::vector<double>{0.3}).p, 1);
}

TEST(Wilcoxon, AgreesWithScipy) {
  for (const Golden::Line& line : Golden::get().of("wilcoxon")) {
    const WilcoxonTest ours = wilcoxon_signed_rank(Golden::get().samples.at(line.names[0]));
    EXPECT_EQ(ours.statistic, line.numbers[0]) << line.names[0];
    EXPECT_NEAR(ours.p, line.numbers[1], 1e-9) << line.names[0];
  }
  EXPECT_EQ(wilcoxon_signed_rank(std::vector<double>{0, 0, 0}).p, 1);
  EXPECT_EQ(wilcoxon_signed_rank(std::vector<double>{0, 2, 0, -1}).used, 2u);
}

TEST(EffectSize, KnownCases) {
  const EffectSize e = effect_size(std::vector<double>{1, 2, 3, 0, -1});  // mean 1, s^2 = 10/4
  EXPECT_NEAR(e.cohen_dz, 1 / std::sqrt(2.5), 1e-15);
  EXPECT_NEAR(e.hedges_gz, e.cohen_dz * std::tgamma(2.0) / (std::sqrt(2.0) * std::tgamma(1.5)), 1e-14);
  EXPECT_EQ(e.superiority, 0.7);
  const EffectSize equal = effect_size(std::vector<double>{-2, -2, -2});
  EXPECT_EQ(equal.cohen_dz, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(equal.superiority, 0);
  const EffectSize none = effect_size(std::vector<double>{0, 0});
  EXPECT_EQ(none.cohen_dz, 0);
  EXPECT_EQ(none.hedges_gz, 0);
  EXPECT_EQ(none.superiority, 0.5);
}

TEST(Detectable, AgreesWithScipysNoncentralT) {
  for (const Golden::Line& line : Golden::get().of("detectable")) {
    const double n = line.numbers[0];
    EXPECT_NEAR(detectable_effect(static_cast<std::size_t>(n), line.numbers[1], line.numbers[2]), line.numbers[3],
                1e-8 * line.numbers[3])
        << n;
  }
  const std::vector<double>& d = Golden::get().samples.at("real");
  double sum = 0, squares = 0;
  for (const double x : d) sum += x, squares += x * x;
  const double s = std::sqrt((squares - sum * sum / 11) / 10);
  EXPECT_NEAR(minimum_detectable_difference(d, 0.05), s * detectable_effect(11, 0.05, 0.8), 1e-12);
  EXPECT_EQ(minimum_detectable_difference(std::vector<double>{1, 1}, 0.05), 0);
}

TEST(PairedDifferences, RoundingIsNoDifference) {
  const std::vector<double> d = paired_differences(std::vector<double>{0.1 + 0.2, 1, 0, 5, -1e-20},
                                                   std::vector<double>{0.3, 0.5, 0, 5.0000001, 0});
  EXPECT_EQ(d[0], 0);
  EXPECT_EQ(d[1], 0.5);
  EXPECT_EQ(d[2], 0);
  EXPECT_NEAR(d[3], -1e-7, 1e-14);
  EXPECT_EQ(d[4], -1e-20);
}

TEST(Paired, Refusals) {
  const std::vector<double> bad{1, std::nan("")}, good{1, 2};
  EXPECT_THROW(flip(bad, 10), LogicError);
  EXPECT_THROW(flip(good, 0), LogicError);
  EXPECT_THROW(sign_flip_tests(good, 2, 2, 10, Rng(1), two()), LogicError);
  EXPECT_THROW(paired_t_test(bad), LogicError);
  EXPECT_THROW(paired_t_test({}), LogicError);
  EXPECT_THROW(wilcoxon_signed_rank(bad), LogicError);
  EXPECT_THROW(wilcoxon_signed_rank({}), LogicError);
  EXPECT_THROW(effect_size({}), LogicError);
  EXPECT_THROW(detectable_effect(1, 0.05), LogicError);
  EXPECT_THROW(detectable_effect(10, 0.9, 0.8), LogicError);
  EXPECT_THROW(paired_differences(good, std::vector<double>{1}), LogicError);
}

}  // namespace
}  // namespace segue::stats
