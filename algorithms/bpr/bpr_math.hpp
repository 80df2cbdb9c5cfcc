// The steps of Bayesian personalised ranking, and where its negatives come from.
// Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, "BPR: Bayesian personalized ranking from implicit feedback",
// UAI; Rendle & Freudenthaler 2014, "Improving pairwise learning for item recommendation from implicit feedback", WSDM.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/model/logistic_loss.hpp"
#include "framework/model/pairwise.hpp"

namespace segue {

enum class NegativeSampling { kUniform, kPopularity, kAdaptive };

struct BprTriple {
  std::uint32_t user, item, negative;
};

// One step on -log sigma(x_uij) + penalties; e of pair_update() is sigma(-x_uij). Adds the loss before the step.
inline void bpr_step(float* p, float* q_i, float* q_j, float& b_i, float& b_j, std::size_t d, const PairStep& step,
                     LogisticLoss& loss) {
  pair_update(p, q_i, q_j, b_i, b_j, d, loss.add(pair_margin(p, q_i, q_j, b_i, b_j, d)), step);
}

// The steps in the order given; the sum of their losses.
double bpr_steps(FactorModel& model, std::span<const BprTriple> triples, const PairStep& step);

// The items of a few pairs of one user, searched without a branch.
class OwnItems {
 public:
  void set(std::span<const Positive> pairs) {
    items_.assign((pairs.size() + kLane - 1) / kLane * kLane, kNone);
    for (std::size_t n = 0; n < pairs.size(); ++n) items_[n] = pairs[n].item;
  }
  bool has(std::uint32_t item) const {
    for (std::size_t first = 0; first < items_.size(); first += kLane) {
      std::uint32_t equal = 0;
      for (std::size_t l = 0; l < kLane; ++l) equal |= items_[first + l] == item;
      if (equal != 0) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kLane = 16;
  std::vector<std::uint32_t> items_;  // padded with kNone
};

// Draws from the items of one group (PairwiseBlocks::items), whether the user has them or not.
//   uniform:    each item alike
//   popularity: in proportion to the number of users who have the item, plus one
//   adaptive:   a dimension f with probability ~ |p_uf| stddev(q_f), then the item of rank r among the group's by q_f,
//   from
//               the top where p_uf > 0, else from the bottom; r is exponential with mean `tail` times the group, cut
//               off at its end. Ranks and deviations are those of the epoch's beginning, p_u is as it is now.
class NegativeSampler {
 public:
  NegativeSampler(NegativeSampling kind, const Csr<ItemIdx>& positives, float tail);

  // For the groups as just dealt, and the model as it stands.
  void prepare(const PairwiseBlocks& blocks, const FactorModel& model, const Executor& exec);
  std::uint32_t draw(std::size_t group, std::span<const float> user, Rng& rng) const;

 private:
  std::uint32_t draw_adaptive(std::size_t group, std::span<const float> user, Rng& rng) const;

  NegativeSampling kind_;
  float tail_;
  std::vector<std::uint32_t> count_;  // users who have the item, plus one
  struct Group {
    std::span<const std::uint32_t> items;
    std::vector<std::uint64_t> cumulative;  // popularity
    std::vector<std::uint32_t> ranked;      // adaptive: d x items, best first
  };
  std::vector<Group> groups_;
  std::vector<float> deviation_;  // of each dimension over all items
};

}  // namespace segue
