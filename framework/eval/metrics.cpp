#include "framework/eval/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"
#include "framework/eval/list_facts.hpp"
#include "framework/eval/query_reader.hpp"

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

SliceSpec parse_slice_of(const MetricCard& card, const std::string& text, const std::string& name) {
  if (card.kind == MetricKind::kRating)
    throw UsageError("metric '{}': {} judges ratings, and slices are of lists; write {}", text, card.name, card.name);
  const SliceSpec slice = parse_slice(name);
  if (slice.card->kind == SliceKind::kItems && !card.reads_truth)
    throw UsageError(
        "metric '{}': {} does not read the truth, which '{}' is a part of; take a slice of users such as act1", text,
        card.name, name);
  return slice;
}

// The metrics of one slice. `outcome` has its truth cut already.
void compute_slice(std::span<const MetricSpec> metrics, const std::vector<std::size_t>& which,
                   const RankingOutcome& outcome, std::vector<MetricValue>& values) {
  check_shape(outcome);
  std::size_t with_truth = 0;
  for (std::size_t q = 0; q < outcome.queries; ++q)
    if (outcome.truth_offsets[q] < outcome.truth_offsets[q + 1]) ++with_truth;

  bool per_query = false, lists = false;
  for (const std::size_t m : which) {
    const MetricCard& card = *metrics[m].card;
    values[m] = {};
    if (card.kind == MetricKind::kUnion) {
      values[m].n = with_truth;
      values[m].mean = with_truth == 0 ? std::numeric_limits<double>::quiet_NaN()
                                       : std::get<UnionMetric>(card.function)(outcome, metrics[m].k);
      continue;
    }
    values[m].per_query.assign(outcome.queries, std::numeric_limits<double>::quiet_NaN());
    per_query = true;
    lists = lists || card.kind == MetricKind::kList;
  }
  if (!per_query) return;

  QueryReader reader(outcome);
  std::optional<QueryList> list;
  if (lists) list.emplace(outcome);
  for (std::size_t q = 0; q < outcome.queries; ++q) {
    if (outcome.truth_offsets[q] == outcome.truth_offsets[q + 1]) continue;
    const QueryTruth truth = reader.read(q);
    if (lists) list->open(q, truth.ranks);
    for (const std::size_t m : which) {
      const MetricCard& card = *metrics[m].card;
      if (card.kind == MetricKind::kUnion) continue;
      const double value = card.kind == MetricKind::kList ? std::get<ListMetric>(card.function)(*list, metrics[m].k)
                                                          : std::get<QueryMetric>(card.function)(truth, metrics[m].k);
      values[m].per_query[q] = value;
      if (std::isnan(value)) continue;
      values[m].mean += value;
      ++values[m].n;
    }
  }
  for (const std::size_t m : which)
    if (metrics[m].card->kind != MetricKind::kUnion)
      values[m].mean = values[m].n == 0 ? std::numeric_limits<double>::quiet_NaN()
                                        : values[m].mean / static_cast<double>(values[m].n);
}

void check_spec(const MetricSpec& metric) {
  SEGUE_CHECK(metric.card != nullptr && metric.card->kind != MetricKind::kRating,
              "{} is computed from ratings, not lists", metric.text());
  SEGUE_CHECK(metric.card->has_cutoff == (metric.k > 0), "{} with a cut-off of {}", metric.card->name, metric.k);
}

}  // namespace

void check_shape(const RankingOutcome& o) {
  SEGUE_CHECK(o.truth_offsets.size() == o.queries + 1 && o.truth_offsets[0] == 0, "{} truth offsets for {} queries",
              o.truth_offsets.size(), o.queries);
  SEGUE_CHECK(std::is_sorted(o.truth_offsets.begin(), o.truth_offsets.end()), "truth offsets must not fall");
  const std::size_t truth = o.truth_offsets[o.queries];
  SEGUE_CHECK(o.truth_rank.size() == truth, "{} ranks for {} truth items", o.truth_rank.size(), truth);
  SEGUE_CHECK(o.truth_gains.empty() || o.truth_gains.size() == truth, "{} gains for {} truth items",
              o.truth_gains.size(), truth);
}

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
  const std::string whole = card->has_cutoff ? fmt::format("{}@{}", card->name, k) : card->name;
  return slice.card == nullptr ? whole : whole + ":" + slice.text();
}

MetricSpec parse_metric(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string whole = text.substr(0, colon);
  const std::size_t at = whole.find('@');
  const std::string name = whole.substr(0, at);
  const MetricCard& card = find_metric(name);
  MetricSpec metric{&card};
  if (at == std::string::npos) {
    if (card.has_cutoff) throw UsageError("{} needs a cut-off: write {}@10", name, name);
  } else {
    if (!card.has_cutoff) throw UsageError("metric '{}': {} takes no cut-off: write {}", text, name, name);
    metric.k = parse_cutoff(text, name, whole.substr(at + 1));
  }
  if (colon != std::string::npos) metric.slice = parse_slice_of(card, text, text.substr(colon + 1));
  return metric;
}

std::string why_not(const MetricSpec& metric, const RankingOutcome& outcome) {
  check_spec(metric);
  const MetricCard& card = *metric.card;
  std::vector<Fact> needs = card.needs;
  if (metric.slice.card != nullptr) needs.push_back(metric.slice.card->needs);
  for (const Fact fact : needs) {
    if (has_fact(outcome, fact)) continue;
    if (fact == Fact::kTieCounts && outcome.lists_only)
      return fmt::format("{} needs the scores of all candidates, and these results are lists alone", metric.text());
    return fmt::format("{} needs {}, which {} not hold", metric.text(), fact_name(fact),
                       fact == Fact::kTags || fact == Fact::kArtists ? "this data set does" : "these results do");
  }
  const bool reads_lists = card.kind == MetricKind::kUnion || card.kind == MetricKind::kList;
  if (reads_lists && metric.k > outcome.k)
    return fmt::format(
        "{} needs lists of {} items, and the stored ones have {}; ask for {}@{} or less, or run again with longer "
        "lists",
        metric.text(), metric.k, outcome.k, card.name, outcome.k);
  if (!outcome.lists_only) return "";
  const std::size_t depth = card.depth != nullptr ? card.depth(outcome) : metric.k;
  if (depth <= outcome.k) return "";
  return fmt::format("{} needs ranks down to {}, and these results are lists of {} items alone", metric.text(), depth,
                     outcome.k);
}

std::vector<MetricValue> compute(std::span<const MetricSpec> metrics, const RankingOutcome& outcome) {
  check_shape(outcome);
  std::vector<SliceSpec> slices;
  for (const MetricSpec& metric : metrics) {
    check_spec(metric);
    if (std::find(slices.begin(), slices.end(), metric.slice) == slices.end()) slices.push_back(metric.slice);
    if (const std::string reason = why_not(metric, outcome); !reason.empty()) throw UsageError("{}", reason);
    const bool reads_lists = metric.card->kind == MetricKind::kUnion || metric.card->kind == MetricKind::kList;
    SEGUE_CHECK(!reads_lists || outcome.items.size() == outcome.queries * outcome.k,
                "{} list places for {} queries of {}", outcome.items.size(), outcome.queries, outcome.k);
  }
  std::vector<MetricValue> values(metrics.size());
  for (const SliceSpec& slice : slices) {
    std::vector<std::size_t> which;
    for (std::size_t m = 0; m < metrics.size(); ++m)
      if (metrics[m].slice == slice) which.push_back(m);
    if (slice.card == nullptr) {
      compute_slice(metrics, which, outcome, values);
      continue;
    }
    const SlicedOutcome sliced(slice, outcome);
    compute_slice(metrics, which, sliced.view(), values);
    for (const std::size_t m : which) {
      values[m].slice_low = sliced.low();
      values[m].slice_high = sliced.high();
    }
  }
  return values;
}

MetricValue compute(const MetricSpec& metric, const RankingOutcome& outcome) {
  return std::move(compute(std::span(&metric, 1), outcome).front());
}

MetricValue ceiling(const MetricSpec& metric, const RankingOutcome& outcome) {
  check_spec(metric);
  check_shape(outcome);
  if (metric.card->kind != MetricKind::kPerQuery)
    throw UsageError("{} has no ceiling: it is no matter of where the truth stands", metric.text());
  if (!has_fact(outcome, Fact::kTrainCounts))
    throw UsageError("the ceiling of {} needs {}, which these results do not hold", metric.text(),
                     fact_name(Fact::kTrainCounts));
  SlicedOutcome best(metric.slice, outcome);
  best.rank_reachable_first();
  MetricSpec whole = metric;
  whole.slice = {};
  MetricValue value = compute(whole, best.view());
  value.slice_low = best.low();
  value.slice_high = best.high();
  return value;
}

MetricValue compute(const MetricSpec& metric, const RatingOutcome& outcome) {
  SEGUE_CHECK(metric.card != nullptr && metric.card->kind == MetricKind::kRating,
              "{} is computed from lists, not ratings", metric.text());
  return std::get<RatingMetric>(metric.card->function)(outcome);
}

}  // namespace segue
