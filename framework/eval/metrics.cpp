#include "framework/eval/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"

namespace segue {

namespace {

std::size_t parse_cutoff(const std::string& text, const std::string& name, const std::string& digits) {
  std::size_t k = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, k);
  // Ranks are 32 bits wide, and so is any cut-off that means something.
  if (error != std::errc() || rest != end || k > std::numeric_limits<std::uint32_t>::max())
    throw UsageError("metric '{}': the cut-off '{}' is not a whole number; write for example {}@10", text, digits,
                     name);
  if (k == 0) throw UsageError("metric '{}': the cut-off must be at least 1", text);
  return k;
}

void check_shape(const RankingOutcome& o) {
  SEGUE_CHECK(o.truth_offsets.size() == o.queries + 1 && o.truth_offsets[0] == 0, "{} truth offsets for {} queries",
              o.truth_offsets.size(), o.queries);
  SEGUE_CHECK(std::is_sorted(o.truth_offsets.begin(), o.truth_offsets.end()), "truth offsets must not fall");
  const std::size_t truth = o.truth_offsets[o.queries];
  SEGUE_CHECK(o.truth_rank.size() == truth, "{} ranks for {} truth items", o.truth_rank.size(), truth);
  SEGUE_CHECK(o.truth_gains.empty() || o.truth_gains.size() == truth, "{} gains for {} truth items",
              o.truth_gains.size(), truth);
}

bool has_tie_counts(const RankingOutcome& o) {
  return o.truth_above.size() == o.truth_rank.size() && o.truth_tied.size() == o.truth_rank.size() &&
         o.candidates.size() == o.queries;
}

// Brings one query after the other into the form that per-query metrics read; the arrays are reused.
class QueryReader {
 public:
  explicit QueryReader(const RankingOutcome& outcome) : outcome_(outcome), ties_(has_tie_counts(outcome)) {}

  QueryTruth read(std::size_t q) {
    const std::size_t begin = outcome_.truth_offsets[q], end = outcome_.truth_offsets[q + 1];
    order_.clear();
    ideal_.clear();
    for (std::size_t t = begin; t < end; ++t) {
      if (outcome_.truth_rank[t] > 0) order_.push_back(t);
      ideal_.push_back(gain(t, q));
    }
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return outcome_.truth_rank[a] < outcome_.truth_rank[b]; });
    std::sort(ideal_.begin(), ideal_.end(), std::greater<>());
    ranks_.clear();
    gains_.clear();
    above_.clear();
    tied_.clear();
    for (const std::size_t t : order_) {
      SEGUE_CHECK(ranks_.empty() || ranks_.back() < outcome_.truth_rank[t], "two truth items of query {} have rank {}",
                  q, outcome_.truth_rank[t]);
      ranks_.push_back(outcome_.truth_rank[t]);
      gains_.push_back(gain(t, q));
      if (!ties_) continue;
      above_.push_back(outcome_.truth_above[t]);
      tied_.push_back(outcome_.truth_tied[t]);
    }
    for (std::size_t t = begin; t < end && ties_; ++t) {
      const std::uint32_t candidates = outcome_.candidates[q];
      if (outcome_.truth_rank[t] > 0 || outcome_.truth_above[t] == candidates) continue;
      SEGUE_CHECK(std::size_t{outcome_.truth_above[t]} + outcome_.truth_tied[t] + 1 == candidates,
                  "truth ranks contradict each other: no rank, {} above, {} tied, {} candidates",
                  outcome_.truth_above[t], outcome_.truth_tied[t], candidates);
      above_.push_back(outcome_.truth_above[t]);
      tied_.push_back(outcome_.truth_tied[t]);
    }
    return {.truth = end - begin,
            .ranks = ranks_,
            .gains = gains_,
            .ideal_gains = ideal_,
            .above = above_,
            .tied = tied_,
            .candidates = ties_ ? outcome_.candidates[q] : 0};
  }

 private:
  double gain(std::size_t t, std::size_t q) const {
    if (outcome_.truth_gains.empty()) return 1;
    const float g = outcome_.truth_gains[t];
    if (!(g > 0) || !std::isfinite(g))
      throw UsageError("a truth item of query {} has the gain {}; gains must be positive and finite", q, g);
    return g;
  }

  const RankingOutcome& outcome_;
  bool ties_;
  std::vector<std::size_t> order_;
  std::vector<std::uint32_t> ranks_, above_, tied_;
  std::vector<double> gains_, ideal_;
};

}  // namespace

const MetricCard& find_metric(const std::string& name) {
  std::vector<std::string> known;
  for (const MetricCard& card : metric_cards()) {
    if (card.name == name) return card;
    known.push_back(card.name);
  }
  std::string lower = name;  // "NDCG" is a slip too
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  throw UsageError("unknown metric '{}'{}", name, suggestion(lower, known));
}

std::string MetricSpec::text() const {
  SEGUE_CHECK(card != nullptr, "an empty metric");
  return card->has_cutoff ? fmt::format("{}@{}", card->name, k) : card->name;
}

MetricSpec parse_metric(const std::string& text) {
  const std::size_t at = text.find('@');
  const std::string name = text.substr(0, at);
  const MetricCard& card = find_metric(name);
  if (at == std::string::npos) {
    if (card.has_cutoff) throw UsageError("{} needs a cut-off: write {}@10", name, name);
    return {&card, 0};
  }
  if (!card.has_cutoff) throw UsageError("metric '{}': {} takes no cut-off: write {}", text, name, name);
  return {&card, parse_cutoff(text, name, text.substr(at + 1))};
}

MetricValue compute(const MetricSpec& metric, const RankingOutcome& outcome) {
  SEGUE_CHECK(metric.card != nullptr && metric.card->kind != MetricKind::kRating,
              "{} is computed from ratings, not lists", metric.text());
  SEGUE_CHECK(metric.card->has_cutoff == (metric.k > 0), "{} with a cut-off of {}", metric.card->name, metric.k);
  check_shape(outcome);
  MetricValue value;
  if (metric.card->kind == MetricKind::kUnion) {
    if (metric.k > outcome.k)
      throw UsageError(
          "{} needs lists of {} items, and the stored ones have {}; ask for {}@{} or less, or run again with longer "
          "lists",
          metric.text(), metric.k, outcome.k, metric.card->name, outcome.k);
    SEGUE_CHECK(outcome.items.size() == outcome.queries * outcome.k, "{} list places for {} queries of {}",
                outcome.items.size(), outcome.queries, outcome.k);
    for (std::size_t q = 0; q < outcome.queries; ++q)
      if (outcome.truth_offsets[q] < outcome.truth_offsets[q + 1]) ++value.n;
    value.mean = value.n == 0 ? std::numeric_limits<double>::quiet_NaN()
                              : std::get<UnionMetric>(metric.card->function)(outcome, metric.k);
    return value;
  }
  if (metric.card->needs_tie_counts && !has_tie_counts(outcome))
    throw UsageError("{} needs the tie counts of each truth item, which these results do not hold", metric.text());

  const QueryMetric function = std::get<QueryMetric>(metric.card->function);
  QueryReader reader(outcome);
  value.per_query.assign(outcome.queries, std::numeric_limits<double>::quiet_NaN());
  double sum = 0;
  for (std::size_t q = 0; q < outcome.queries; ++q) {
    if (outcome.truth_offsets[q] == outcome.truth_offsets[q + 1]) continue;
    value.per_query[q] = function(reader.read(q), metric.k);
    sum += value.per_query[q];
    ++value.n;
  }
  value.mean = value.n == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(value.n);
  return value;
}

MetricValue compute(const MetricSpec& metric, const RatingOutcome& outcome) {
  SEGUE_CHECK(metric.card != nullptr && metric.card->kind == MetricKind::kRating,
              "{} is computed from lists, not ratings", metric.text());
  return std::get<RatingMetric>(metric.card->function)(outcome);
}

}  // namespace segue
