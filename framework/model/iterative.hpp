// The epoch loop, once for every model that is trained in epochs: learning curve, early stopping, best state, and
// resuming where an earlier process ended.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/model/checkpoints.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

class IterativeRecommender : public Recommender {
 public:
  // begin(), then run_epoch(1..epochs()), but for those that an early stop leaves out. With ctx.validate and a patience, training stops when the validation metric has not
  // improved for `patience` checks, and the state of the best check is restored. With ctx.checkpoints it begins behind the
  // last epoch that was saved, and ends with the same bits as if it had never been interrupted.
  void fit(const TrainData& data, FitContext& ctx) final;

 protected:
  using Losses = std::vector<std::pair<std::string, double>>;  // named points of the learning curve, e.g. {"loss", 0.61}

  virtual int epochs() const = 0;
  // Where training has stages, what one of which ends with is what the next begins with: their epochs, epochs() in all.
  // Early stopping ends a stage, not training, and its best state is restored before the next one begins.
  virtual std::vector<int> stages() const { return {epochs()}; }
  virtual void begin(const TrainData& data, FitContext& ctx) = 0;
  // A function of training_state(), the epoch's number, data, ctx and what begin() has made, so that it can be the first one
  // of a process.
  virtual Losses run_epoch(int epoch, const TrainData& data, FitContext& ctx) = 0;
  // Makes score() valid for the current parameters (packs factors ...). Called before each validation and at the end.
  virtual void prepare_scoring() = 0;
  // All parameters that the stage learns, so that its best epoch can be kept; the spans must stay valid between calls.
  virtual std::vector<std::span<float>> state() = 0;
  // What an epoch reads of earlier ones: state() and, for example, the moments of an optimizer. The spans have their final
  // sizes after begin(), and are read and written between epochs only. Numbers of other types travel as their bits.
  virtual std::vector<std::span<float>> training_state() { return state(); }

 private:
  bool judge(int epoch, int begin, int end, FitContext& ctx, FitState& fit);
  void restore_best(FitContext& ctx, const FitState& fit);
};

}  // namespace segue
