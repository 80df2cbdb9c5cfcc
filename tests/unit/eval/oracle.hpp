// Metrics a second time, the slow way: by walking whole lists and all pairs, never through ranks. And the arrays of a
// RankingOutcome made from such lists.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/eval/metrics.hpp"

namespace segue::test {

using Items = std::vector<std::uint32_t>;

struct OracleQuery {
  Items ranking;                         // every item that was ranked, best first
  std::map<std::uint32_t, float> score;  // of every candidate; -inf: not ranked
  Items truth;
  std::vector<float> gains;  // as long as truth

  bool relevant(std::uint32_t item) const { return std::find(truth.begin(), truth.end(), item) != truth.end(); }
  double gain(std::uint32_t item) const {
    for (std::size_t i = 0; i < truth.size(); ++i)
      if (truth[i] == item) return gains[i];
    return 0;
  }
};

// A query whose list is given; scores fall along it, and `others` are candidates that the model could not score.
inline OracleQuery query_of(const Items& ranking, const Items& truth, const Items& others = {}) {
  OracleQuery q{ranking, {}, truth, std::vector<float>(truth.size(), 1)};
  for (std::size_t i = 0; i < ranking.size(); ++i) q.score[ranking[i]] = -static_cast<float>(i);
  for (std::uint32_t item : others) q.score[item] = -std::numeric_limits<float>::infinity();
  return q;
}

struct StoredOutcome {
  std::size_t k = 0, catalogue = 0;
  Items items, truth_items, rank, above, tied, candidates;
  std::vector<std::uint64_t> offsets{0};
  std::vector<float> gains;

  RankingOutcome view() const {
    return {.queries = offsets.size() - 1,
            .k = k,
            .items = items,
            .truth_offsets = offsets,
            .truth_items = truth_items,
            .truth_gains = gains,
            .truth_rank = rank,
            .truth_above = above,
            .truth_tied = tied,
            .candidates = candidates,
            .catalogue = catalogue};
  }
};

inline StoredOutcome store(const std::vector<OracleQuery>& queries, std::size_t k, std::size_t catalogue = 1000) {
  StoredOutcome s;
  s.k = k;
  s.catalogue = catalogue;
  for (const OracleQuery& q : queries) {
    for (std::size_t i = 0; i < k; ++i) s.items.push_back(i < q.ranking.size() ? q.ranking[i] : kPadding);
    s.candidates.push_back(static_cast<std::uint32_t>(q.score.size()));
    for (std::size_t t = 0; t < q.truth.size(); ++t) {
      const auto at = std::find(q.ranking.begin(), q.ranking.end(), q.truth[t]);
      const bool ranked = at != q.ranking.end();
      std::uint32_t above = 0, tied = 0;
      const auto own = q.score.find(q.truth[t]);
      for (const auto& [item, score] : q.score) {
        above += own == q.score.end() || score > own->second;
        tied += own != q.score.end() && item != own->first && score == own->second;
      }
      s.truth_items.push_back(q.truth[t]);
      s.gains.push_back(q.gains[t]);
      s.rank.push_back(ranked ? static_cast<std::uint32_t>(at - q.ranking.begin() + 1) : 0);
      s.above.push_back(above);
      s.tied.push_back(tied);
    }
    s.offsets.push_back(s.truth_items.size());
  }
  return s;
}

// One query's value by the letter of protocols section 2. Throws std::out_of_range for a metric that has no oracle.
inline double oracle(const std::string& name, const OracleQuery& q, std::size_t k) {
  if (q.truth.empty()) return std::numeric_limits<double>::quiet_NaN();
  const Items top(q.ranking.begin(), q.ranking.begin() + static_cast<std::ptrdiff_t>(std::min(k, q.ranking.size())));
  const double truth = static_cast<double>(q.truth.size()), cut = static_cast<double>(k);
  double hits = 0, average_precision = 0, first = 0, dcg = 0, dcg_exp = 0;
  for (std::size_t i = 0; i < top.size(); ++i) {
    const double rank = static_cast<double>(i + 1);
    if (!q.relevant(top[i])) continue;
    hits += 1;
    average_precision += hits / rank;
    if (first == 0) first = 1 / rank;
    dcg += q.gain(top[i]) / std::log2(rank + 1);
    dcg_exp += (std::pow(2, q.gain(top[i])) - 1) / std::log2(rank + 1);
  }
  std::vector<float> best = q.gains;
  std::sort(best.rbegin(), best.rend());
  double ideal = 0, ideal_exp = 0, ideal_full = 0;
  for (std::size_t i = 0; i < best.size(); ++i) {
    const double d = std::log2(static_cast<double>(i) + 2);
    ideal_full += best[i] / d;
    if (i < k) ideal += best[i] / d;
    if (i < k) ideal_exp += (std::pow(2, best[i]) - 1) / d;
  }
  double r_hits = 0;
  for (std::size_t i = 0; i < std::min(q.truth.size(), q.ranking.size()); ++i) r_hits += q.relevant(q.ranking[i]);

  double clicks = 51;
  for (std::size_t i = std::min<std::size_t>(500, q.ranking.size()); i-- > 0;)
    if (q.relevant(q.ranking[i])) clicks = std::floor(static_cast<double>(i) / 10);

  double pairs = 0, won = 0;
  for (std::uint32_t t : q.truth) {
    const bool candidate = q.score.contains(t);
    double own_pairs = 0, own_won = 0;
    for (const auto& [other, score] : q.score) {
      if (q.relevant(other)) continue;
      own_pairs += 1;
      if (candidate) own_won += q.score.at(t) > score ? 1 : q.score.at(t) == score ? 0.5 : 0;
    }
    pairs += 1;
    won += own_pairs > 0 ? own_won / own_pairs : candidate;
  }
  return std::map<std::string, double>{{"hr", hits > 0},
                                       {"ndcg", dcg / ideal},
                                       {"ndcg_exp", dcg_exp / ideal_exp},
                                       {"ndcg_full_ideal", dcg / ideal_full},
                                       {"recall", hits / truth},
                                       {"recall_min", hits / std::min(cut, truth)},
                                       {"precision", hits / cut},
                                       {"map", average_precision / truth},
                                       {"map_min", average_precision / std::min(cut, truth)},
                                       {"mrr", first},
                                       {"auc", won / pairs},
                                       {"r_precision", r_hits / truth},
                                       {"clicks", clicks}}
      .at(name);
}

// Random lists with many ties, items that cannot be scored, truth outside the candidates, short lists and graded gains.
inline std::vector<OracleQuery> random_queries(std::uint64_t seed, std::size_t count, std::uint32_t n_items) {
  std::vector<OracleQuery> queries(count);
  for (std::size_t i = 0; i < count; ++i) {
    Rng rng = Rng(seed).stream("query", i);
    OracleQuery& q = queries[i];
    const std::uint64_t levels = 1 + rng.below(2 * n_items), sparsity = rng.below(4);
    for (std::uint32_t item = 0; item < n_items; ++item) {
      if (rng.below(4) < sparsity) continue;  // not a candidate
      const bool ranked = rng.below(8) != 0;
      q.score[item] = ranked ? static_cast<float>(rng.below(levels)) : -std::numeric_limits<float>::infinity();
      if (ranked) q.ranking.push_back(item);
    }
    rng.shuffle(std::span<std::uint32_t>(q.ranking));  // any order among ties
    std::stable_sort(q.ranking.begin(), q.ranking.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return q.score[a] > q.score[b]; });
    for (std::uint64_t t : rng.sample_without_replacement(n_items, rng.below(n_items / 2 + 1))) {
      q.truth.push_back(static_cast<std::uint32_t>(t));
      q.gains.push_back(static_cast<float>(1 + rng.below(9)) / 2);
    }
  }
  return queries;
}

}  // namespace segue::test
