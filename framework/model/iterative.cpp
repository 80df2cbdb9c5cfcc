#include "framework/model/iterative.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"

namespace segue {

namespace {

bool stops_early(const FitContext& ctx) { return ctx.validate && ctx.stopping.patience > 0; }

}  // namespace

void IterativeRecommender::fit(const TrainData& data, FitContext& ctx) {
  begin(data, ctx);
  Checkpoints* checkpoints = ctx.checkpoints;
  FitState fit;
  fit.epochs = epochs();
  fit.training = training_state();
  if (checkpoints != nullptr) checkpoints->restore(fit);
  bool stopped = stops_early(ctx) && fit.since_best >= ctx.stopping.patience;
  for (int epoch = fit.epoch + 1; epoch <= fit.epochs && !stopped; ++epoch) {
    const Stopwatch watch;
    const Losses losses = run_epoch(epoch, data, ctx);
    ctx.progress.epoch_seconds(watch.seconds());
    for (const auto& [series, value] : losses) {
      ctx.progress.record(series, epoch, value);
      if (!std::isfinite(value)) throw UsageError("training diverged: {} is {} after epoch {}; lower the learning rate or raise the regularisation", series, value, epoch);
    }
    stopped = judge(epoch, ctx, fit);
    fit.epoch = epoch;
    if (checkpoints != nullptr && checkpoints->due()) {
      fit.training = training_state();
      checkpoints->save(fit);
    }
    // Last, since an interruption leaves from here.
    ctx.progress.step(static_cast<std::size_t>(epoch), static_cast<std::size_t>(fit.epochs), "epochs");
  }
  if (fit.best_epoch != 0) {
    std::size_t i = 0;
    for (std::span<float> part : state()) std::copy(fit.best_state[i].begin(), fit.best_state[i].end(), part.begin()), ++i;
    ctx.progress.record("best epoch", fit.best_epoch, fit.best);
  }
  prepare_scoring();
}

// Validates where a check is due. Whether training is to stop.
bool IterativeRecommender::judge(int epoch, FitContext& ctx, FitState& fit) {
  const int scored = epoch - warm_up_epochs();
  if (!ctx.validate || scored <= 0 || (scored % ctx.stopping.every != 0 && epoch != fit.epochs)) return false;
  prepare_scoring();
  const double value = ctx.validate(*this);
  ctx.progress.record("validation", epoch, value);
  if (!stops_early(ctx)) return false;
  if (std::isnan(value)) throw UsageError("early stopping: the validation metric has no value after epoch {}; is there validation truth left after exclusions?", epoch);
  if (fit.best_epoch != 0 && !(value > fit.best)) return ++fit.since_best >= ctx.stopping.patience;
  fit.best = value;
  fit.best_epoch = epoch;
  fit.since_best = 0;
  fit.best_state.clear();
  for (std::span<float> part : state()) fit.best_state.emplace_back(part.begin(), part.end());
  return false;
}

}  // namespace segue
