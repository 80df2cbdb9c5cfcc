// The distributions that intervals and tests read their figures from. Boost.Math evaluates them; the studentised range,
// which it does not have, is ours. A figure is good to about 1e-12; arguments out of range are a LogicError.
#pragma once

#include <cstddef>

namespace segue::stats {

double normal_cdf(double z);
double normal_quantile(double p);   // p in [0, 1]; 0 and 1 give the infinities
double normal_two_sided(double z);  // P(|Z| >= |z|)

// df > 0, need not be whole; t may be infinite.
double student_t_cdf(double t, double df);
double student_t_quantile(double p, double df);   // p in (0, 1)
double student_t_two_sided(double t, double df);  // P(|T| >= |t|)
double noncentral_t_cdf(double t, double df, double noncentrality);

double chi_square_upper(double x, double df);      // P(X >= x); x may be infinite
double f_upper(double x, double df1, double df2);  // P(F >= x); x may be infinite

// The factor that takes the bias out of a standardised mean: gamma(df / 2) / (sqrt(df / 2) gamma((df - 1) / 2)), df > 1
// (Hedges 1981, eq. 6e).
double hedges_factor(double df);

// The range of k independent standard normal variables (studentised range with infinite degrees of freedom), k >= 2.
// The integral k phi(z) (Phi(z) - Phi(z - q))^(k-1) dz, by the trapezoid rule, which converges faster than any power
// here.
double studentised_range_cdf(double q, std::size_t k);
double studentised_range_quantile(double p, std::size_t k);  // p in (0, 1)

}  // namespace segue::stats
