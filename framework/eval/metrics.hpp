// Metrics with cards: what a figure means stands beside the figure.
//
// How to add a metric. (1) Write its function in ranking_metrics.cpp or rating_metrics.cpp; it sees one query's truth
// (QueryTruth), all lists, or all ratings. (2) Declare it in definitions.hpp and add its card in cards.cpp: the
// definition in one line, a citation, and what other libraries compute under the same name. (3) Add its oracle to
// tests/unit/eval/oracle.hpp; a card without one fails the tests. A changed definition gets a new version, or a name of
// its own where the old one is worth keeping. A metric that needs facts beyond the outcome (tags, popularity) first
// adds them, as stored arrays, to RankingOutcome.
//
// What all ranking metrics share (framework/README.md, protocols):
//  - Hits come from the stored rank of each truth item, so every cut-off is exact, also beyond the stored lists. Only
//    coverage reads the lists.
//  - A query with truth but an empty list counts, with 0. A query without truth is not evaluated: its value is NaN, and
//  it
//    is left out of the mean and of n.
//  - A truth item that was not ranked (rank 0: not a candidate, or the model could not score it) stays in the truth,
//  and
//    stands behind everything that was ranked.
//  - Everything is computed in double and summed in the order of the queries; nothing is rounded.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "framework/eval/outcome.hpp"

namespace segue {

struct QueryTruth;

enum class MetricKind {
  kPerQuery,  // a value a query, averaged
  kUnion,     // one value over the lists of all queries
  kRating,    // from predicted ratings
};

struct MetricValue {
  // kPerQuery: one a query, NaN where it has no truth. kUnion: empty. rmse: squared errors, mae: absolute errors, in
  // the order of the ratings; rmse_user: one a user, users ascending.
  std::vector<double> per_query{};
  double mean = 0;    // the figure to report (for rmse the root of the mean); NaN if n is 0
  std::size_t n = 0;  // what it was averaged over: queries with truth, ratings, or users
};

using QueryMetric = double (*)(const QueryTruth& query, std::size_t k);
using UnionMetric = double (*)(const RankingOutcome& outcome, std::size_t k);
using RatingMetric = MetricValue (*)(const RatingOutcome& outcome);

struct MetricCard {
  std::string name;     // "ndcg"
  std::string title;    // "Normalised discounted cumulative gain"
  std::string formula;  // one line of text
  std::string citation;
  double low = 0, high = 1;  // range; high may be infinite
  bool higher_is_better = true;
  std::string averaged;  // "queries with truth"
  int version = 1;       // bumped when the definition changes
  bool has_cutoff = true;
  bool needs_tie_counts = false;  // reads truth_above, truth_tied and candidates
  MetricKind kind = MetricKind::kPerQuery;
  std::string variants;  // what other libraries do under this name, and our names for it
  std::variant<QueryMetric, UnionMetric, RatingMetric> function{};  // the alternative that belongs to kind
};

// Every metric, in the order in which they are shown.
const std::vector<MetricCard>& metric_cards();
// UsageError with a suggestion where there is none.
const MetricCard& find_metric(const std::string& name);

struct MetricSpec {
  const MetricCard* card = nullptr;
  std::size_t k = 0;         // the cut-off; 0 for a metric without one
  std::string text() const;  // "ndcg@10", "auc": what parse_metric() read, in canonical form
};

// "ndcg@10", "auc", "rmse". UsageError for an unknown name, and a cut-off that is missing, superfluous, zero or no
// number.
MetricSpec parse_metric(const std::string& text);

// UsageError where the outcome does not hold what the metric needs (stored lists shorter than coverage's cut-off, no
// tie counts for auc, gains that are not positive); LogicError for a rating metric and for arrays that contradict each
// other.
MetricValue compute(const MetricSpec& metric, const RankingOutcome& outcome);

// UsageError for predictions that are NaN or infinite; LogicError for a ranking metric and for arrays of unequal
// length.
MetricValue compute(const MetricSpec& metric, const RatingOutcome& outcome);

}  // namespace segue
