// Inside eval: one query after the other in the form that per-query metrics read.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"

namespace segue {

// The arrays behind a QueryTruth are reused: it holds until the next read().
class QueryReader {
 public:
  explicit QueryReader(const RankingOutcome& outcome) : outcome_(outcome), ties_(has_fact(outcome, Fact::kTieCounts)) {}

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

}  // namespace segue
