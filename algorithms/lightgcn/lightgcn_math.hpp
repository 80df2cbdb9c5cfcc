// Light graph convolution: He, Deng, Wang, Li, Zhang & Wang 2020, "LightGCN: simplifying and powering graph convolution
// network for recommendation", SIGIR.
//
// With A the adjacency matrix of users and items and D its degrees, a layer is e' = D^-1/2 A D^-1/2 e (their eq. 3).
// Here layers are kept as z = D^-1/2 e, for which a layer is z' = D^-1 A z: a plain sum of a node's neighbours, divided
// once. The matrix is symmetric, so gradients go back through the same sums.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/view.hpp"
#include "framework/nn/param_store.hpp"

namespace segue {

// Node u is user u, node users() + i is item i.
class InteractionGraph {
 public:
  // Edges are the events of weight above zero.
  explicit InteractionGraph(const Csr<ItemIdx>& events);

  std::size_t users() const { return users_; }
  std::size_t nodes() const { return offsets_.size() - 1; }
  std::size_t edges() const { return neighbours_.size() / 2; }
  std::span<const std::uint32_t> neighbours(std::size_t node) const {  // ascending
    return std::span(neighbours_).subspan(offsets_[node], offsets_[node + 1] - offsets_[node]);
  }
  double degree(std::size_t node) const { return static_cast<double>(offsets_[node + 1] - offsets_[node]); }

  // visit(first, last) for ranges of nodes that cost about the same to propagate.
  void for_parts(const Executor& exec, const std::function<void(std::size_t, std::size_t)>& visit) const;

 private:
  std::size_t users_;
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint32_t> neighbours_, cuts_;
};

// n examples: a user, an item that the user has, and some that the user has not.
struct LightGcnBatch {
  static constexpr std::uint32_t kNobody = 0xffffffffu;
  std::size_t per_example = 1;                  // negatives
  std::vector<std::uint32_t> users, positives;  // n nodes each
  std::vector<std::uint32_t> negatives;         // n x per_example nodes, or kNobody where none could be drawn
};

template <class T>
class LightGcn {
 public:
  // The graph must outlive this. dims: d; layers: L, at least 1. Embeddings are zero.
  LightGcn(const InteractionGraph& graph, std::size_t dims, std::size_t layers);

  nn::ParamStore<T>& params() { return params_; }
  // e_0: nodes x d, and columns of zeros that make d a multiple of 16; they stay zero.
  View<T> embeddings() { return params_[block_]; }
  std::size_t offset(std::size_t node) const { return params_.block(block_).offset + node * width_; }

  struct Loss {
    double ranking = 0;  // mean of -log sigma(score of the positive - score of a negative)
    double penalty = 0;  // reg / 2n sum of |e_0|^2 over the users and items of the examples, as often as they occur
  };
  // Gives visit(node, gradient) the gradient of ranking + penalty with respect to e_0 of every node; visit may move
  // embeddings().row(node) along it. From several threads, each node once. embeddings() must not have changed but there
  // since the last call, or since refresh().
  using Visit = std::function<void(std::size_t, std::span<const T>)>;
  Loss step(const LightGcnBatch& batch, double reg, const Executor& exec, const Visit& visit);
  void refresh(const Executor& exec);

  // users and items (their nodes x d or fewer): the mean over layers 0..L of e. item_sums (as items): the sum over
  // layers 0..L-1 of z, of which a user who is no node is made: lightgcn_fold_in().
  void propagate(View<T> users, View<T> items, View<T> item_sums, const Executor& exec);

 private:
  using Nodes = std::vector<std::uint32_t>;

  void collect(const LightGcnBatch& batch);
  void forward(const Executor& exec);
  double rank(const LightGcnBatch& batch, const Executor& exec);
  void gradients(const LightGcnBatch& batch, const Executor& exec);
  void backward(double reg, std::size_t examples, const Executor& exec, const Visit& visit);
  double penalty(double reg, std::size_t examples) const;
  // z' of one node from the layer z, into out.
  void layer_of(std::size_t node, ConstView<T> z, T* out) const;
  ConstView<T> layer(std::size_t l) const { return layers_[l]; }

  const InteractionGraph& graph_;
  std::size_t width_, count_;  // columns of a row; L
  nn::ParamStore<T> params_;
  nn::BlockId block_{};
  std::vector<T> root_, inverse_;  // D^-1/2 and D^-1; zero for nodes without neighbours
  std::vector<Matrix<T>> layers_;  // forward z_0..z_(L-1); backward the same of gradients, but for z_0

  // The nodes of a batch, and where each is used: use = example (2 + m) + (0: user, 1: positive, 2..: negatives).
  Nodes batch_nodes_, slot_;  // slot_[node]: its place, or kNobody
  std::vector<std::uint64_t> use_begin_, uses_;
  Matrix<T> final_, gradient_, scaled_;  // a row a batch node: e, its gradient, D^-1/2 of that
  std::vector<T> d_positive_, d_negatives_;
};

// The vector of a user who is no node: what L layers give for e_0 = 0 and these neighbours, who do not notice. sums:
// propagate()'s item_sums; known: items that have neighbours.
void lightgcn_fold_in(ConstView<float> sums, std::span<const std::uint32_t> known, std::size_t layers,
                      std::span<float> out);

}  // namespace segue
