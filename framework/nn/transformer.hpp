// A stack of transformer blocks over packed sequences: attention and a position-wise network of two layers, each with a
// residual connection, normalised before (y = x + f(norm(x)), a last norm at the end) or after (y = norm(x + f(x))) as
// in Xiong et al. 2020, "On layer normalization in the transformer architecture".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/nn/attention.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/param_store.hpp"

namespace segue::nn {

enum class NormPlace { kPre, kPost };

struct TransformerSettings {
  std::size_t dims = 0, heads = 1, blocks = 0;
  std::size_t inner = 0;  // units of the position-wise network
  bool causal = true;
  NormPlace norm = NormPlace::kPre;
  Activation activation = Activation::kRelu;
  double epsilon = 1e-8;  // of the norms
  // Rates of dropout: on attention probabilities, on what attention gives, on the position-wise network's inner and
  // last layer.
  double attention_dropout = 0, residual_dropout = 0, inner_dropout = 0, output_dropout = 0;
};

// The weights of a stack in a store.
struct TransformerBlocks {
  struct Block {
    BlockId qkv, qkv_bias, projection, projection_bias;  // d x 3d, 1 x 3d, d x d, 1 x d
    BlockId inner, inner_bias, outer, outer_bias;        // d x f, 1 x f, f x d, 1 x d
    BlockId gain1, shift1, gain2, shift2;                // of attention's norm and the network's, 1 x d
  };
  std::vector<Block> blocks;
  BlockId last_gain{}, last_shift{};  // kPre
};

// Declares them: "block1.qkv" and so on.
template <class T>
TransformerBlocks add_transformer(const TransformerSettings& settings, ParamStore<T>& store);
// Weights by Glorot & Bengio's uniform distribution (each of the d x d parts of qkv by itself), or normal where
// stddev > 0; gains 1, the rest 0.
template <class T>
void init_transformer(const TransformerSettings& settings, const TransformerBlocks& blocks, ParamStore<T>& store,
                      const Rng& rng, double stddev = 0);

// Scratch and what backward needs, for one shard after another.
template <class T>
class Transformer {
 public:
  // store must outlive it.
  Transformer(const TransformerSettings& settings, const TransformerBlocks& blocks, const ParamStore<T>& store)
      : settings_(settings), blocks_(blocks), store_(store), layers_(settings.blocks) {}

  // y (n x d) of x (n x d). dropout: the stream of this shard in this step; nullptr: none.
  void forward(std::span<const std::uint32_t> begins, ConstView<T> x, View<T> y, const Rng* dropout);
  // dy becomes scratch, dx is set, the gradients of the weights are added to.
  void backward(std::span<const std::uint32_t> begins, View<T> dy, View<T> dx, ParamStore<T>& gradients);
  // The last row of forward() for one sequence, without dropout, the same bits; y: 1 x d.
  void forward_last(ConstView<T> x, View<T> y);

 private:
  struct Layer {  // n rows each
    Scratch<T> x, normed, qkv, mixed, middle, middle_normed, hidden, active;
    Scratch<T> stats1, stats2;
    DropoutMask projection, inner, output;
    AttentionCache<T> attention;
  };
  using Block = TransformerBlocks::Block;
  View<T> at(Scratch<T>& memory, std::size_t cols) const { return memory.get(rows_, cols); }
  void block_forward(Layer& layer, const Block& block, std::size_t number, std::span<const std::uint32_t> begins,
                     View<T> x, View<T> y, const Rng* dropout);
  void block_backward(Layer& layer, const Block& block, std::span<const std::uint32_t> begins, View<T> dy, View<T> dx,
                      ParamStore<T>& gradients);
  void feed_forward(Layer& layer, const Block& block, ConstView<T> x, View<T> y);

  TransformerSettings settings_;
  TransformerBlocks blocks_;
  const ParamStore<T>& store_;
  std::vector<Layer> layers_;
  std::size_t rows_ = 0;
  bool dropped_ = false;
  Scratch<T> last_x_, last_stats_, d_qkv_, d_mixed_, d_inner_, d_normed_;
};

// y = scale x + the vector of each token's position; positions: most x d. The last token of a sequence has the last
// position whatever the sequence's length, at most `most`, so that a position says how long ago.
template <class T>
void add_positions(std::span<const std::uint32_t> begins, ConstView<T> x, T scale, ConstView<T> positions, View<T> y);
// dx = scale dy, and dpositions is added to.
template <class T>
void add_positions_backward(std::span<const std::uint32_t> begins, ConstView<T> dy, T scale, View<T> dx,
                            View<T> dpositions);

}  // namespace segue::nn
