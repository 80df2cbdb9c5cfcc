// Inside eval: what other libraries compute, where it is not what we compute.
#pragma once

#include "framework/eval/metrics.hpp"

namespace segue::dialects {

// One of our metrics. Cut-off 0: the length of the stored lists.
MetricValue ours(const char* name, const RankingOutcome& outcome, std::size_t k);
// With every gain 1.
MetricValue ours_binary(const char* name, const RankingOutcome& outcome, std::size_t k);

MetricValue trec_r_precision(const RankingOutcome& outcome, std::size_t k);

MetricValue recbole_gauc(const RankingOutcome& outcome, std::size_t k);
MetricValue recbole_coverage(const RankingOutcome& outcome, std::size_t k);
MetricValue recbole_popularity(const RankingOutcome& outcome, std::size_t k);
MetricValue recbole_gini(const RankingOutcome& outcome, std::size_t k);
MetricValue recbole_entropy(const RankingOutcome& outcome, std::size_t k);
MetricValue recbole_tail(const RankingOutcome& outcome, std::size_t k);

MetricValue lenskit_ndcg(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_dcg(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_precision(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_average_precision(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_rbp(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_popularity_rank(const RankingOutcome& outcome, std::size_t k);
MetricValue lenskit_exposure_gini(const RankingOutcome& outcome, std::size_t k);

MetricValue implicit_precision(const RankingOutcome& outcome, std::size_t k);
MetricValue implicit_auc(const RankingOutcome& outcome, std::size_t k);

}  // namespace segue::dialects
