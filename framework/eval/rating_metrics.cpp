#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"
#include "framework/eval/summary.hpp"

namespace segue::metric {

namespace {

// Prediction minus rating, after the clip.
std::vector<double> rating_errors(const RatingOutcome& outcome) {
  SEGUE_CHECK(outcome.predicted.size() == outcome.actual.size(), "{} predictions for {} ratings",
              outcome.predicted.size(), outcome.actual.size());
  SEGUE_CHECK(!(outcome.clip_low > outcome.clip_high), "the clip runs from {} to {}", outcome.clip_low,
              outcome.clip_high);
  std::vector<double> errors(outcome.actual.size());
  for (std::size_t i = 0; i < errors.size(); ++i) {
    double predicted = outcome.predicted[i];
    if (!std::isfinite(predicted))
      throw UsageError("the model predicted a rating of {}; training has probably diverged", predicted);
    SEGUE_CHECK(std::isfinite(outcome.actual[i]), "test rating {} is {}", i, outcome.actual[i]);
    if (predicted < outcome.clip_low) predicted = outcome.clip_low;  // false where there is no clip: NaN
    if (predicted > outcome.clip_high) predicted = outcome.clip_high;
    errors[i] = predicted - static_cast<double>(outcome.actual[i]);
  }
  return errors;
}

}  // namespace

MetricValue rmse(const RatingOutcome& outcome) {
  MetricValue value;
  value.per_query = rating_errors(outcome);
  for (double& e : value.per_query) e *= e;
  value.n = value.per_query.size();
  value.mean = std::sqrt(mean_of(value.per_query));
  return value;
}

MetricValue mae(const RatingOutcome& outcome) {
  MetricValue value;
  value.per_query = rating_errors(outcome);
  for (double& e : value.per_query) e = std::abs(e);
  value.n = value.per_query.size();
  value.mean = mean_of(value.per_query);
  return value;
}

MetricValue rmse_user(const RatingOutcome& outcome) {
  const std::vector<double> errors = rating_errors(outcome);
  SEGUE_CHECK(outcome.users.size() == errors.size(), "rmse_user needs one user a rating: {} for {}",
              outcome.users.size(), errors.size());
  std::vector<std::size_t> order(errors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return outcome.users[a] < outcome.users[b]; });
  MetricValue value;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double squares = 0;
    for (; end < order.size() && outcome.users[order[end]] == outcome.users[order[begin]]; ++end)
      squares += errors[order[end]] * errors[order[end]];
    value.per_query.push_back(std::sqrt(squares / static_cast<double>(end - begin)));
  }
  value.n = value.per_query.size();
  value.mean = mean_of(value.per_query);
  return value;
}

}  // namespace segue::metric
