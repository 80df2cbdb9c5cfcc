// A score for each entry of a list from a row of features: a weighted sum, and beside it a hidden layer where one is
// wanted.
//
//   s = <w, x> + <v, relu(W^T x + b)>,   loss = mean over lists of -(1 / |T|) sum over t in T of log(e^s_t / sum_j
//   e^s_j)
//
// T: the entries of a list that came true. The softmax over a list is ListNet's top-one probability (Cao, Qin, Liu,
// Tsai & Li 2007, "Learning to rank: from pairwise approach to listwise approach", ICML, section 4.2). Template on the
// scalar, so that gradients are checked in double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/view.hpp"
#include "framework/model/archive.hpp"
#include "framework/nn/optimizer.hpp"
#include "framework/nn/param_store.hpp"

namespace segue {

struct RankerShape {
  std::size_t features = 0, hidden = 0;  // hidden 0: the weighted sum alone
};

template <class T>
class ListRanker {
 public:
  ListRanker() = default;
  // First values: w is zero, the hidden layer's as in Glorot & Bengio 2010, v is zero, so that every list begins
  // uniform.
  ListRanker(RankerShape shape, const Rng& rng);

  void score(ConstView<T> rows, std::span<T> out) const;
  // The loss of one list times `scale`, whose gradient is added to `gradients` (laid out as params()). targets:
  // distinct positions of the list, at least one.
  double learn(ConstView<T> rows, std::span<const std::uint32_t> targets, T scale, nn::ParamStore<T>& gradients) const;

  nn::ParamStore<T>& params() { return params_; }
  const nn::ParamStore<T>& params() const { return params_; }
  RankerShape shape() const { return shape_; }

 private:
  RankerShape shape_;
  nn::ParamStore<T> params_;
};

// Lists to learn from, kept in one array.
struct RankedLists {
  std::size_t features = 0;
  std::vector<float> rows;                // entries x features
  std::vector<std::uint64_t> offsets{0};  // list l: entries [offsets[l], offsets[l + 1])
  std::vector<std::uint32_t> targets;     // positions within their list
  std::vector<std::uint64_t> target_offsets{0};
  // The entries of a list, ascending, with a row each, and which items came true, ascending. A list in which nothing
  // did teaches nothing, for no order of it would be better than another, and is left out. Returns how many came true.
  std::size_t add(std::span<const ItemIdx> items, ConstMatRef<float> of_items, std::span<const ItemIdx> true_items);
  std::size_t size() const { return offsets.size() - 1; }
  ConstView<float> list(std::size_t l) const {
    return {rows.data() + offsets[l] * features, offsets[l + 1] - offsets[l], features};
  }
  std::span<const std::uint32_t> targets_of(std::size_t l) const {
    return {targets.data() + target_offsets[l], target_offsets[l + 1] - target_offsets[l]};
  }
};

// Zero mean and unit variance of every feature over all entries, for the lists in place and for what is scored later.
struct FeatureScale {
  std::vector<float> mean, by;  // x becomes (x - mean) by; by is 0 where a feature is constant
  static FeatureScale learn(const RankedLists& lists);
  void apply(std::span<float> row) const;
};

// One pass over the lists in an order drawn from rng.stream("order", epoch), `batch` lists a step; the mean loss before
// each step. The same bits for any number of threads.
double train_epoch(ListRanker<float>& ranker, nn::Optimizer<float>& optimizer, const RankedLists& lists, int epoch,
                   std::size_t batch, const Rng& rng, const Executor& exec);

}  // namespace segue
