// The networks of neural collaborative filtering and their training step: He et al. 2017, "Neural collaborative
// filtering", WWW, equations 7 to 12. Template on the scalar, so that the very code that trains in float is
// gradient-checked in double.
//
//   GMF    phi_g = p_u o q_i                                        f values
//   MLP    phi_m = a_L, a_0 = [p'_u; q'_i], a_l = relu(a_{l-1} W_l + b_l)     widths 8f, 4f, 2f, f for three layers
//   logit  = h . [phi_g; phi_m] + b
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/dropout.hpp"
#include "framework/nn/optimizer.hpp"
#include "framework/nn/param_store.hpp"
#include "framework/nn/row_gradients.hpp"

namespace segue {

struct NcfShape {
  std::size_t users = 0, items = 0, factors = 0;
  bool gmf = true, mlp = true;                                                        // both: NeuMF
  std::size_t layers = 3;                                                             // of the tower
  std::size_t width(std::size_t layer) const { return factors << (layers - layer); }  // of a_layer
};

// Samples side by side: users[s], items[s] and what is to be predicted for them.
template <class T>
struct NcfBatch {
  std::span<const std::uint32_t> users, items;
  std::span<const T> labels;
};

template <class T>
class NcfNet {
 public:
  explicit NcfNet(const NcfShape& shape);

  const NcfShape& shape() const { return shape_; }
  nn::ParamStore<T>& params() { return params_; }
  const nn::ParamStore<T>& params() const { return params_; }
  // Embeddings normal with this deviation, weights uniform after Glorot & Bengio, biases zero: as in the paper's code.
  void init(double stddev, const Rng& rng);

  // The parameters of each part of the network; a part that the shape lacks has no rows.
  ConstView<T> gmf_users() const { return view(gmf_users_); }
  ConstView<T> gmf_items() const { return view(gmf_items_); }
  ConstView<T> mlp_users() const { return view(mlp_users_); }
  ConstView<T> mlp_items() const { return view(mlp_items_); }
  ConstView<T> weights(std::size_t layer) const { return params_[weights_[layer]]; }
  ConstView<T> biases(std::size_t layer) const { return params_[biases_[layer]]; }
  // Of the last layer: factors that weigh phi_g, then factors that weigh phi_m.
  std::span<const T> head() const { return params_[*head_].span(0); }
  T head_bias() const { return params_[*head_bias_](0, 0); }

  // NeuMF begins where its halves ended: their embeddings and towers, and h = [share h_gmf; (1 - share) h_mlp]
  // (section 3.4.1).
  void take(const NcfNet& gmf, const NcfNet& mlp, double share);

 private:
  template <class U>
  friend class NcfTrainer;
  ConstView<T> view(const std::optional<nn::BlockId>& id) const { return id ? params_[*id] : ConstView<T>(); }

  NcfShape shape_;
  nn::ParamStore<T> params_;
  std::optional<nn::BlockId> gmf_users_, gmf_items_, mlp_users_, mlp_items_, head_, head_bias_;
  std::vector<nn::BlockId> weights_, biases_;
};

// Mini-batch steps. A step has two phases that run in parallel: rows of the batch (forward, gradients of activations),
// then parameters (each block's gradient over the whole batch, and its step), so no gradient is ever added across
// threads.
template <class T>
class NcfTrainer {
 public:
  // net must outlive the trainer. rows: how embedding rows that a batch does not touch are treated. dropout: the share
  // of the inputs of each of the tower's layers that is set to zero, drawn from a stream of each step's own.
  NcfTrainer(NcfNet<T>& net, const nn::OptimizerSettings& optimizer, nn::RowMode rows, std::size_t batch_size,
             double dropout = 0, const Rng& rng = Rng());

  // The step on `batch`; `next` is what the following step will read (empty at an epoch's end). Returns the sum of
  // losses before the step.
  double step(const NcfBatch<T>& batch, const NcfBatch<T>& next, const Executor& exec);
  // After the last step of an epoch.
  void finish();

  // The sum of losses, and the gradient of their mean in a store of the network's layout: for checks.
  double gradient(const NcfBatch<T>& batch, nn::ParamStore<T>& out, const Executor& exec);

  nn::Optimizer<T>& optimizer() { return optimizer_; }
  // After parameters and moments were changed from outside.
  void resume(std::uint64_t steps);

 private:
  struct Table {  // an embedding table, and where its gradients stand
    nn::BlockId block;
    bool of_users;
    nn::RowTable<T> rows;
    nn::RowGradients<T> gradients;
  };
  struct Part {  // input rows [begin, end) of a layer's weights: one owner in the second phase
    std::size_t layer, begin, end;
  };

  void bring(const NcfBatch<T>& batch);
  double rows_phase(const NcfBatch<T>& batch, const Executor& exec);
  double some_rows(const NcfBatch<T>& batch, std::size_t begin, std::size_t end);
  void sum_table(std::size_t t, const NcfBatch<T>& batch);
  // The gradient of a part, in scratch of the calling thread; bias: set for the part that owns the layer's biases.
  View<T> part_gradient(const Part& part, std::size_t n, std::span<T>& bias);
  void head_gradient(std::size_t n, std::span<T> out);  // factors of the head, then its bias
  std::size_t grain(std::size_t n) const;
  View<T> some(Matrix<T>& m, std::size_t n) const { return View<T>(m).some_rows(0, n); }

  NcfNet<T>& net_;
  nn::Optimizer<T> optimizer_;
  double dropout_;
  Rng rng_;
  std::vector<Table> tables_;  // gmf users, gmf items, mlp users, mlp items, where there are such
  std::vector<Part> parts_;
  std::vector<Matrix<T>> turned_;                  // weights transposed, for the gradients of inputs
  Matrix<T> product_, d_gmf_users_, d_gmf_items_;  // batch x factors
  std::vector<Matrix<T>> activations_,
      d_activations_;                                // a_0 .. a_L, what layers read after dropout, and their gradients
  std::vector<std::vector<nn::DropoutMask>> masks_;  // of each shard's a_0 .. a_{L-1}
  std::vector<T> logits_, d_logits_;
  std::vector<double> losses_;
  double work_ = 0;  // multiply-adds a sample, roughly
};

}  // namespace segue
