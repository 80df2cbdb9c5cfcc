// A network over sequences of items: a table of item vectors, an encoder from the vectors of a sequence to one state a
// position, and a loss of states against items. Here is what such networks share: how a batch is cut so that its
// gradients have the same bits for any number of threads, and how they come together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/model/sequence_loss.hpp"
#include "framework/nn/param_store.hpp"

namespace segue {

// Stands for an item that the encoder is not shown: its vector is the encoder's own.
inline constexpr std::uint32_t kMaskToken = 0xfffffffeu;

// Sequences one after the other, without padding: sequence s has tokens [begins[s], begins[s + 1]) of ids.
struct PackedTokens {
  std::span<const std::uint32_t> begins;  // sequences + 1
  std::span<const std::uint32_t> ids;     // items, or kMaskToken
  std::size_t sequences() const { return begins.size() - 1; }
};

// One shard's encoder: scratch, and a view of the weights. Used by one thread at a time.
template <class T>
class SequenceEncoder {
 public:
  virtual ~SequenceEncoder() = default;
  // States h (n x d) of tokens whose item vectors are x (n x d; zero for kMaskToken). dropout: the generator of this
  // shard in this step; nullptr: no dropout. A sequence's states do not depend on the other sequences.
  virtual void forward(const PackedTokens& tokens, ConstView<T> x, View<T> h, const Rng* dropout) = 0;
  // Of the last forward(): dh becomes scratch, dx (n x d) is set, gradients of the weights are added.
  virtual void backward(const PackedTokens& tokens, View<T> dh, View<T> dx, nn::ParamStore<T>& gradients) = 0;
  // The last state of one sequence, without dropout. Override it where that is cheaper than all states.
  virtual void last_state(const PackedTokens& tokens, ConstView<T> x, std::span<T> out);
};

// What a step learns from.
struct SequenceBatch {
  std::vector<std::uint32_t> begins;                 // sequences + 1
  std::vector<std::uint32_t> inputs, targets;        // one a token; kMaskToken, kNoTarget
  std::vector<std::uint32_t> negatives;              // tokens x k; or for the whole batch, ascending, each once
  std::vector<std::uint32_t> negative_counts;        // of those: how often each was drawn; empty: once
  std::vector<std::uint32_t> hidden_begins, hidden;  // see ItemExamples
  // Of shared negatives as they were drawn: sorts them and counts each.
  void count_negatives();
  std::size_t tokens() const { return inputs.size(); }
  std::size_t sequences() const { return begins.empty() ? 0 : begins.size() - 1; }
};

struct SequenceShape {
  std::size_t items = 0, dims = 0;
  bool bias = false;  // of an item's score
};

template <class T>
class SequenceNet {
 public:
  using MakeEncoder = std::function<std::unique_ptr<SequenceEncoder<T>>(const nn::ParamStore<T>& weights)>;

  // weights: those of the encoder, which becomes the net's. The item table begins with zeros.
  SequenceNet(const SequenceShape& shape, const ItemLossSettings& loss, nn::ParamStore<T> weights,
              const MakeEncoder& make_encoder);
  SequenceNet(const SequenceNet&) = delete;
  SequenceNet& operator=(const SequenceNet&) = delete;

  // "items": items x d, read as inputs and compared with as outputs; "bias": items x 1, if there is one.
  nn::ParamStore<T>& items() { return items_; }
  const nn::ParamStore<T>& items() const { return items_; }
  nn::ParamStore<T>& weights() { return weights_; }
  const nn::ParamStore<T>& weights() const { return weights_; }
  nn::BlockId vectors() const { return vectors_; }
  nn::BlockId bias() const { return bias_; }
  const SequenceShape& shape() const { return shape_; }
  const ItemLossSettings& loss() const { return loss_; }

  // Mean loss over the batch's targets, and its gradients. log_q: see ItemSide. dropout: nullptr for none.
  double gradients(const SequenceBatch& batch, std::span<const float> log_q, const Rng* dropout, const Executor& exec);

  // Those gradients. Full softmax: of "items" and "bias" in dense() alone, which then has the item table's layout.
  nn::ParamStore<T>& weight_gradients() { return total_.weights; }
  nn::RowGradients<T>& row_gradients() { return total_.items.rows; }
  nn::RowGradients<T>& bias_gradients() { return total_.items.bias; }
  bool is_dense() const { return !uses_negatives(loss_.loss); }
  nn::ParamStore<T>& dense_gradients() { return dense_; }

  // The last state of a sequence. Thread-safe.
  void last_state(std::span<const std::uint32_t> ids, std::span<T> out) const;

 private:
  struct Sums {
    Sums(const SequenceShape& shape, const nn::ParamStore<T>& like)
        : weights(like.zeros_like()), items(shape.items, shape.dims, shape.bias) {}
    nn::ParamStore<T> weights;
    ItemGradients<T> items;
    double loss = 0;
  };
  struct Shard {
    Shard(const SequenceShape& shape, const nn::ParamStore<T>& like, std::unique_ptr<SequenceEncoder<T>> its_encoder)
        : sums(shape, like), encoder(std::move(its_encoder)) {}
    Sums sums;
    std::unique_ptr<SequenceEncoder<T>> encoder;
    ItemLoss<T> loss;
    // Of the chunk that went through last: its tokens, and which of them have a target.
    View<T> x, h, dh, dx;
    PackedTokens tokens;
    std::vector<std::uint32_t> begins, which, targets, sequence, negatives;
    nn::Scratch<T> x_memory, h_memory, dh_memory, dx_memory, some_h, some_dh;
  };

  void cut(const SequenceBatch& batch, std::size_t chunk_tokens);
  std::size_t chunks() const { return chunks_.size() - 1; }
  void make_shards(std::size_t n);
  void clear(Sums& sums, std::size_t pool, bool shard) const;
  void run(Shard& shard, const SequenceBatch& batch, const ItemSide<T>& side, std::size_t chunk, T scale,
           const Rng* dropout) const;
  void encode(Shard& shard, const SequenceBatch& batch, std::size_t chunk, const Rng* dropout) const;
  void go_back(Shard& shard) const;
  void run_pooled(const SequenceBatch& batch, const ItemSide<T>& side, std::size_t targets, T scale, const Rng* dropout,
                  const Executor& exec);
  void gather_inputs(std::span<const std::uint32_t> ids, View<T> x) const;
  void add_shards(std::span<const std::unique_ptr<Shard>> shards, const Executor& exec);
  void fold(std::span<const std::unique_ptr<Shard>> shards, std::span<const std::uint32_t> pool, const Executor& exec);

  SequenceShape shape_;
  ItemLossSettings loss_;
  nn::ParamStore<T> items_, weights_;
  nn::BlockId vectors_{}, bias_{};
  MakeEncoder make_encoder_;
  std::vector<std::unique_ptr<Shard>> shards_;
  PoolLoss<T> pool_loss_;
  nn::Scratch<T> states_, d_states_, d_targets_;  // all states that have a target
  Sums total_;
  nn::ParamStore<T> dense_;                // full softmax: the item table's gradients
  Matrix<T> turned_, pool_, pool_turned_;  // item vectors transposed; those of the shared negatives
  std::vector<std::uint32_t> chunks_;      // chunk c has sequences [chunks_[c], chunks_[c + 1])

  struct Spare;  // encoders for last_state()
  std::shared_ptr<Spare> spare_;
};

}  // namespace segue
