// What models of sequences learn from: states h, each of which is to give its target item a higher score <h, v_i> + b_i
// than other items, all of them or a sample. The losses themselves are those of nn/loss.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/view.hpp"
#include "framework/nn/row_gradients.hpp"
#include "framework/nn/scratch.hpp"

namespace segue {

// Stands for an item where there is none: a state that is to predict nothing, a negative that could not be drawn.
inline constexpr std::uint32_t kNoTarget = 0xffffffffu;

enum class SequenceLoss { kBce, kGbce, kSoftmax, kSampledSoftmax, kBpr, kBprMax };

// Whether a loss compares the target with sampled items rather than with the whole catalogue.
inline bool uses_negatives(SequenceLoss loss) { return loss != SequenceLoss::kSoftmax; }

struct ItemLossSettings {
  SequenceLoss loss = SequenceLoss::kBce;
  std::size_t negatives = 1;  // k
  bool shared = false;        // the same k for all states of a batch
  double gbce_beta = 1, bpr_max_reg = 0;
};

// The items of a batch, as all its shards read them.
template <class T>
struct ItemSide {
  ConstView<T> vectors;          // items x d
  ConstView<T> vectors_t;        // d x items: full softmax only
  std::span<const T> bias;       // items, or empty
  std::span<const float> log_q;  // log of the probability of being drawn, one an item: subtracted from logits; or empty
  // Shared negatives: their ids, ascending and each once; how often each was drawn (sampled_softmax counts it as
  // often); and their vectors gathered, k x d and d x k (PoolLoss gathers them itself).
  std::span<const std::uint32_t> pool, pool_counts;
  ConstView<T> pool_vectors, pool_vectors_t;
};

// States with their targets, n of each.
template <class T>
struct ItemExamples {
  ConstView<T> h;
  std::span<const std::uint32_t> targets;
  std::span<const std::uint32_t> negatives;  // n x k, unless they are shared
  // Slots of the pool that are no negatives for the states of a sequence (the user's own items): those of sequence s
  // are hidden[hidden_begins[s], hidden_begins[s + 1]). A state's own target is never its negative. Empty: none.
  std::span<const std::uint32_t> sequence;  // n
  std::span<const std::uint32_t> hidden_begins, hidden;
};

// One shard's gradients with respect to the items.
template <class T>
struct ItemGradients {
  ItemGradients(std::size_t items, std::size_t dims, bool with_bias)
      : rows(items, dims), bias(with_bias ? items : 0, 1) {}

  nn::RowGradients<T> rows, bias;  // of targets and own negatives, and (rows) whatever else is added
  Matrix<T> all, all_bias;         // full softmax: items x d and 1 x items
  View<T> pool, pool_bias;         // shared negatives: k x d and 1 x k, in the memory below
  nn::Scratch<T> pool_memory, pool_bias_memory;
};

// Scratch for one shard after another.
template <class T>
class ItemLoss {
 public:
  // Returns the sum of losses, sets dh (n x d) and adds to `gradients`, which must have the shapes that the loss needs;
  // gradients are multiplied by `scale`.
  double operator()(const ItemLossSettings& settings, const ItemSide<T>& items, const ItemExamples<T>& examples,
                    T scale, View<T> dh, ItemGradients<T>& gradients);

 private:
  double of_own(const ItemLossSettings&, const ItemSide<T>&, const ItemExamples<T>&, T, View<T>, ItemGradients<T>&);
  double of_shared(const ItemLossSettings&, const ItemSide<T>&, const ItemExamples<T>&, T, View<T>, ItemGradients<T>&);
  std::vector<T> logits_, gradients_, labels_;
};

// The same for shared negatives and so few states that all their logits may be kept: three products over the whole
// batch, each cut between threads, instead of gradients of the pool for every shard. Logits are computed negative by
// negative, so that the pool's vectors need not be transposed.
template <class T>
class PoolLoss {
 public:
  // dh (n x d), d_pool (k x d), d_pool_bias (k, or empty) and d_targets (n: of the targets' logits) are set.
  double operator()(const ItemLossSettings& settings, const ItemSide<T>& items, const ItemExamples<T>& examples,
                    T scale, View<T> dh, View<T> d_pool, std::span<T> d_pool_bias, std::span<T> d_targets,
                    const Executor& exec);

 private:
  nn::Scratch<T> pool_, h_t_, logits_t_, logits_, offsets_;
  std::vector<double> losses_;
};

}  // namespace segue
