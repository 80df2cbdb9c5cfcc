// Metrics with cards: what a figure means stands beside the figure.
//
// How to add a metric. (1) Write its function in ranking_metrics.cpp, list_metrics.cpp, union_metrics.cpp or
// rating_metrics.cpp; it sees one query's truth (QueryTruth), one query's list (QueryList), all lists, or all ratings.
// (2) Declare it in definitions.hpp and add its card in cards*.cpp: the definition in one line, a citation, and what
// other libraries compute under the same name. (3) Add its oracle to tests/unit/eval/oracle*.hpp; a card without one
// fails the tests. A changed definition gets a new version, or a name of its own where the old one is worth keeping. A
// metric that needs more facts (tags, popularity) first adds them, as stored arrays, to outcome.hpp, and to Fact here.
//
// What all ranking metrics share (framework/README.md, protocols):
//  - Hits come from the stored rank of each truth item, so every cut-off is exact, also beyond the stored lists (not
//    where lists_only). Metrics of what was recommended (coverage, novelty, diversity) read the lists themselves.
//  - A query with truth but an empty list counts, with 0 unless the card says otherwise. A query without truth is not
//    evaluated: its value is NaN, and it is left out of the mean and of n. That holds also for metrics that read no
//    truth, so that all figures of a row speak of the same queries. Beyond that a value is NaN only where the metric
//    has no meaning for the query whatever the model does (calibration without a history), so that algorithms stay
//    paired.
//  - A truth item that was not ranked (rank 0: not a candidate, or the model could not score it) stays in the truth,
//  and
//    stands behind everything that was ranked.
//  - Everything is computed in double and summed in the order of the queries; nothing is rounded.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/eval/outcome.hpp"
#include "framework/eval/slices.hpp"

namespace segue {

struct QueryTruth;
class QueryList;

enum class MetricKind {
  kPerQuery,  // a value a query from the ranks of its truth, averaged
  kUnion,     // one value over the lists of all queries
  kRating,    // from predicted ratings
  kList,      // a value a query from its list and facts about the items, averaged
};

struct MetricValue {
  // kPerQuery, kList: one a query, NaN where it is not evaluated. kUnion: empty. rmse: squared errors, mae: absolute
  // errors, in the order of the ratings; rmse_user: one a user, users ascending.
  std::vector<double> per_query{};
  double mean = 0;    // the figure to report (for rmse the root of the mean); NaN if n is 0
  std::size_t n = 0;  // what it was averaged over: queries with truth, ratings, or users
  // Of a slice that is a bin (pop1, act5): its smallest and largest member, training users,
  // history events or days after the first query; else NaN.
  double slice_low = std::numeric_limits<double>::quiet_NaN();
  double slice_high = std::numeric_limits<double>::quiet_NaN();
};

using QueryMetric = double (*)(const QueryTruth& query, std::size_t k);
using UnionMetric = double (*)(const RankingOutcome& outcome, std::size_t k);
using RatingMetric = MetricValue (*)(const RatingOutcome& outcome);
using ListMetric = double (*)(QueryList& list, std::size_t k);
using RankingDepth = std::size_t (*)(const RankingOutcome& outcome);

struct MetricCard {
  std::string name;     // "ndcg"
  std::string title;    // "Normalised discounted cumulative gain"
  std::string formula;  // one line of text
  std::string citation;
  double low = 0, high = 1;  // range; high may be infinite
  bool higher_is_better = true;
  bool descriptive = false;  // neither direction is better as such; higher_is_better then only says how to sort
  std::string averaged{};    // "queries with truth"
  int version = 1;           // bumped when the definition changes
  bool has_cutoff = true;
  RankingDepth depth = nullptr;  // without a cut-off: the last rank that it looks at; null: all scores
  bool root_of_mean = false;     // the figure is the root of the mean of per_query
  bool by_user = false;          // of ratings: per_query has one value a user, not one a rating
  bool reads_truth = true;       // else the truth only says which queries are averaged
  std::vector<Fact> needs{};
  MetricKind kind = MetricKind::kPerQuery;
  std::string variants;  // what other libraries do under this name, and our names for it
  std::variant<QueryMetric, UnionMetric, RatingMetric, ListMetric> function{};  // the alternative that belongs to kind
};

// Every metric, in the order in which they are shown.
const std::vector<MetricCard>& metric_cards();
// UsageError with a suggestion where there is none.
const MetricCard& find_metric(const std::string& name);

struct MetricSpec {
  const MetricCard* card = nullptr;
  std::size_t k = 0;         // the cut-off; 0 for a metric without one
  SliceSpec slice{};         // none: everything
  std::string text() const;  // "ndcg@10", "auc", "hr@10:cold": what parse_metric() read, in canonical form
};

// "ndcg@10", "auc", "rmse", "ndcg@10:cold". UsageError for an unknown name or slice, a cut-off that is missing,
// superfluous, zero or no number, a slice of a rating metric, and a slice of items of a metric that reads no truth.
MetricSpec parse_metric(const std::string& text);

// Empty where compute() has all it needs; else the sentence it would throw: a fact that the data set lacks, lists
// shorter than the cut-off.
std::string why_not(const MetricSpec& metric, const RankingOutcome& outcome);

// UsageError with why_not(), and for gains that are not positive; LogicError for a rating metric and for arrays that
// contradict each other.
MetricValue compute(const MetricSpec& metric, const RankingOutcome& outcome);
// The same for many metrics at once, in their order, reading each query once a slice.
std::vector<MetricValue> compute(std::span<const MetricSpec> metrics, const RankingOutcome& outcome);

// What the metric would be if every truth item with training users were ranked first, the best gains first, and the
// others nowhere: what a model that learns from events can reach at most. UsageError without training counts, and for
// metrics other than kPerQuery.
MetricValue ceiling(const MetricSpec& metric, const RankingOutcome& outcome);

// UsageError for predictions that are NaN or infinite; LogicError for a ranking metric and for arrays of unequal
// length.
MetricValue compute(const MetricSpec& metric, const RatingOutcome& outcome);

}  // namespace segue
