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
  FitState fit;
  fit.epochs = epochs();
  fit.training = training_state();
  if (ctx.checkpoints != nullptr) ctx.checkpoints->restore(fit);
  bool stopped = stops_early(ctx) && fit.since_best >= ctx.stopping.patience;
  int stage_begin = 0;  // the epochs of a stage are those behind it, to stage_end
  for (const int stage : stages()) {
    const int stage_end = stage_begin + stage;
    for (int epoch = fit.epoch + 1; epoch <= stage_end && !stopped; ++epoch) {
      const Stopwatch watch;
      const Losses losses = run_epoch(epoch, data, ctx);
      ctx.progress.epoch_seconds(watch.seconds());
      for (const auto& [series, value] : losses) {
        ctx.progress.record(series, epoch, value);
        if (!std::isfinite(value)) throw UsageError("training diverged: {} is {} after epoch {}; lower the learning rate or raise the regularisation", series, value, epoch);
      }
      stopped = judge(epoch, stage_begin, stage_end, ctx, fit);
      fit.epoch = epoch;
      if (stage_end < fit.epochs && (stopped || epoch == stage_end)) {
        restore_best(ctx, fit);
        fit.best_epoch = fit.since_best = 0;
        fit.best_state.clear();
        fit.epoch = stage_end;
        stopped = false;
      }
      if (ctx.checkpoints != nullptr && ctx.checkpoints->due()) {
        fit.training = training_state();
        ctx.checkpoints->save(fit);
      }
      // Last, since an interruption leaves from here.
      ctx.progress.step(static_cast<std::size_t>(fit.epoch), static_cast<std::size_t>(fit.epochs), "epochs");
      if (fit.epoch == stage_end) break;
    }
    stage_begin = stage_end;
  }
  restore_best(ctx, fit);
  prepare_scoring();
}

void IterativeRecommender::restore_best(FitContext& ctx, const FitState& fit) {
  if (fit.best_epoch == 0) return;
  std::size_t i = 0;
  for (std::span<float> part : state()) std::copy(fit.best_state[i].begin(), fit.best_state[i].end(), part.begin()), ++i;
  ctx.progress.record("best epoch", fit.best_epoch, fit.best);
}

// Validates where a check is due: every so many epochs of a stage, and at its end. Whether the stage is to stop.
bool IterativeRecommender::judge(int epoch, int begin, int end, FitContext& ctx, FitState& fit) {
  if (!ctx.validate || ((epoch - begin) % ctx.stopping.every != 0 && epoch != end)) return false;
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
