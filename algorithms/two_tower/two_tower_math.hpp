// The training step of two towers: a user's vector and an item's vector, and a softmax over the items of the batch.
//
//   s_ij = <u_i, v_j> / tau - log q_j,   loss = mean_i -log(e^s_ii / sum_j e^s_ij)
//
// A tower adds up the vectors of what is known: of an item its own and those of its terms and sound, of a user their
// own and those of the items they have heard, each times its value (Kula 2015, "Metadata embeddings for user and item
// cold-start recommendations", CBRecSys, equation 2). Own vectors are left out at random, so that the rest learns to do
// without them (Volkovs, Yu & Poutanen 2017, "DropoutNet: addressing cold start in recommender systems", NIPS). With
// attention the m items heard that are added up, of vectors h_k and values x_k, weigh unequally:
//
//   sum_k x_k m a_k h_k,   a = softmax_k(<c, h_k> / sqrt(d))
//
// with a learned vector c, which is zero at first: all weigh the same then (the context vector of Yang et al. 2016,
// "Hierarchical attention networks for document classification", NAACL, equations 5 to 7, without its layer).
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
#include "framework/base/ids.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/optimizer.hpp"
#include "framework/nn/param_store.hpp"
#include "framework/nn/row_gradients.hpp"

namespace segue {

struct TwoTowerShape {
  std::size_t users = 0, items = 0, factors = 0;
  bool normalise = false;     // vectors have length 1: the score is a cosine
  double temperature = 1;     // tau
  double reg = 0;             // L2 penalty on the vectors of each sample
  double id_dropout = 0;      // chance that a sample's user, or item, goes without its own vector
  double correction = 1;      // how much of log q is subtracted
  std::size_t negatives = 0;  // items drawn evenly for each step, beside those of the batch
  bool attention = false;     // of users' features
  // Of a sample's m features of its user each is kept with a chance that is drawn evenly for the sample, and those that
  // are kept count sqrt(m / kept) times as much. Without it a history that lacks nothing but the sought item tells which
  // one that is: towers learn histories by heart and say nothing about others.
  bool parts = false;
};

// What towers read beside ids; both outlive the trainer.
struct TowerInputs {
  const Csr<ItemIdx>* items = nullptr;  // items x features, with values
  const Csr<ItemIdx>* users = nullptr;  // users x items heard, with values; a sample's own item is left out of it
  std::size_t item_features() const { return items == nullptr ? 0 : items->cols(); }
  std::size_t user_features() const { return users == nullptr ? 0 : users->cols(); }
};

// m a_k of the formula above, for the rows of a table that are added up: their mean is 1.
template <class T>
void attention_shares(ConstView<T> table, std::span<const std::uint32_t> rows, std::span<const T> context,
                      std::span<T> out);

template <class T>
T tower_product(std::span<const T> x, const T* y) {
  using V = nn::LaneOf<T>;
  V sum = nn::all<V>(0);
  nn::for_parts<T>(x.size(), [&](auto part) { sum = fma(part.load(x.data()), part.load(y), sum); });
  if constexpr (std::is_same_v<T, float>)
    return sum.sum();
  else
    return sum;
}

struct PairBatch {
  std::span<const std::uint32_t> users, items;
};

template <class T>
class TwoTowerTrainer {
 public:
  // params: has the blocks "users" (users, then their features, then c of attention, x factors) and "items", likewise
  // but without attention, and outlives the
  // trainer. log_share: log q of each item, -inf of those that are in no sample. rng: for what is drawn in each step,
  // by its number.
  TwoTowerTrainer(const TwoTowerShape& shape, nn::ParamStore<T>& params, std::vector<T> log_share,
                  const nn::OptimizerSettings& optimizer, nn::RowMode rows, std::size_t batch_size,
                  TowerInputs inputs = {}, Rng rng = Rng(0));
  // stddev: of the first vectors; 0: they are zero, and nothing is drawn.
  static nn::ParamStore<T> make_params(const TwoTowerShape& shape, double stddev, const Rng& rng,
                                       const TowerInputs& inputs = {});
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
    Side(nn::ParamStore<T>& params, nn::BlockId block, nn::Optimizer<T>& optimizer, nn::RowMode mode,
         std::size_t own_rows, const Csr<ItemIdx>* inputs, bool attention)
        : table(params[block]),
          rows(params, block, optimizer, mode),
          sums(table.rows, table.cols),
          ids(own_rows),
          features(inputs),
          attends(attention && inputs != nullptr) {}
    ConstView<T> table;
    nn::RowTable<T> rows;
    nn::RowGradients<T> sums;
    Matrix<T> vectors, gradients;  // batch x factors: as they enter the products
    std::vector<T> lengths;        // of the rows of the table, where vectors are normalised
    T by = 1;                      // what vectors were multiplied by
    double penalty = 0;
    std::size_t ids = 0;  // rows of the table before those of features
    const Csr<ItemIdx>* features = nullptr;
    Matrix<T> towers;                   // batch x factors: sums before they are normalised, where there are features
    std::vector<std::uint8_t> dropped;  // of each place of the batch: whether it goes without its own vector
    bool attends = false;
    // Of each place, by which its features' values are multiplied: how much a part counts, and the attention. 0 for what
    // is left out. Empty where all count as they are.
    std::vector<std::vector<T>> shares;
    bool adds_up() const { return towers.rows() > 0; }
    std::uint32_t context_row() const { return static_cast<std::uint32_t>(table.rows - 1); }
  };
  // What a place of the batch adds up: visit(row of the table, factor). without: a feature that is left out.
  template <class Visit>
  static void each_part(const Side& side, std::size_t place, std::uint32_t which, std::uint32_t without, Visit visit);
  // Their shares at a place, and with them the gradients of what they are made of.
  void attend(Side& side, std::size_t place, std::uint32_t which, std::uint32_t without);
  void sum_attention(Side& side, std::size_t place, std::uint32_t which, std::uint32_t without);
  void draw_step(const PairBatch& batch);
  void draw_parts(const PairBatch& batch);
  void bring(Side& side, std::span<const std::uint32_t> which);
  void gather(Side& side, std::span<const std::uint32_t> which, std::span<const std::uint32_t> without, double by,
              std::size_t penalised);
  void sum_rows(Side& side, std::span<const std::uint32_t> which, std::span<const std::uint32_t> without,
                std::size_t penalised);
  double losses_and_gradients(const PairBatch& batch, const Executor& exec);
  std::span<const std::uint32_t> without(const PairBatch& batch) const {
    return inputs_.users == nullptr ? std::span<const std::uint32_t>() : batch.items;
  }

  TwoTowerShape shape_;
  nn::ParamStore<T>& params_;
  std::vector<T> log_share_;
  nn::Optimizer<T> optimizer_;
  TowerInputs inputs_;
  Rng rng_;
  std::vector<std::uint32_t> drawable_;  // items that are in a sample
  std::vector<std::uint32_t> columns_;   // items of the step: those of the batch, then the drawn ones
  Side users_, items_;
  static constexpr std::uint32_t kNowhere = 0xffffffffu;
  Matrix<T> turned_, weighted_,
      logits_;                           // items' vectors transposed; users' vectors times their share; batch x columns
  std::vector<T> corrections_, shares_;  // of each column; of each place of the batch
  std::vector<std::uint32_t> twins_, last_place_;  // the next place of the same item; of each item, the last one so far
  std::vector<double> losses_;
};

}  // namespace segue
