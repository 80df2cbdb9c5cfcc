// The encoder of SASRec and BERT4Rec: item vectors with positions, through a stack of transformer blocks.
#pragma once

#include <memory>
#include <vector>

#include "framework/model/sequence_net.hpp"
#include "framework/nn/transformer.hpp"

namespace segue {

struct TransformerEncoderSettings {
  nn::TransformerSettings stack;
  std::size_t positions = 0;  // the longest sequence
  double scale = 1;           // of item vectors before positions are added
  double input_dropout = 0;   // on their sum
  bool input_norm = false;    // layer norm of the sum
  bool mask_token = false;    // kMaskToken has a vector
  bool head = false;          // states = layer norm(GELU(h W + b)) of what the stack gives
};

// Its weights besides those of the stack.
struct TransformerEncoderBlocks {
  nn::TransformerBlocks stack;
  nn::BlockId positions{}, mask{}, input_gain{}, input_shift{};
  nn::BlockId head{}, head_bias{}, head_gain{}, head_shift{};
};

template <class T>
TransformerEncoderBlocks add_transformer_encoder(const TransformerEncoderSettings& settings, nn::ParamStore<T>& store);
// First values: stddev of positions and mask, and of the dense weights where dense_stddev > 0 (else Glorot & Bengio's).
template <class T>
void init_transformer_encoder(const TransformerEncoderSettings& settings, const TransformerEncoderBlocks& blocks,
                              nn::ParamStore<T>& store, const Rng& rng, double stddev, double dense_stddev = 0);

template <class T>
class TransformerEncoder final : public SequenceEncoder<T> {
 public:
  TransformerEncoder(const TransformerEncoderSettings& settings, const TransformerEncoderBlocks& blocks,
                     const nn::ParamStore<T>& store)
      : settings_(settings), blocks_(blocks), store_(store), stack_(settings.stack, blocks.stack, store) {}

  void forward(const PackedTokens& tokens, ConstView<T> x, View<T> h, const Rng* dropout) override;
  void backward(const PackedTokens& tokens, View<T> dh, View<T> dx, nn::ParamStore<T>& gradients) override;
  void last_state(const PackedTokens& tokens, ConstView<T> x, std::span<T> out) override;

 private:
  void read(const PackedTokens& tokens, ConstView<T> x, View<T> y, const Rng* dropout);
  void head_forward(ConstView<T> x, View<T> y);

  TransformerEncoderSettings settings_;
  TransformerEncoderBlocks blocks_;
  const nn::ParamStore<T>& store_;
  nn::Transformer<T> stack_;
  bool dropped_ = false;
  nn::DropoutMask input_;
  nn::Scratch<T> in_, sum_, stats_, out_, hidden_, active_, head_stats_, d_;
};

}  // namespace segue
