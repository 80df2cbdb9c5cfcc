// The epoch loop, once for every model that is trained in epochs: learning curve, early stopping, best state.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/model/recommender.hpp"

namespace segue {

class IterativeRecommender : public Recommender {
 public:
  // begin(), then run_epoch(1..epochs()). With ctx.validate and a patience, training stops when the validation metric has not
  // improved for `patience` checks, and the state of the best check is restored.
  void fit(const TrainData& data, FitContext& ctx) final;

 protected:
  using Losses = std::vector<std::pair<std::string, double>>;  // named points of the learning curve, e.g. {"loss", 0.61}

  virtual int epochs() const = 0;
  virtual void begin(const TrainData& data, FitContext& ctx) = 0;
  virtual Losses run_epoch(int epoch, const TrainData& data, FitContext& ctx) = 0;
  // Makes score() valid for the current parameters (packs factors ...). Called before each validation and at the end.
  virtual void prepare_scoring() = 0;
  // All learned parameters, so that the best epoch can be kept; the spans must stay valid between calls.
  virtual std::vector<std::span<float>> state() = 0;
};

}  // namespace segue
