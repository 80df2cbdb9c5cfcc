// The training step of two towers: a user's vector and an item's vector, and a softmax over the items of the batch.
//
//   s_ij = <u_i, v_j> / tau - log q_j,   loss = mean_i -log(e^s_ii / sum_j e^s_ij)
//
// q_j is the share of samples that item j is the positive of: items come into a batch in that proportion, and the
// correction makes the sampled softmax estimate the full one (Yi et al. 2019, "Sampling-bias-corrected neural modeling
// for large corpus item recommendations", RecSys, equation 3). Template on the scalar, so that gradients are checked in
// double.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/nn/optimizer.hpp"
#include "framework/nn/param_store.hpp"
#include "framework/nn/row_gradients.hpp"

namespace segue {

struct TwoTowerShape {
  std::size_t users = 0, items = 0, factors = 0;
  bool normalise = false;  // vectors have length 1: the score is a cosine
  double temperature = 1;  // tau
  double reg = 0;          // L2 penalty on the vectors of each sample
};

struct PairBatch {
  std::span<const std::uint32_t> users, items;
};

template <class T>
class TwoTowerTrainer {
 public:
  // params: has the blocks "users" (users x factors) and "items" and outlives the trainer. log_share: log q of each
  // item.
  TwoTowerTrainer(const TwoTowerShape& shape, nn::ParamStore<T>& params, std::vector<T> log_share,
                  const nn::OptimizerSettings& optimizer, nn::RowMode rows, std::size_t batch_size);
  // stddev: of the first vectors; 0: they are zero, and nothing is drawn.
  static nn::ParamStore<T> make_params(const TwoTowerShape& shape, double stddev, const Rng& rng);
  static nn::BlockId users_id() { return nn::BlockId{0}; }
  static nn::BlockId items_id() { return nn::BlockId{1}; }

  // The step on `batch`; `next` is what the following step will read (empty at an epoch's end). Returns the sum of
  // losses before the step, without the penalty.
  double step(const PairBatch& batch, const PairBatch& next, const Executor& exec);
  void finish();  // after the last step of an epoch
  // The sum of losses with n times the penalty, and the gradient of their mean: for checks.
  double gradient(const PairBatch& batch, nn::ParamStore<T>& out, const Executor& exec);

  nn::Optimizer<T>& optimizer() { return optimizer_; }
  void resume(std::uint64_t steps);

 private:
  struct Side {
    ConstView<T> table;
    nn::RowTable<T> rows;
    nn::RowGradients<T> sums;
    Matrix<T> vectors, gradients;  // batch x factors: as they enter the products
    std::vector<T> lengths;        // of the rows of the table, where vectors are normalised
    T by = 1;                      // what vectors were multiplied by
    double penalty = 0;
  };
  void gather(Side& side, std::span<const std::uint32_t> which, double by);
  void sum_rows(Side& side, std::span<const std::uint32_t> which);
  double losses_and_gradients(const PairBatch& batch, const Executor& exec);

  TwoTowerShape shape_;
  nn::ParamStore<T>& params_;
  std::vector<T> log_share_;
  nn::Optimizer<T> optimizer_;
  Side users_, items_;
  static constexpr std::uint32_t kNowhere = 0xffffffffu;
  Matrix<T> turned_, weighted_, logits_;  // items' vectors transposed; users' vectors times their share; batch x batch
  std::vector<T> corrections_, shares_;   // of each place of the batch
  std::vector<std::uint32_t> twins_, last_place_;  // the next place of the same item; of each item, the last one so far
  std::vector<double> losses_;
};

}  // namespace segue
