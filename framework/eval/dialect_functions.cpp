#include "framework/eval/dialect_functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"
#include "framework/eval/query_reader.hpp"

namespace segue::dialects {

namespace {

constexpr double kLeftOut = std::numeric_limits<double>::quiet_NaN();

// What a library sees of one query: the first k places of its list and how many items are relevant.
struct Lists {
  std::span<const std::uint32_t> items;  // without padding
  std::span<const std::uint32_t> hits;   // ranks, ascending, inside items
  QueryTruth truth;                      // with ranks behind the list too
};

// value(Lists) for each query with truth; those that are NaN are left out.
template <class Value>
MetricValue averaged(const RankingOutcome& outcome, std::size_t k, Value value) {
  MetricValue result;
  result.per_query.assign(outcome.queries, kLeftOut);
  QueryReader reader(outcome);
  double sum = 0;
  for (std::size_t q = 0; q < outcome.queries; ++q) {
    if (outcome.truth_offsets[q] == outcome.truth_offsets[q + 1]) continue;
    const auto row = outcome.items.subspan(q * outcome.k, std::min(k, outcome.k));
    Lists seen;
    seen.items = row.first(static_cast<std::size_t>(std::find(row.begin(), row.end(), kPadding) - row.begin()));
    if (outcome.item_facts != nullptr)
      for (const std::uint32_t item : seen.items)
        SEGUE_CHECK(item < outcome.item_facts->items, "item {} of {} in a list", item, outcome.item_facts->items);
    seen.truth = reader.read(q);
    seen.hits = seen.truth.ranks.first(seen.truth.hits(seen.items.size()));
    const double v = value(seen);
    result.per_query[q] = v;
    if (std::isnan(v)) continue;
    sum += v;
    ++result.n;
  }
  result.mean = result.n == 0 ? kLeftOut : sum / static_cast<double>(result.n);
  return result;
}

MetricValue pooled(double part, double whole, std::size_t n) {
  MetricValue value;
  value.mean = n == 0 || whole == 0 ? kLeftOut : part / whole;
  value.n = n;
  return value;
}

std::size_t with_truth(const RankingOutcome& outcome) {
  std::size_t n = 0;
  for (std::size_t q = 0; q < outcome.queries; ++q) n += outcome.truth_offsets[q] < outcome.truth_offsets[q + 1];
  return n;
}

std::size_t item_count(const RankingOutcome& outcome) {
  return outcome.item_facts != nullptr && outcome.item_facts->items > 0 ? outcome.item_facts->items : outcome.catalogue;
}

// The mean over a list divided by k, whatever its length.
template <class Value>
MetricValue summed_over_k(const RankingOutcome& outcome, std::size_t k, Value value) {
  return averaged(outcome, k, [&](const Lists& q) {
    double sum = 0;
    for (const std::uint32_t item : q.items) sum += static_cast<double>(value(item));
    return sum / static_cast<double>(k);
  });
}

double lenskit_weight(std::size_t rank) { return rank <= 2 ? 1 : 1 / std::log2(static_cast<double>(rank)); }

double lenskit_gain(const Lists& q) {
  double sum = 0;
  for (const std::uint32_t rank : q.hits) sum += lenskit_weight(rank);
  return sum;
}

double precision_sum(const Lists& q) {
  double sum = 0;
  for (std::size_t i = 0; i < q.hits.size(); ++i) sum += static_cast<double>(i + 1) / static_cast<double>(q.hits[i]);
  return sum;
}

}  // namespace

MetricValue ours(const char* name, const RankingOutcome& outcome, std::size_t k) {
  const MetricCard& card = find_metric(name);
  return compute(MetricSpec{&card, card.has_cutoff ? (k == 0 ? outcome.k : k) : 0}, outcome);
}

MetricValue ours_binary(const char* name, const RankingOutcome& outcome, std::size_t k) {
  RankingOutcome binary = outcome;
  binary.truth_gains = {};
  return ours(name, binary, k);
}

MetricValue trec_r_precision(const RankingOutcome& outcome, std::size_t) {
  return averaged(outcome, outcome.k, [](const Lists& q) {
    const auto inside = std::upper_bound(q.hits.begin(), q.hits.end(), q.truth.truth) - q.hits.begin();
    return static_cast<double>(inside) / static_cast<double>(q.truth.truth);
  });
}

MetricValue recbole_gauc(const RankingOutcome& outcome, std::size_t) {
  QueryReader reader(outcome);
  double sum = 0, weights = 0;
  std::size_t n = 0;
  for (std::size_t q = 0; q < outcome.queries; ++q) {
    if (outcome.truth_offsets[q] == outcome.truth_offsets[q + 1]) continue;
    const QueryTruth truth = reader.read(q);
    if (truth.candidates <= truth.above.size()) continue;  // no other candidates
    sum += metric::auc(truth, 0) * static_cast<double>(truth.truth);
    weights += static_cast<double>(truth.truth);
    ++n;
  }
  return pooled(sum, weights, n);
}

MetricValue recbole_coverage(const RankingOutcome& outcome, std::size_t k) {
  return pooled(static_cast<double>(recommended_counts(outcome, k).size()),
                static_cast<double>(item_count(outcome) + 1), with_truth(outcome));
}

MetricValue recbole_popularity(const RankingOutcome& outcome, std::size_t k) {
  return summed_over_k(outcome, k, [&](std::uint32_t item) { return outcome.item_facts->train_counts[item]; });
}

MetricValue recbole_gini(const RankingOutcome& outcome, std::size_t k) {
  const auto counts = recommended_counts(outcome, k);
  const double n = static_cast<double>(item_count(outcome) + 1);
  double weighted = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double place = n - static_cast<double>(counts.size() - i - 1);
    weighted += (2 * place - n - 1) * static_cast<double>(counts[i]);
  }
  const std::size_t queries = with_truth(outcome);
  return pooled(weighted, n * static_cast<double>(queries * k), queries);  // padding counts as places
}

MetricValue recbole_entropy(const RankingOutcome& outcome, std::size_t k) {
  const auto counts = recommended_counts(outcome, k);
  const double places = static_cast<double>(with_truth(outcome) * k);
  double sum = 0;
  for (const std::uint64_t c : counts) {
    const double p = static_cast<double>(c) / places;
    sum -= p * std::log(p);
  }
  return pooled(sum, static_cast<double>(counts.size()), with_truth(outcome));
}

MetricValue recbole_tail(const RankingOutcome& outcome, std::size_t k) {
  constexpr double kTail = 0.1;
  const auto counts = outcome.item_facts->train_counts;
  std::vector<std::uint32_t> known;
  for (std::uint32_t item = 0; item < counts.size(); ++item)
    if (counts[item] > 0) known.push_back(item);
  std::stable_sort(known.begin(), known.end(), [&](std::uint32_t a, std::uint32_t b) { return counts[a] < counts[b]; });
  const auto cut = static_cast<std::size_t>(static_cast<double>(known.size()) * kTail);
  std::vector<bool> tail(counts.size(), false);
  for (std::size_t i = 0; i < std::min(known.size(), std::max<std::size_t>(cut, 1)); ++i) tail[known[i]] = true;
  return summed_over_k(outcome, k, [&](std::uint32_t item) { return tail[item] ? 1 : 0; });
}

MetricValue lenskit_ndcg(const RankingOutcome& outcome, std::size_t k) {
  return averaged(outcome, k, [&](const Lists& q) {
    double ideal = 0;
    for (std::size_t rank = 1; rank <= std::min(k, q.truth.truth); ++rank) ideal += lenskit_weight(rank);
    return lenskit_gain(q) / ideal;
  });
}

MetricValue lenskit_dcg(const RankingOutcome& outcome, std::size_t k) { return averaged(outcome, k, lenskit_gain); }

MetricValue lenskit_precision(const RankingOutcome& outcome, std::size_t k) {
  return averaged(outcome, k, [](const Lists& q) {
    return q.items.empty() ? kLeftOut : static_cast<double>(q.hits.size()) / static_cast<double>(q.items.size());
  });
}

MetricValue lenskit_average_precision(const RankingOutcome& outcome, std::size_t k) {
  return averaged(outcome, k, [](const Lists& q) {
    return q.items.empty() ? kLeftOut : precision_sum(q) / static_cast<double>(std::min(q.truth.truth, q.items.size()));
  });
}

MetricValue lenskit_rbp(const RankingOutcome& outcome, std::size_t k) {
  constexpr double kPatience = 0.85;
  return averaged(outcome, k, [](const Lists& q) {
    double sum = 0;
    for (const std::uint32_t rank : q.hits) sum += std::pow(kPatience, rank - 1.0);
    return sum * (1 - kPatience);
  });
}

MetricValue lenskit_popularity_rank(const RankingOutcome& outcome, std::size_t k) {
  const auto counts = outcome.item_facts->train_counts;
  std::vector<std::uint64_t> known;
  for (const std::uint64_t c : counts)
    if (c > 0) known.push_back(c);
  std::sort(known.begin(), known.end());
  return averaged(outcome, k, [&](const Lists& q) {
    double sum = 0;
    for (const std::uint32_t item : q.items) {
      if (counts[item] == 0) continue;
      const auto [first, last] = std::equal_range(known.begin(), known.end(), counts[item]);
      const double rank =
          (static_cast<double>(first - known.begin()) + 1 + static_cast<double>(last - known.begin())) / 2;
      sum += rank / static_cast<double>(known.size());
    }
    return q.items.empty() ? kLeftOut : sum / static_cast<double>(q.items.size());
  });
}

MetricValue lenskit_exposure_gini(const RankingOutcome& outcome, std::size_t k) {
  constexpr double kPatience = 0.85;
  std::vector<double> exposure(item_count(outcome), 0);
  averaged(outcome, k, [&](const Lists& q) {
    double weight = 1;
    for (const std::uint32_t item : q.items) {
      SEGUE_CHECK(item < exposure.size(), "item {} of {} in a list", item, exposure.size());
      exposure[item] += weight;
      weight *= kPatience;
    }
    return 0.0;
  });
  std::sort(exposure.begin(), exposure.end());
  const double n = static_cast<double>(exposure.size());
  double weighted = 0, total = 0;
  for (std::size_t i = 0; i < exposure.size(); ++i) {
    weighted += (2 * static_cast<double>(i + 1) - n - 1) * exposure[i];
    total += exposure[i];
  }
  return pooled(std::max(0.0, weighted), n * total, with_truth(outcome));
}

MetricValue implicit_precision(const RankingOutcome& outcome, std::size_t k) {
  double hits = 0, possible = 0;
  const MetricValue each = averaged(outcome, k, [&](const Lists& q) {
    hits += static_cast<double>(q.hits.size());
    possible += static_cast<double>(std::min(k, q.truth.truth));
    return 0.0;
  });
  return pooled(hits, possible, each.n);
}

MetricValue implicit_auc(const RankingOutcome& outcome, std::size_t k) {
  const double items = static_cast<double>(item_count(outcome));
  return averaged(outcome, k, [&](const Lists& q) {
    const double liked = static_cast<double>(q.truth.truth), others = items - liked;
    double hits = 0, misses = 0, pairs = 0;
    for (std::size_t rank = 1, next = 0; rank <= k; ++rank) {
      if (next < q.hits.size() && q.hits[next] == rank) {
        ++hits;
        ++next;
      } else {
        ++misses;
        pairs += hits;
      }
    }
    return (pairs + (hits + liked) / 2 * (others - misses)) / (liked * others);
  });
}

}  // namespace segue::dialects
