// Two systems on the same units: is the mean of the differences zero, how large is it, and what could have been seen?
//
// All take differences d (a - b, one a unit); n >= 1, and NaN or infinite ones are a LogicError. All tests are
// two-sided.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"

namespace segue::stats {

// a - b, and exactly 0 where both agree to 1e-12 of the larger: figures that are equal but were computed along
// different ways are ties, not tiny wins.
std::vector<double> paired_differences(std::span<const double> a, std::span<const double> b);

enum class SignFlipMethod {
  kNoDifference,  // every difference is zero: p = 1
  kExact,         // all sign patterns
  kBound,         // p = 1 / (1 + draws) without drawing, see below
  kSimulated,
};

struct SignFlipTest {
  double mean_difference = 0;
  double p = 1;
  SignFlipMethod method = SignFlipMethod::kNoDifference;
  // p, or where it is smaller than 1 / (1 + B) Hoeffding's bound on the share of all sign patterns that reach |S|,
  // 2 exp(-S^2 / (2 sum d^2)): what corrections for many tests need, since with more than alpha (1 + B) of them no
  // number of draws would be enough. Never 0.
  double p_tail = 1;
};

// The paired randomisation test (Fisher 1935; for retrieval Smucker, Allan & Carterette 2007): under the null
// hypothesis the signs of the differences are those of fair coins. One test a row of `differences` (rows x n,
// row-major); draw b flips the signs by rng.stream("signs", b) for every row, so a row's p depends neither on the other
// rows nor on threads.
//
// With S the sum of differences, S* of flipped ones and B draws, p = (1 + #{|S*| >= |S|}) / (1 + B) (Phipson & Smyth
// 2010: never 0). Where the m differences that are not zero have 2^m <= B patterns, p is the exact share over all of
// them. Where Hoeffding's bound says that 2 B exp(-S^2 / (2 sum d^2)) < 1e-12, no draw would reach |S|, and p = 1 / (1
// + B) at once, as drawing gives.
// ">=" allows for rounding: 1e-10 of sum |d| when exact, 5e-5 of sqrt(sum d^2) in the float product of the simulation,
// so that ties (differences of hits are -1, 0, 1) count as reached; what else falls in between moves p by less than
// 4e-5.
std::vector<SignFlipTest> sign_flip_tests(std::span<const double> differences, std::size_t rows, std::size_t n,
                                          std::size_t draws, const Rng& rng, const Executor& exec);

struct TTest {
  double t = 0, df = 0, p = 1;
};
// Student's paired t. Equal differences other than 0 give t = +-infinity and p = 0; all 0, or n = 1, gives t = 0 and p
// = 1.
TTest paired_t_test(std::span<const double> differences);

struct WilcoxonTest {
  double statistic = 0;  // the smaller of the rank sums of positive and negative differences
  double z = 0;          // negative where that is smaller than expected
  double p = 1;
  std::size_t used = 0;  // differences that are not zero
};
// Wilcoxon's signed ranks by the normal approximation: zeros are dropped, tied magnitudes share midranks and shrink the
// variance, no continuity correction; what scipy.stats.wilcoxon(mode="approx") does by default. Without any difference
// p = 1.
WilcoxonTest wilcoxon_signed_rank(std::span<const double> differences);

struct EffectSize {
  double cohen_dz = 0;       // mean / s of the differences; +-infinity where they are equal and not 0
  double hedges_gz = 0;      // the same without its bias for small n (hedges_factor; dz where n < 3)
  double superiority = 0.5;  // share of units where d > 0, ties counted half
};
EffectSize effect_size(std::span<const double> differences);

// The standardised mean difference (in s of the differences) that a two-sided paired t test at level alpha finds with
// this probability: exact, by the non-central t distribution. n >= 2, 0 < alpha < power < 1.
double detectable_effect(std::size_t n, double alpha, double power = 0.8);
// The same in units of the differences: detectable_effect() times s. 0 where they are all equal.
double minimum_detectable_difference(std::span<const double> differences, double alpha, double power = 0.8);

}  // namespace segue::stats
