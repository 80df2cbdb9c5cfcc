// Metrics of one list that read facts about its items. A list shorter than the cut-off is judged by what it holds.
#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"
#include "framework/eval/list_facts.hpp"

namespace segue::metric {

namespace {

constexpr std::uint32_t kUnknownArtist = 0xFFFFFFFFu;
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// The mean of value(item) over the places of the list; 0 for an empty one.
template <class Value>
double mean_over(std::span<const std::uint32_t> items, Value value) {
  double sum = 0;
  for (const std::uint32_t item : items) sum += static_cast<double>(value(item));
  return items.empty() ? 0 : sum / static_cast<double>(items.size());
}

// Mean of 1 - cosine over all pairs of n unit vectors, from the squared length of their sum: that is n plus twice the
// sum of all cosines.
double mean_distance(double squared_sum, std::size_t n) {
  if (n < 2) return 0;
  const double count = static_cast<double>(n);
  const double mean_cosine = (squared_sum - count) / (count * (count - 1));
  return std::clamp(1 - mean_cosine, 0.0, 2.0);  // equal vectors must not be a rounding apart
}

}  // namespace

double novelty(QueryList& list, std::size_t k) {
  const ItemFacts& facts = list.facts();
  const double users = std::log2(static_cast<double>(std::max<std::uint64_t>(facts.train_users, 1)));
  return mean_over(list.items(k), [&](std::uint32_t item) {
    return std::max(0.0, users - std::log2(static_cast<double>(std::max<std::uint64_t>(facts.train_counts[item], 1))));
  });
}

double popularity(QueryList& list, std::size_t k) {
  return mean_over(list.items(k), [&](std::uint32_t item) { return list.facts().train_counts[item]; });
}

double tail_share(QueryList& list, std::size_t k) {
  const std::uint64_t head = list.head_threshold();
  return mean_over(list.items(k), [&](std::uint32_t item) { return list.facts().train_counts[item] < head ? 1 : 0; });
}

double ild_tags(QueryList& list, std::size_t k) {
  std::size_t tagged = 0;
  for (const std::uint32_t item : list.items(k)) {
    const auto tags = list.tags(item);
    const auto weights = list.tag_weights(item);
    double squares = 0;
    for (const float w : weights) squares += static_cast<double>(w) * static_cast<double>(w);
    if (squares == 0) continue;
    ++tagged;
    for (std::size_t i = 0; i < tags.size(); ++i)
      list.scratch_tags.add(tags[i], static_cast<double>(weights[i]) / std::sqrt(squares));
  }
  double squared_sum = 0;
  for (const std::uint32_t tag : list.scratch_tags.tags())
    squared_sum += list.scratch_tags.at(tag) * list.scratch_tags.at(tag);
  list.scratch_tags.clear();
  return mean_distance(squared_sum, tagged);
}

double ild_vectors(QueryList& list, std::size_t k) {
  const ItemFacts& facts = list.facts();
  std::vector<double>& sum = list.scratch_sum;
  sum.assign(facts.vector_dim, 0);
  std::size_t known = 0;
  for (const std::uint32_t item : list.items(k)) {
    const auto vector = facts.vectors.subspan(item * facts.vector_dim, facts.vector_dim);
    double squares = 0;
    for (const float v : vector) squares += static_cast<double>(v) * static_cast<double>(v);
    if (!(squares > 0)) continue;
    ++known;
    const double scale = 1 / std::sqrt(squares);
    for (std::size_t d = 0; d < vector.size(); ++d) sum[d] += static_cast<double>(vector[d]) * scale;
  }
  double squared_sum = 0;
  for (const double v : sum) squared_sum += v * v;
  return mean_distance(squared_sum, known);
}

double artist_diversity(QueryList& list, std::size_t k) {
  std::size_t known = 0, different = 0;
  list.scratch_marks.clear();
  for (const std::uint32_t item : list.items(k)) {
    const std::uint32_t artist = list.facts().artists[item];
    if (artist == kUnknownArtist) continue;
    ++known;
    if (list.scratch_marks.has(artist)) continue;
    ++different;
    list.scratch_marks.add(artist);
  }
  return known == 0 ? 0 : static_cast<double>(different) / static_cast<double>(known);
}

double artist_coherence(QueryList& list, std::size_t k) {
  if (!list.history_has_artists()) return kUndefined;
  return mean_over(list.items(k),
                   [&](std::uint32_t item) { return list.artist_in_history(list.facts().artists[item]) ? 1 : 0; });
}

double calibration(QueryList& list, std::size_t k) {
  constexpr double kAlpha = 0.01;
  const TagSum& wanted = list.history_tags();
  if (wanted.tags().empty()) return kUndefined;
  double history = 0;
  for (const std::uint32_t tag : wanted.tags()) history += wanted.at(tag);
  TagSum& got = list.scratch_tags;
  const double tagged = static_cast<double>(list.add_tag_shares(list.items(k), got));
  double divergence = 0;
  for (const std::uint32_t tag : wanted.tags()) {
    const double p = wanted.at(tag) / history;
    const double q = tagged > 0 ? got.at(tag) / tagged : 0;
    divergence += p * std::log2(p / ((1 - kAlpha) * q + kAlpha * p));
  }
  got.clear();
  return std::max(0.0, divergence);
}

double serendipity(QueryList& list, std::size_t k) {
  const ItemFacts& facts = list.facts();
  // The least popular item that the most-popular list of this query would hold; equals of it are as expected.
  std::uint64_t threshold = 1;
  std::size_t place = 0;
  for (const std::uint32_t item : list.by_popularity()) {
    if (facts.train_counts[item] == 0) break;
    if (list.in_history(item)) continue;
    if (++place < k) continue;
    threshold = facts.train_counts[item];
    break;
  }
  const auto items = list.items(k);
  std::size_t surprises = 0;
  for (const std::uint32_t rank : list.hit_ranks()) {
    if (rank > items.size()) break;
    const std::uint32_t item = items[rank - 1];
    if (facts.train_counts[item] < threshold && !list.in_history(item)) ++surprises;
  }
  return static_cast<double>(surprises) / static_cast<double>(k);
}

double repeat_share(QueryList& list, std::size_t k) {
  return mean_over(list.items(k), [&](std::uint32_t item) { return list.in_history(item) ? 1 : 0; });
}

}  // namespace segue::metric
