// How a fit that is trained in epochs survives the end of its process: what it has to remember between two epochs, and
// who keeps it.
#pragma once

#include <limits>
#include <span>
#include <vector>

namespace segue {

// Everything that the epochs to come depend on beside the data, the parameters and the generator.
struct FitState {
  int epoch = 0;                           // the last one that was run; 0: none
  int epochs = 0;                          // in all
  std::vector<std::span<float>> training;  // IterativeRecommender::training_state()
  // Early stopping: checks since the best one, its metric, and state() as it was then.
  int best_epoch = 0;  // 0: none yet
  int since_best = 0;
  double best = -std::numeric_limits<double>::infinity();
  std::vector<std::vector<float>> best_state;
};

// Calls come from the thread that called fit().
class Checkpoints {
 public:
  virtual ~Checkpoints() = default;
  // Once, before the first epoch. Where an earlier process has left a checkpoint of this fit: fills `fit`, writing to
  // its spans, and returns true. Otherwise `fit` is as it was. Whatever was recorded up to then is part of the
  // checkpoint.
  virtual bool restore(FitState& fit) = 0;
  // Behind every epoch: whether it is time for the next one.
  virtual bool due() = 0;
  virtual void save(const FitState& fit) = 0;
};

}  // namespace segue
