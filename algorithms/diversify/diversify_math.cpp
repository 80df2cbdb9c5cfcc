#include "algorithms/diversify/diversify_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {

namespace {

// Picks one after the other: the highest gain(c) among candidates left whose artist has not just stood, or among all
// that are left where there is none. taken(c) hears of each pick.
template <class Gain, class Taken>
std::vector<std::size_t> greedy(std::size_t n, const GreedyRules& rules, Gain gain, Taken taken) {
  std::vector<std::size_t> order;
  std::vector<std::uint8_t> used(n, 0);
  const auto close = [&](std::size_t c) {
    if (rules.artist_gap == 0 || rules.artists.empty() || rules.artists[c] == rules.no_artist) return false;
    const std::size_t from = order.size() > rules.artist_gap ? order.size() - rules.artist_gap : 0;
    return std::any_of(order.begin() + static_cast<std::ptrdiff_t>(from), order.end(),
                       [&](std::size_t above) { return rules.artists[above] == rules.artists[c]; });
  };
  while (order.size() < std::min(rules.picks, n)) {
    std::size_t best = n, best_far = n;
    double highest = -std::numeric_limits<double>::infinity(), highest_far = highest;
    for (std::size_t c = 0; c < n; ++c) {
      if (used[c] != 0) continue;
      const double g = gain(c);
      if (best == n || g > highest) best = c, highest = g;
      if ((best_far == n || g > highest_far) && !close(c)) best_far = c, highest_far = g;
    }
    const std::size_t pick = best_far < n ? best_far : best;
    used[pick] = 1;
    order.push_back(pick);
    taken(pick);
  }
  return order;
}

}  // namespace

std::vector<std::size_t> mmr_order(std::span<const double> relevance, double lambda, const Alike& alike,
                                   const GreedyRules& rules) {
  std::vector<double> closest(relevance.size(), 0);
  bool first = true;
  return greedy(
      relevance.size(), rules, [&](std::size_t c) { return lambda * relevance[c] - (1 - lambda) * closest[c]; },
      [&](std::size_t pick) {
        for (std::size_t c = 0; c < closest.size(); ++c) {
          const double x = alike(c, pick);
          closest[c] = first ? x : std::max(closest[c], x);
        }
        first = false;
      });
}

std::vector<std::size_t> dpp_order(std::span<const double> relevance, double lambda, const Alike& alike,
                                   const GreedyRules& rules) {
  const std::size_t n = relevance.size();
  const double a = lambda / (2 * (1 - lambda));
  std::vector<double> quality(n), volume(n);  // volume: what a candidate would add to the determinant
  for (std::size_t c = 0; c < n; ++c) quality[c] = std::exp(a * relevance[c]), volume[c] = quality[c] * quality[c];
  std::vector<std::vector<double>> rows(n);  // of the Cholesky factor, grown by a number a pick
  constexpr double kFlat = 1e-10;
  return greedy(
      n, rules,
      [&](std::size_t c) { return volume[c] > kFlat ? std::log(volume[c]) : std::log(kFlat) - 1 + relevance[c]; },
      [&](std::size_t pick) {
        const double root = std::sqrt(std::max(volume[pick], kFlat));
        for (std::size_t c = 0; c < n; ++c) {
          if (c == pick) continue;
          double e = quality[pick] * quality[c] * alike(pick, c);
          for (std::size_t k = 0; k < rows[pick].size(); ++k) e -= rows[pick][k] * rows[c][k];
          e /= root;
          rows[c].push_back(e);
          volume[c] -= e * e;
        }
        rows[pick].push_back(root);
      });
}

}  // namespace segue
