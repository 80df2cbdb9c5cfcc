// Metrics beyond accuracy a second time, the slow way: all pairs, maps and sets, and no sorting by popularity.
#pragma once

#include <memory>
#include <numeric>

#include "tests/unit/eval/oracle.hpp"

namespace segue::test {

// A catalogue with everything that may be known about it, and the histories of some queries.
struct World {
  std::uint64_t users = 0;
  std::vector<std::uint64_t> counts;
  std::vector<std::map<std::uint32_t, float>> tags;
  Items artists;
  std::vector<std::vector<float>> vectors;
  std::vector<Items> histories;
  std::vector<std::int64_t> times;  // of the queries
};

// The same as stored arrays. Points into itself: make it where it stays.
struct StoredWorld {
  const World w;
  std::vector<std::uint64_t> tag_offsets{0}, history_offsets{0};
  Items tags, history;
  std::vector<float> weights, vectors;
  ItemFacts facts;

  explicit StoredWorld(World world) : w(std::move(world)) {
    for (const auto& row : w.tags) {
      for (const auto& [tag, weight] : row) {
        tags.push_back(tag);
        weights.push_back(weight);
        facts.tag_count = std::max<std::size_t>(facts.tag_count, tag + std::size_t{1});
      }
      tag_offsets.push_back(tags.size());
    }
    for (const auto& v : w.vectors) vectors.insert(vectors.end(), v.begin(), v.end());
    for (const Items& h : w.histories) {
      history.insert(history.end(), h.begin(), h.end());
      history_offsets.push_back(history.size());
    }
    facts.items = w.counts.size();
    facts.train_counts = w.counts;
    facts.train_users = w.users;
    facts.tag_offsets = tag_offsets;
    facts.tags = tags;
    facts.tag_weights = weights;
    facts.artists = w.artists;
    facts.vectors = vectors;
    facts.vector_dim = w.vectors.empty() ? 0 : w.vectors[0].size();
  }
  StoredWorld(const StoredWorld&) = delete;

  RankingOutcome join(RankingOutcome outcome) const {
    outcome.item_facts = &facts;
    outcome.query_facts = {history_offsets, history, w.times};
    return outcome;
  }
};

// Popularity with ties and zeros, items without tags, artist or vector, and histories with repeats, also empty ones.
inline World random_world(std::uint64_t seed, std::size_t queries, std::uint32_t n_items) {
  Rng rng = Rng(seed).stream("world", 0);
  World w;
  w.users = 50;
  for (std::uint32_t i = 0; i < n_items; ++i) {
    w.counts.push_back(rng.below(4) == 0 ? rng.below(50) : rng.below(6));
    auto& row = w.tags.emplace_back();
    for (std::uint64_t t = rng.below(4); t > 0; --t)
      row[static_cast<std::uint32_t>(rng.below(6))] = static_cast<float>(1 + rng.below(8)) / 4;
    w.artists.push_back(rng.below(5) == 0 ? 0xFFFFFFFFu : static_cast<std::uint32_t>(rng.below(1 + n_items / 2)));
    auto& v = w.vectors.emplace_back(3, 0.f);
    if (rng.below(6) != 0)
      for (float& x : v) x = static_cast<float>(rng.below(9)) - 4;
  }
  for (std::size_t q = 0; q < queries; ++q) {
    Items& h = w.histories.emplace_back();
    for (std::uint64_t n = rng.below(3) == 0 ? 0 : rng.below(12); n > 0; --n)
      h.push_back(static_cast<std::uint32_t>(rng.below(n_items)));
  }
  Rng clock = Rng(seed).stream("clock", 0);  // twenty days around 1970, few distinct times, so that some are the same
  for (std::size_t q = 0; q < queries; ++q)
    w.times.push_back((static_cast<std::int64_t>(clock.below(80)) - 40) * 21601);
  return w;
}

inline std::map<std::uint32_t, double> tag_shares(const World& w, const Items& items) {
  std::map<std::uint32_t, double> shares;
  double tagged = 0;
  for (std::uint32_t item : items) {
    double total = 0;
    for (const auto& [tag, weight] : w.tags[item]) total += weight;
    for (const auto& [tag, weight] : w.tags[item]) shares[tag] += weight / total;
    tagged += total > 0;
  }
  for (auto& [tag, share] : shares) share /= tagged;
  return shares;
}

// NaN for an item without tags or vector.
inline double cosine(const World& w, bool by_tags, std::uint32_t a, std::uint32_t b) {
  const auto at = [&](std::uint32_t item, std::uint32_t d) -> double {
    if (!by_tags) return w.vectors[item][d];
    const auto it = w.tags[item].find(d);
    return it == w.tags[item].end() ? 0 : static_cast<double>(it->second);
  };
  double dot = 0, aa = 0, bb = 0;
  for (std::uint32_t d = 0; d < (by_tags ? 6u : 3u); ++d) {
    dot += at(a, d) * at(b, d);
    aa += at(a, d) * at(a, d);
    bb += at(b, d) * at(b, d);
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : std::numeric_limits<double>::quiet_NaN();
}

inline double oracle_ild(const World& w, bool by_tags, const Items& top) {
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < top.size(); ++i)
    for (std::size_t j = i + 1; j < top.size(); ++j)
      if (const double c = cosine(w, by_tags, top[i], top[j]); !std::isnan(c)) {
        sum += 1 - c;
        pairs += 1;
      }
  return pairs > 0 ? sum / pairs : 0;
}

// One query's value. Throws std::out_of_range for a metric that has no oracle.
inline double oracle_list(const std::string& name, const World& w, const OracleQuery& q, const Items& history,
                          std::size_t k) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (q.truth.empty()) return nan;
  const Items top(q.ranking.begin(), q.ranking.begin() + static_cast<std::ptrdiff_t>(std::min(k, q.ranking.size())));
  const std::set<std::uint32_t> heard(history.begin(), history.end());
  std::set<std::uint32_t> heard_artists, artists;
  for (std::uint32_t item : history)
    if (w.artists[item] != 0xFFFFFFFFu) heard_artists.insert(w.artists[item]);
  const double all = static_cast<double>(std::accumulate(w.counts.begin(), w.counts.end(), std::uint64_t{0}));

  std::map<std::string, double> sums;
  double known = 0, surprises = 0;
  for (std::uint32_t item : top) {
    const std::uint64_t count = w.counts[item];
    double more_popular = 0;
    std::size_t ahead = 0;
    for (std::uint32_t other = 0; other < w.counts.size(); ++other) {
      if (w.counts[other] <= count) continue;
      more_popular += static_cast<double>(w.counts[other]);
      ahead += !heard.contains(other);
    }
    sums["novelty"] -= std::log2(static_cast<double>(std::max<std::uint64_t>(count, 1)) / static_cast<double>(w.users));
    sums["popularity"] += static_cast<double>(count);
    sums["tail_share"] += !(count > 0 && more_popular < 0.8 * all);
    sums["repeat_share"] += heard.contains(item);
    sums["artist_coherence"] += heard_artists.contains(w.artists[item]);
    known += w.artists[item] != 0xFFFFFFFFu;
    if (w.artists[item] != 0xFFFFFFFFu) artists.insert(w.artists[item]);
    surprises += q.relevant(item) && !heard.contains(item) && !(count > 0 && ahead < k);
  }
  for (auto& [metric, sum] : sums) sum /= static_cast<double>(top.size());
  if (top.empty())
    for (const char* metric : {"novelty", "popularity", "tail_share", "repeat_share", "artist_coherence"})
      sums[metric] = 0;
  if (heard_artists.empty()) sums["artist_coherence"] = nan;

  const auto p = tag_shares(w, history);
  auto got = tag_shares(w, top);
  double divergence = p.empty() ? nan : 0;
  for (const auto& [tag, share] : p) divergence += share * std::log2(share / (0.99 * got[tag] + 0.01 * share));

  sums["artist_diversity"] = known > 0 ? static_cast<double>(artists.size()) / known : 0;
  sums["ild_tags"] = oracle_ild(w, true, top);
  sums["ild_vectors"] = oracle_ild(w, false, top);
  sums["calibration"] = divergence;
  sums["serendipity"] = surprises / static_cast<double>(k);
  return sums.at(name);
}

inline double oracle_union(const std::string& name, const std::vector<OracleQuery>& queries, std::size_t k,
                           std::size_t catalogue) {
  std::vector<double> places(catalogue, 0);
  double total = 0, different = 0, entropy = 0, differences = 0;
  for (const OracleQuery& q : queries)
    for (std::size_t i = 0; i < std::min(k, q.ranking.size()) && !q.truth.empty(); ++i) ++places[q.ranking[i]], ++total;
  for (double a : places) {
    different += a > 0;
    if (a > 0) entropy += a / total * std::log2(total / a);
    for (double b : places) differences += std::abs(a - b);
  }
  const double n = static_cast<double>(catalogue);
  return std::map<std::string, double>{
      {"coverage", different / n}, {"gini", total > 0 ? differences / (2 * n * total) : 1}, {"entropy", entropy}}
      .at(name);
}

}  // namespace segue::test
