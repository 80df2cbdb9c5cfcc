#include "framework/stats/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include "framework/base/errors.hpp"

namespace segue::stats {

namespace {

using boost::math::complement;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_df(double df) { SEGUE_CHECK(df > 0 && std::isfinite(df), "{} degrees of freedom", df); }

}  // namespace

double normal_cdf(double z) {
  SEGUE_CHECK(!std::isnan(z), "normal_cdf(nan)");
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  SEGUE_CHECK(p >= 0 && p <= 1, "normal_quantile({})", p);
  if (p == 0 || p == 1) return p == 0 ? -kInfinity : kInfinity;
  return boost::math::quantile(boost::math::normal(), p);
}

double normal_two_sided(double z) {
  SEGUE_CHECK(!std::isnan(z), "normal_two_sided(nan)");
  return std::erfc(std::abs(z) / std::numbers::sqrt2);
}

double student_t_cdf(double t, double df) {
  check_df(df);
  SEGUE_CHECK(!std::isnan(t), "student_t_cdf(nan)");
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  return boost::math::cdf(boost::math::students_t(df), t);
}

double student_t_quantile(double p, double df) {
  check_df(df);
  SEGUE_CHECK(p > 0 && p < 1, "student_t_quantile({})", p);
  return boost::math::quantile(boost::math::students_t(df), p);
}

double student_t_two_sided(double t, double df) {
  check_df(df);
  SEGUE_CHECK(!std::isnan(t), "student_t_two_sided(nan)");
  if (std::isinf(t)) return 0;
  return 2 * boost::math::cdf(complement(boost::math::students_t(df), std::abs(t)));
}

double noncentral_t_cdf(double t, double df, double noncentrality) {
  check_df(df);
  SEGUE_CHECK(std::isfinite(t) && std::isfinite(noncentrality), "noncentral_t_cdf({}, {}, {})", t, df, noncentrality);
  return boost::math::cdf(boost::math::non_central_t(df, noncentrality), t);
}

double chi_square_upper(double x, double df) {
  check_df(df);
  SEGUE_CHECK(x >= 0, "chi_square_upper({})", x);
  if (std::isinf(x)) return 0;
  return boost::math::cdf(complement(boost::math::chi_squared(df), x));
}

double f_upper(double x, double df1, double df2) {
  check_df(df1), check_df(df2);
  SEGUE_CHECK(x >= 0, "f_upper({})", x);
  if (std::isinf(x)) return 0;
  return boost::math::cdf(complement(boost::math::fisher_f(df1, df2), x));
}

double hedges_factor(double df) {
  SEGUE_CHECK(df > 1, "hedges_factor({})", df);
  return std::exp(boost::math::lgamma(df / 2) - boost::math::lgamma((df - 1) / 2)) / std::sqrt(df / 2);
}

double studentised_range_cdf(double q, std::size_t k) {
  SEGUE_CHECK(k >= 2 && !std::isnan(q), "studentised_range_cdf({}, {})", q, k);
  if (q <= 0) return 0;
  // z is the largest of the k: below -9 and, for any k that fits a computer, above 12 there is nothing left of 1e-16.
  constexpr double kFrom = -9, kTo = 12, kStep = 1.0 / 32;
  double sum = 0;
  for (int i = 0; i <= static_cast<int>((kTo - kFrom) / kStep); ++i) {
    const double z = kFrom + i * kStep;
    // Of the two forms of Phi(z) - Phi(z - q), the one that subtracts small numbers.
    const double inside = z < 0 ? normal_cdf(z) - normal_cdf(z - q) : normal_cdf(q - z) - normal_cdf(-z);
    sum += std::exp(-0.5 * z * z) * std::pow(std::max(0.0, inside), static_cast<double>(k - 1));
  }
  return std::min(1.0, static_cast<double>(k) * sum * kStep / std::sqrt(2 * std::numbers::pi));
}

double studentised_range_quantile(double p, std::size_t k) {
  SEGUE_CHECK(p > 0 && p < 1, "studentised_range_quantile({})", p);
  double low = 0, high = 1;
  while (studentised_range_cdf(high, k) < p) high *= 2;
  for (double middle = 0.5 * (low + high); low < middle && middle < high; middle = 0.5 * (low + high))
    (studentised_range_cdf(middle, k) < p ? low : high) = middle;
  return high;
}

}  // namespace segue::stats
