// Inside eval: what a per-query metric sees, and the functions that the cards point to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/eval/metrics.hpp"

namespace segue {

// One query with truth. The ranked truth items come in the order of their ranks.
struct QueryTruth {
  std::size_t truth = 0;                   // number of truth items, ranked or not; at least 1
  std::span<const std::uint32_t> ranks{};  // of the ranked ones, strictly ascending, from 1
  std::span<const double> gains{};         // of the ranked ones
  std::span<const double> ideal_gains{};   // of all truth items, descending
  // Of the ranked ones, then of those candidates that the model could not score; empty where not stored.
  std::span<const std::uint32_t> above{}, tied{};
  std::uint32_t candidates = 0;

  // How many truth items stand in the first k places.
  std::size_t hits(std::size_t k) const;
};

// How often each recommended item stands in the first k places of the queries with truth, ascending, none 0.
// LogicError for more different items than the catalogue has.
std::vector<std::uint64_t> recommended_counts(const RankingOutcome& outcome, std::size_t k);

// The Gini coefficient of counts given ascending, with as many zeros as the population needs; NaN if all are 0.
double gini_of(std::span<const std::uint64_t> ascending, std::size_t population);

// LogicError for arrays that contradict each other.
void check_shape(const RankingOutcome& outcome);

inline constexpr std::size_t kClicksDepth = 500;  // places that a list of the Million Playlist Challenge has

// The cards by subject, in the order in which they are shown.
std::vector<MetricCard> accuracy_cards();
std::vector<MetricCard> beyond_accuracy_cards();
std::vector<MetricCard> rating_cards();

namespace metric {

double hr(const QueryTruth& query, std::size_t k);
double ndcg(const QueryTruth& query, std::size_t k);
double ndcg_exp(const QueryTruth& query, std::size_t k);
double ndcg_full_ideal(const QueryTruth& query, std::size_t k);
double recall(const QueryTruth& query, std::size_t k);
double recall_min(const QueryTruth& query, std::size_t k);
double precision(const QueryTruth& query, std::size_t k);
double map(const QueryTruth& query, std::size_t k);
double map_min(const QueryTruth& query, std::size_t k);
double mrr(const QueryTruth& query, std::size_t k);
double auc(const QueryTruth& query, std::size_t k);
double r_precision(const QueryTruth& query, std::size_t k);
double clicks(const QueryTruth& query, std::size_t k);

double coverage(const RankingOutcome& outcome, std::size_t k);
double gini(const RankingOutcome& outcome, std::size_t k);
double entropy(const RankingOutcome& outcome, std::size_t k);

double novelty(QueryList& list, std::size_t k);
double popularity(QueryList& list, std::size_t k);
double tail_share(QueryList& list, std::size_t k);
double ild_tags(QueryList& list, std::size_t k);
double ild_vectors(QueryList& list, std::size_t k);
double artist_diversity(QueryList& list, std::size_t k);
double artist_coherence(QueryList& list, std::size_t k);
double calibration(QueryList& list, std::size_t k);
double serendipity(QueryList& list, std::size_t k);
double repeat_share(QueryList& list, std::size_t k);

MetricValue rmse(const RatingOutcome& outcome);
MetricValue mae(const RatingOutcome& outcome);
MetricValue rmse_user(const RatingOutcome& outcome);

}  // namespace metric
}  // namespace segue
