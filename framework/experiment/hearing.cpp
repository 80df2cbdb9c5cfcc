#include "framework/experiment/hearing.hpp"

#include <algorithm>

#include "framework/experiment/trial_queue.hpp"

namespace segue {

bool hear_sounds(const DatasetEntry& entry, const Spec& spec, const Registry& algorithms, const RunOptions& options,
                 DatasetStore& datasets, ProgressDisplay& display) {
  const bool asked = std::any_of(spec.algorithms.begin(), spec.algorithms.end(), [&](const AlgorithmEntry& a) {
    return is_wanted(a, options.only) && needs_sound(algorithms, a.algorithm, a.params);
  });
  if (!asked) return true;
  const std::string head = fmt::format("hearing {}", entry.label);
  const Stopwatch watch;
  ListeningProgress last;
  const bool heard = datasets.hear(entry, Executor(options.threads), [&](const ListeningProgress& p) {
    if (last.done == 0) display.start(head, "sounds:");
    last = p;
    TrialMessage step;
    step.kind = TrialMessage::Kind::kStep;
    step.text = "items";
    step.done = static_cast<double>(p.done);
    step.total = static_cast<double>(p.total);
    display.update(step);
    return InterruptScope::count() == 0;
  });
  if (last.done > 0)
    display.end_trial(head, fmt::format("{} items, {:.0f} x real time, {}", last.done,
                                        last.sound_seconds / watch.seconds(), format_seconds(watch.seconds())));
  return heard;
}

}  // namespace segue
