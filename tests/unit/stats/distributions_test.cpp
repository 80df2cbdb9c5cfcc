#include "framework/stats/distributions.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/unit/stats/golden.hpp"

namespace segue::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void compare(const std::string& kind, double relative, const std::function<double(const std::vector<double>&)>& ours) {
  for (const Golden::Line& line : Golden::get().of(kind)) {
    const double expected = line.numbers.back();
    EXPECT_NEAR(ours(line.numbers), expected, relative * std::abs(expected))
        << kind << " of " << testing::PrintToString(line.numbers);
  }
}

std::size_t whole(double x) { return static_cast<std::size_t>(x); }

TEST(Distributions, AgreeWithScipy) {
  using V = const std::vector<double>&;
  compare("normal_quantile", 1e-12, [](V v) { return normal_quantile(v[0]); });
  compare("normal_two_sided", 1e-12, [](V v) { return normal_two_sided(v[0]); });
  compare("t_cdf", 1e-11, [](V v) { return student_t_cdf(v[0], v[1]); });
  compare("t_two_sided", 1e-11, [](V v) { return student_t_two_sided(v[0], v[1]); });
  compare("t_quantile", 1e-8, [](V v) { return student_t_quantile(v[0], v[1]); });
  compare("nct_cdf", 1e-9, [](V v) { return noncentral_t_cdf(v[0], v[1], v[2]); });
  compare("chi2_upper", 1e-11, [](V v) { return chi_square_upper(v[0], v[1]); });
  compare("f_upper", 1e-11, [](V v) { return f_upper(v[0], v[1], v[2]); });
  compare("hedges", 1e-11, [](V v) { return hedges_factor(v[0]); });
}

// scipy's own t.ppf is good to 3e-9 only; for one and two degrees of freedom there is a closed form.
TEST(Distributions, StudentQuantilesInClosedForm) {
  for (const double p : {0.001, 0.1, 0.5, 0.8, 0.975, 0.9999}) {
    const double a = 4 * p * (1 - p), one = std::tan(std::numbers::pi * (p - 0.5)),
                 two = 2 * (p - 0.5) * std::sqrt(2 / a);
    EXPECT_NEAR(student_t_quantile(p, 1), one, 1e-11 * std::abs(one) + 1e-15);
    EXPECT_NEAR(student_t_quantile(p, 2), two, 1e-11 * std::abs(two) + 1e-15);
  }
}

TEST(Distributions, StudentisedRangeAgreesWithScipy) {
  compare("range_quantile", 1e-9,
          [](const std::vector<double>& v) { return studentised_range_quantile(v[0], whole(v[1])); });
  for (const Golden::Line& line : Golden::get().of("range_cdf"))
    EXPECT_NEAR(studentised_range_cdf(line.numbers[0], whole(line.numbers[1])), line.numbers[2], 1e-12);
}

// For two variables the range is |X - Y|, which is sqrt(2) |Z|; for many, the cdf still ends at 1.
TEST(Distributions, StudentisedRangeKnownCases) {
  for (const double q : {0.01, 0.5, 1.0, 2.0, 4.0, 7.0})
    EXPECT_NEAR(studentised_range_cdf(q, 2), 1 - normal_two_sided(q / std::sqrt(2.0)), 1e-14);
  EXPECT_EQ(studentised_range_cdf(0, 3), 0);
  EXPECT_EQ(studentised_range_cdf(-1, 3), 0);
  EXPECT_NEAR(studentised_range_cdf(20, 1000), 1, 1e-13);
  for (const std::size_t k : {2u, 7u, 100u})
    for (const double p : {0.001, 0.3, 0.999})
      EXPECT_NEAR(studentised_range_cdf(studentised_range_quantile(p, k), k), p, 1e-13);
}

TEST(Distributions, TheEnds) {
  EXPECT_EQ(normal_quantile(0), -kInfinity);
  EXPECT_EQ(normal_quantile(1), kInfinity);
  EXPECT_EQ(normal_cdf(-kInfinity), 0);
  EXPECT_EQ(normal_cdf(kInfinity), 1);
  EXPECT_EQ(student_t_two_sided(-kInfinity, 3), 0);
  EXPECT_EQ(student_t_cdf(-kInfinity, 3), 0);
  EXPECT_EQ(student_t_cdf(kInfinity, 3), 1);
  EXPECT_EQ(f_upper(kInfinity, 3, 4), 0);
  EXPECT_EQ(chi_square_upper(kInfinity, 3), 0);
  EXPECT_NEAR(normal_cdf(normal_quantile(0.3)), 0.3, 1e-15);
}

TEST(Distributions, RefuseWhatTheyAreNotDefinedFor) {
  const double nan = std::nan("");
  EXPECT_THROW(normal_quantile(1.5), LogicError);
  EXPECT_THROW(normal_quantile(nan), LogicError);
  EXPECT_THROW(normal_cdf(nan), LogicError);
  EXPECT_THROW(student_t_cdf(1, 0), LogicError);
  EXPECT_THROW(student_t_quantile(1, 3), LogicError);
  EXPECT_THROW(student_t_two_sided(nan, 3), LogicError);
  EXPECT_THROW(chi_square_upper(-1, 3), LogicError);
  EXPECT_THROW(f_upper(1, 0, 3), LogicError);
  EXPECT_THROW(hedges_factor(1), LogicError);
  EXPECT_THROW(studentised_range_cdf(1, 1), LogicError);
  EXPECT_THROW(studentised_range_quantile(1, 3), LogicError);
}

}  // namespace
}  // namespace segue::stats
