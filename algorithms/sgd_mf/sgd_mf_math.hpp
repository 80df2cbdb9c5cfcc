// Stochastic gradient steps of a factor model, run in parallel without races and with the same bits for any thread
// count: stratified SGD on a fixed grid of user groups x item groups (Gemulla, Nijkamp, Haas & Sismanis 2011,
// "Large-scale matrix factorization with distributed stochastic gradient descent", KDD).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

enum class SgdLoss { kSquared, kLogistic };

// s(u, i) = offset + b_u + b_i + <p_u, q_i>; the biases stay zero where `biased` is false.
struct FactorModel {
  float offset = 0;
  bool biased = true;
  Matrix<float> users, items;               // users x d, items x d
  std::vector<float> user_bias, item_bias;  // users, items

  float predict(std::size_t user, std::size_t item) const;
};

struct SgdStep {
  SgdLoss loss = SgdLoss::kSquared;
  float learning_rate = 0;
  float reg = 0;       // of factors
  float bias_reg = 0;  // of biases
};

// One gradient step on one sample, all four parameters from their old values. With e = y - s (squared) or
// y - sigmoid(s) (logistic, y in {0, 1}):
//   b_u += rate (e - bias_reg b_u)    p_u += rate (e q_i - reg p_u)    and likewise b_i, q_i.
// Returns the sample's loss before the step: e^2, or -log of the probability of y.
float sgd_step(FactorModel& model, std::size_t user, std::size_t item, float y, const SgdStep& step);

struct SgdSample {
  std::uint32_t user, item;
  float y;
};

// The training pairs cut into kGroups x kGroups blocks. Groups are random and fixed; blocks on one diagonal share
// neither a user nor an item, so they may run at once. The grid does not depend on threads.
class StratifiedSamples {
 public:
  static constexpr std::size_t kGroups = 16;

  // negatives: pairs (u, j), j uniform on all items, drawn anew each epoch for every sample with y > 0; they get y = 0.
  // An epoch runs in rounds of at most about max_samples samples, which bounds memory whatever the data.
  StratifiedSamples(const Csr<ItemIdx>& events, SgdLoss loss, std::size_t negatives, const Rng& rng,
                    std::size_t max_samples = std::size_t{1} << 22);

  // Visits every sample of an epoch once, in an order that depends on (rng, epoch) alone. Returns the mean loss.
  double run_epoch(int epoch, const SgdStep& step, FactorModel& model, const Executor& exec);

  std::size_t rounds() const { return rounds_; }

 private:
  void fill_round(int epoch, std::size_t round, const Executor& exec);

  std::size_t n_items_, negatives_, rounds_;
  Rng rng_;
  std::vector<std::uint8_t> item_group_;
  std::vector<std::vector<SgdSample>> by_user_group_;  // kGroups: the training pairs
  std::vector<std::vector<SgdSample>> blocks_;         // kGroups x kGroups: the samples of the current round
};

}  // namespace segue
