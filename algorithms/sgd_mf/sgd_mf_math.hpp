// Stochastic gradient steps of a factor model on single pairs, and the order they run in (framework/model/strata.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/model/factor_model.hpp"

namespace segue {

enum class SgdLoss { kSquared, kLogistic };

struct SgdStep {
  SgdLoss loss = SgdLoss::kSquared;
  float learning_rate = 0;
  float reg = 0;       // of factors
  float bias_reg = 0;  // of biases
  bool biased = true;  // whether biases move
};

struct SgdSample {
  std::uint32_t user, item;
  float y;
};

// One gradient step on each sample, in the order given, all four parameters from their old values. With e = y - s
// (squared) or y - sigmoid(s) (logistic, y in {0, 1}):
//   b_u += rate (e - bias_reg b_u)    p_u += rate (e q_i - reg p_u)    and likewise b_i, q_i.
// Returns the sum of the losses, each before its own step: e^2, or -log of the probability of y. The model has user
// biases.
double sgd_steps(FactorModel& model, std::span<const SgdSample> samples, const SgdStep& step);

// Samples of one round of an epoch with negatives, at most.
inline constexpr std::size_t kRoundSamples = std::size_t{1} << 22;

// The training pairs cut into blocks of a user group and an item group each. Within a block samples come user by user,
// shuffled in windows: once, or anew each epoch where there are negatives.
class StratifiedSamples {
 public:
  // dims: of the vectors, for the size of groups. negatives: pairs (u, j), j uniform on all items, drawn anew each
  // epoch for every sample with y > 0; they get y = 0. With negatives, an epoch runs in rounds of at most about
  // max_samples samples, which bounds memory whatever the data.
  StratifiedSamples(const Csr<ItemIdx>& events, SgdLoss loss, std::size_t negatives, std::size_t dims, const Rng& rng,
                    std::size_t max_samples = kRoundSamples);

  // Visits every sample of an epoch once, in an order that depends on (rng, epoch) alone. Returns the mean loss.
  double run_epoch(int epoch, const SgdStep& step, FactorModel& model, const Executor& exec);

  std::size_t rounds() const { return rounds_; }

 private:
  void fill_round(int epoch, std::size_t round, const Executor& exec);

  std::size_t n_items_, negatives_, groups_, rounds_;
  Rng rng_;
  std::vector<std::uint8_t> item_group_;
  std::vector<std::vector<SgdSample>> by_user_group_;  // the training pairs, where rounds are to be made of them
  std::vector<std::vector<SgdSample>> blocks_;         // groups^2: the samples of the current round, or all of them
  bool shuffled_ = false;                              // whether all of them are
};

// A user who was not trained on: from p = 0 and b = 0 on, the steps of the training against items that stand still.
// Each pass visits the history's samples and `negatives` uniform ones a positive (logistic loss) in random order;
// settings(pass) gives the step of pass 1..passes. What is drawn is a function of the history and the number of items.
// `out` becomes the vector; returns the bias.
template <class Settings>
float sgd_fold_in(const HistoryRow& history, const FactorModel& model, std::size_t negatives, int passes,
                  Settings settings, std::span<float> out) {
  FactorModel still;  // one user, and a row of its own for every sample
  still.offset = model.offset;
  still.users = Matrix<float>::Zero(1, model.items.cols());
  still.user_bias = {0.0f};
  std::vector<SgdSample> samples;
  for (int pass = 1; pass <= passes; ++pass) {
    const SgdStep step = settings(pass);
    const bool logistic = step.loss == SgdLoss::kLogistic;
    Rng rng = Rng(0).stream("fold in", static_cast<std::uint64_t>(pass));
    samples.clear();
    for (std::size_t n = 0; n < history.items.size(); ++n) {
      const float weight = history.weights[n], y = logistic ? static_cast<float>(weight > 0) : weight;
      samples.push_back({0, static_cast<std::uint32_t>(history.items[n]), y});
      for (std::size_t k = 0; k < (logistic && weight > 0 ? negatives : 0); ++k)
        samples.push_back({0, rng.below32(static_cast<std::uint32_t>(model.item_bias.size())), 0.0f});
    }
    rng.shuffle(std::span(samples));
    still.items.resize(static_cast<Eigen::Index>(samples.size()), model.items.cols());
    still.item_bias.resize(samples.size());
    for (std::size_t n = 0; n < samples.size(); ++n) {
      still.items.row(static_cast<Eigen::Index>(n)) = model.items.row(static_cast<Eigen::Index>(samples[n].item));
      still.item_bias[n] = model.item_bias[samples[n].item];
      samples[n].item = static_cast<std::uint32_t>(n);
    }
    sgd_steps(still, samples, step);
  }
  std::copy(still.users.data(), still.users.data() + still.users.size(), out.begin());
  return still.user_bias[0];
}

}  // namespace segue
