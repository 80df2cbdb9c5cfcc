#include "framework/model/iterative.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"

namespace segue {

void IterativeRecommender::fit(const TrainData& data, FitContext& ctx) {
  begin(data, ctx);
  const bool stopping = ctx.validate && ctx.stopping.patience > 0;
  std::vector<std::vector<float>> best_state;
  double best = -std::numeric_limits<double>::infinity();
  int best_epoch = 0, since_best = 0;
  const int last = epochs();
  for (int epoch = 1; epoch <= last; ++epoch) {
    const Stopwatch watch;
    const Losses losses = run_epoch(epoch, data, ctx);
    ctx.progress.epoch_seconds(watch.seconds());
    for (const auto& [series, value] : losses) {
      ctx.progress.record(series, epoch, value);
      if (!std::isfinite(value)) throw UsageError("training diverged: {} is {} after epoch {}; lower the learning rate or raise the regularisation", series, value, epoch);
    }
    ctx.progress.step(static_cast<std::size_t>(epoch), static_cast<std::size_t>(last), "epochs");
    if (!ctx.validate || (epoch % ctx.stopping.every != 0 && epoch != last)) continue;
    prepare_scoring();
    const double value = ctx.validate(*this);
    ctx.progress.record("validation", epoch, value);
    if (!stopping) continue;
    if (std::isnan(value)) throw UsageError("early stopping: the validation metric has no value after epoch {}; is there validation truth left after exclusions?", epoch);
    if (best_epoch == 0 || value > best) {
      best = value;
      best_epoch = epoch;
      since_best = 0;
      best_state.clear();
      for (std::span<float> part : state()) best_state.emplace_back(part.begin(), part.end());
    } else if (++since_best >= ctx.stopping.patience) {
      break;
    }
  }
  if (best_epoch != 0) {
    std::size_t i = 0;
    for (std::span<float> part : state()) std::copy(best_state[i].begin(), best_state[i].end(), part.begin()), ++i;
    ctx.progress.record("best epoch", best_epoch, best);
  }
  prepare_scoring();
}

}  // namespace segue
