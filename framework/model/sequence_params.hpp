// The parameters that models of sequences share. A model's struct derives from this one, sets defaults of its own in
// its constructor, and calls sequence_fields() in its schema().
#pragma once

#include <algorithm>

#include "framework/model/registry.hpp"
#include "framework/model/sequence_data.hpp"
#include "framework/model/sequence_loss.hpp"
#include "framework/nn/optimizer.hpp"
#include "framework/param/schema.hpp"

namespace segue {

struct SequenceParams {
  int factors = 64;
  int epochs = 20;
  int batch_size = 128;
  int max_length = 50;
  float learning_rate = 1e-3f;
  float dropout = 0.2f;

  SequenceLoss loss = SequenceLoss::kBce;
  int negatives = 1;
  bool shared_negatives = false;
  bool batch_negatives = false;
  float alpha = 0;
  bool exclude_history = true;
  bool log_q = true;
  float calibration = 0.75f;
  float bpr_max_reg = 0;
  bool output_bias = false;

  SequencesOf sequences = SequencesOf::kUsers;
  int window_stride = 0;

  nn::OptimizerKind optimizer = nn::OptimizerKind::kAdam;
  float beta2 = 0.999f;
  float momentum = 0;
  nn::RowMode row_updates = nn::RowMode::kDense;
  float weight_decay = 0;
  float clip_norm = 0;
  nn::Decay schedule = nn::Decay::kConstant;
  int warmup = 0;
  float init_stddev = 0.02f;

  // Moments of the item vectors and their copy for scoring; with the full softmax, gradients of up to 16 shards.
  double fit_bytes(const DataShape& s) const {
    const double table = 4.0 * s.items * factors;
    return table * 3 + (loss == SequenceLoss::kSoftmax ? std::min(16 * table, table * 2 + 4.0 * (1 << 26)) : 0);
  }
  // Of a fit whose encoder takes so many operations an event, and in which this share of the events is a target. The
  // loss takes three products with the vector of each item that is compared. Estimates of time assume 10 GFLOP/s; these
  // models run at about six times that.
  double fit_flop(const DataShape& s, double encoder, double targets = 1) const {
    const double compared = loss == SequenceLoss::kSoftmax ? s.items
                            : shared_negatives             ? std::min<double>(negatives, s.items)
                                                           : negatives;
    return s.events * epochs * (encoder + targets * 6 * factors * (1 + compared)) / 6;
  }
};

template <class P>
void sequence_fields(Schema<P>& s) {
  const auto field = [&](const char* name, auto SequenceParams::*member, const char* doc) -> auto& {
    using Member = std::remove_reference_t<decltype(std::declval<SequenceParams&>().*member)>;
    return s.field(name, static_cast<Member P::*>(member), doc);
  };
  using S = SequenceParams;
  field("factors", &S::factors, "dimensions d of item vectors and states").range(1, 4096).search(pow2, 16, 256);
  field("epochs", &S::epochs, "passes over the training sequences").range(1, 100000).search(linear, 10, 200);
  field("batch_size", &S::batch_size, "sequences a step").range(1, 1 << 20).search(pow2, 32, 512);
  field("max_length", &S::max_length, "positions: the latest events of a sequence that are read")
      .range(1, 100000)
      .search(pow2, 16, 256);
  field("learning_rate", &S::learning_rate, "step length").above(0.0f).search(log_scale, 1e-4, 1e-2);
  field("dropout", &S::dropout, "share of activations set to zero while training")
      .range(0.0f, 0.95f)
      .search(linear, 0, 0.5);
  field(
      "loss", &S::loss,
      "of a position's target: bce, gbce, bpr, bpr_max and sampled_softmax against sampled items, softmax against all")
      .choices({{"bce", SequenceLoss::kBce},
                {"gbce", SequenceLoss::kGbce},
                {"softmax", SequenceLoss::kSoftmax},
                {"sampled_softmax", SequenceLoss::kSampledSoftmax},
                {"bpr", SequenceLoss::kBpr},
                {"bpr_max", SequenceLoss::kBprMax}});
  field("negatives", &S::negatives, "sampled items a position, or a batch if they are shared")
      .range(1, 1 << 20)
      .search(pow2, 1, 256);
  field(
      "shared_negatives", &S::shared_negatives,
      "the same sampled items for all positions of a batch; every item once where there are no more than `negatives`");
  field("batch_negatives", &S::batch_negatives, "shared_negatives: and the targets of the batch's other positions");
  field("alpha", &S::alpha, "an item is sampled with probability proportional to (its events)^alpha; 0: uniformly")
      .range(0.0f, 2.0f)
      .search(linear, 0, 1);
  field("exclude_history", &S::exclude_history,
        "items that the user has are no negatives; else only the target is none");
  field("log_q", &S::log_q, "sampled_softmax: subtract the log probability of being sampled from logits");
  field("calibration", &S::calibration, "gbce: t, from 0 (as bce) to 1 (unbiased)").range(0.0f, 1.0f);
  field("bpr_max_reg", &S::bpr_max_reg, "bpr_max: penalty on the scores of negatives").range(0.0f, 100.0f);
  field("output_bias", &S::output_bias,
        "a learned bias in each item's score; with the softmax losses it begins with the log of the item's events");
  field("sequences", &S::sequences, "what a training sequence is; where the data has no sessions a user has one")
      .choices({{"users", SequencesOf::kUsers}, {"sessions", SequencesOf::kSessions}});
  field("window_stride", &S::window_stride,
        "longer sequences give windows that end every so many events; 0: only the last window")
      .range(0, 1 << 20);
  field("optimizer", &S::optimizer, "adam; adamw, with decoupled weight decay; adagrad; sgd")
      .choices({{"adam", nn::OptimizerKind::kAdam},
                {"adamw", nn::OptimizerKind::kAdamW},
                {"adagrad", nn::OptimizerKind::kAdagrad},
                {"sgd", nn::OptimizerKind::kSgd}});
  field("beta2", &S::beta2, "adam, adamw: decay of squared gradients").range(0.0f, 0.999999f);
  field("momentum", &S::momentum, "adagrad, sgd").range(0.0f, 0.999f);
  field("row_updates", &S::row_updates,
        "item vectors without a gradient in a step: dense moves them as Adam does, lazy leaves them")
      .choices({{"dense", nn::RowMode::kDense}, {"lazy", nn::RowMode::kLazy}});
  field("weight_decay", &S::weight_decay, "L2 penalty; adamw: decay a step, relative to the learning rate")
      .range(0.0f, 10.0f);
  field("clip_norm", &S::clip_norm, "largest norm of a step's gradient; 0: no limit").range(0.0f, 1e6f);
  field("schedule", &S::schedule, "of the learning rate after the warm-up")
      .choices({{"constant", nn::Decay::kConstant},
                {"linear", nn::Decay::kLinear},
                {"cosine", nn::Decay::kCosine},
                {"inverse_sqrt", nn::Decay::kInverseSqrt}});
  field("warmup", &S::warmup, "steps over which the learning rate rises from 0").range(0, 1 << 30);
  field("init_stddev", &S::init_stddev, "standard deviation of the first item vectors, positions and (bert4rec) weights").range(1e-6f, 10.0f);
}

}  // namespace segue
