// Confidence intervals for the mean of n units (users, queries), by the bootstrap or by Student's t.
//
// Rows of one table share their resamples, so what differs between their intervals is the rows, and thousands of rows
// cost one matrix product.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"

namespace segue::stats {

enum class IntervalMethod {
  kPercentile,  // quantiles of the resampled means (Efron & Tibshirani 1993, ch. 13)
  kBasic,       // those reflected at the mean (Davison & Hinkley 1997, eq. 5.6)
  kBca,         // percentiles corrected for bias and skewness (Efron 1987)
  kStudentT,    // mean +- t s / sqrt(n); draws nothing
};
std::string_view interval_method_name(IntervalMethod method);  // "percentile", "basic", "bca", "t"
IntervalMethod interval_method(std::string_view name);         // UsageError where there is no such name

struct BootstrapOptions {
  std::size_t resamples = 10000;
  double level = 0.95;  // in (0, 1); equal tails
  IntervalMethod method = IntervalMethod::kBca;
};

struct Interval {
  double mean = 0;
  double low = 0, high = 0;
  double standard_error = 0;  // s / sqrt(n) with s over n - 1; 0 where n = 1
};

// One interval a row of `values` (rows x n, row-major). n >= 1. Values that are NaN or infinite are a LogicError.
// A row without spread, and so every row where n = 1, has low = high = mean: it tells nothing about other units.
// Resample b is rng.stream("bootstrap", b): a row's interval does not depend on the other rows, nor on threads.
//
// Quantiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996). BCa: the acceleration is
// sum d^3 / (6 (sum d^2)^1.5) with d = x - mean, which is what the jackknife gives for a mean; z0 comes from the share
// of resampled means below the mean, equal ones counted half, kept within [1/2B, 1 - 1/2B]. "Equal" allows 5e-5 of a
// standard error, since the product is made of floats. An end is as good as the mean of hits or counts to 1e-12, of
// other values to about 1e-6 of a standard error; the Monte-Carlo error is far above that.
//
// Cost: rows n resamples multiply-adds in float, and n resamples random draws.
std::vector<Interval> bootstrap_means(std::span<const double> values, std::size_t rows, std::size_t n,
                                      const BootstrapOptions& options, const Rng& rng, const Executor& exec);

}  // namespace segue::stats
