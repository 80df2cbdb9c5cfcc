#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"

namespace segue {

std::size_t QueryTruth::hits(std::size_t k) const {
  return static_cast<std::size_t>(
      std::upper_bound(ranks.begin(), ranks.end(), k, [](std::size_t cut, std::uint32_t rank) { return cut < rank; }) -
      ranks.begin());
}

namespace metric {

namespace {

double ratio(std::size_t part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

double discount(std::size_t rank) {
  static const std::vector<double> table = [] {
    std::vector<double> first(1024);
    for (std::size_t r = 0; r < first.size(); ++r) first[r] = 1 / std::log2(static_cast<double>(r) + 1);
    return first;
  }();
  return rank < table.size() ? table[rank] : 1 / std::log2(static_cast<double>(rank) + 1);
}

double linear(double gain) { return gain; }

double exponential(double gain) {
  // Beyond this a sum of a few terms is infinite, and the ratio of two such sums is NaN.
  constexpr double kLargest = 1000;
  if (gain > kLargest)
    throw UsageError("ndcg_exp cannot take 2^gain of a gain of {}; use ndcg, or transform the gains", gain);
  return gain < 0.5 ? std::expm1(gain * std::numbers::ln2) : std::exp2(gain) - 1;  // a small gain must not vanish
}

// DCG of the hits in the first k places over the DCG of the best `ideal_length` truth items in the best order.
double normalised_dcg(const QueryTruth& query, std::size_t k, std::size_t ideal_length, double (*value)(double)) {
  double dcg = 0, ideal = 0;
  for (std::size_t i = 0, n = query.hits(k); i < n; ++i) dcg += value(query.gains[i]) * discount(query.ranks[i]);
  for (std::size_t i = 0; i < ideal_length; ++i) ideal += value(query.ideal_gains[i]) * discount(i + 1);
  return std::min(1.0, dcg / ideal);  // two roundings must not push a perfect list past 1
}

// Sum over the hits in the first k places of the precision at their rank.
double precision_sum(const QueryTruth& query, std::size_t k) {
  double sum = 0;
  for (std::size_t i = 0, n = query.hits(k); i < n; ++i) sum += ratio(i + 1, query.ranks[i]);
  return sum;
}

}  // namespace

double hr(const QueryTruth& query, std::size_t k) { return query.hits(k) > 0 ? 1 : 0; }

double ndcg(const QueryTruth& query, std::size_t k) {
  return normalised_dcg(query, k, std::min(k, query.truth), linear);
}

double ndcg_exp(const QueryTruth& query, std::size_t k) {
  return normalised_dcg(query, k, std::min(k, query.truth), exponential);
}

double ndcg_full_ideal(const QueryTruth& query, std::size_t k) { return normalised_dcg(query, k, query.truth, linear); }

double recall(const QueryTruth& query, std::size_t k) { return ratio(query.hits(k), query.truth); }

double recall_min(const QueryTruth& query, std::size_t k) { return ratio(query.hits(k), std::min(k, query.truth)); }

double precision(const QueryTruth& query, std::size_t k) { return ratio(query.hits(k), k); }

double map(const QueryTruth& query, std::size_t k) {
  return precision_sum(query, k) / static_cast<double>(query.truth);
}

double map_min(const QueryTruth& query, std::size_t k) {
  return precision_sum(query, k) / static_cast<double>(std::min(k, query.truth));
}

double mrr(const QueryTruth& query, std::size_t k) { return query.hits(k) > 0 ? ratio(1, query.ranks[0]) : 0; }

double r_precision(const QueryTruth& query, std::size_t) { return ratio(query.hits(query.truth), query.truth); }

double auc(const QueryTruth& query, std::size_t) {
  const std::size_t ranked = query.above.size();  // with those that share a score of -inf behind all others
  SEGUE_CHECK(query.candidates >= ranked, "{} of {} candidates are truth", ranked, query.candidates);
  const std::size_t negatives = query.candidates - ranked;
  double sum = 0;
  // Truth items with equal scores have equal `above`, so they are neighbours: [begin, end).
  for (std::size_t begin = 0, end = 0; begin < ranked; begin = end) {
    while (end < ranked && query.above[end] == query.above[begin]) ++end;
    const std::size_t group = end - begin;
    const std::size_t above = query.above[begin], others_tied = query.tied[begin];
    SEGUE_CHECK(above >= begin && others_tied + 1 >= group && above - begin + others_tied + 1 - group <= negatives,
                "truth ranks contradict each other: {} above, {} tied, {} candidates", above, others_tied,
                query.candidates);
    const double lost = static_cast<double>(above - begin) + 0.5 * static_cast<double>(others_tied + 1 - group);
    // Without a single negative there is nothing to be placed behind.
    const double others = static_cast<double>(negatives);
    const double won = negatives == 0 ? 1 : (others - lost) / others;
    sum += static_cast<double>(group) * won;
  }
  return sum / static_cast<double>(query.truth);
}

double clicks(const QueryTruth& query, std::size_t) {
  constexpr std::size_t kPage = 10;
  constexpr double kGivenUp = 51;
  return query.hits(kClicksDepth) > 0 ? static_cast<double>((query.ranks[0] - 1) / kPage) : kGivenUp;
}

}  // namespace metric
}  // namespace segue
