// Greedy orders of candidates that trade relevance against likeness to what stands above.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace segue {

// How alike two candidates are: symmetric, in [-1, 1], 1 for equal ones.
using Alike = std::function<double(std::size_t a, std::size_t b)>;

struct GreedyRules {
  std::size_t picks = 0;                     // how many positions are ordered
  std::span<const std::uint32_t> artists{};  // of each candidate, or empty
  std::uint32_t no_artist = UINT32_MAX;
  std::size_t artist_gap = 0;  // positions above in which the same artist may not stand, where another can be picked
};

// Maximal marginal relevance (Carbonell & Goldstein 1998, "The use of MMR, diversity-based reranking", SIGIR): each
// time the candidate with the highest lambda relevance - (1 - lambda) max likeness to those picked; of equal ones the
// first. relevance: in [0, 1], one a candidate. Returns positions, min(picks, candidates) of them.
std::vector<std::size_t> mmr_order(std::span<const double> relevance, double lambda, const Alike& alike,
                                   const GreedyRules& rules);

// Greedy maximum of a determinantal point process (Chen, Zhang & Zhou 2018, "Fast greedy MAP inference for
// determinantal point process to improve recommendation diversity", NeurIPS, algorithm 1, and equation 11 with theta =
// lambda): the kernel is e^(a (r_i + r_j)) alike(i, j), a = lambda / (2 (1 - lambda)). Where nothing adds volume any
// more, relevance decides. lambda in [0, 1).
std::vector<std::size_t> dpp_order(std::span<const double> relevance, double lambda, const Alike& alike,
                                   const GreedyRules& rules);

}  // namespace segue
