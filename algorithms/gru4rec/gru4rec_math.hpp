// The encoder of gru4rec: item vectors through layers of gated recurrent units. See README.md.
#pragma once

#include "framework/model/sequence_net.hpp"
#include "framework/nn/gru_stack.hpp"

namespace segue {

struct Gru4RecShape {
  std::size_t dims = 0, layers = 1;  // every layer has the width of the item vectors
  std::size_t bptt = 0;              // steps that a gradient goes back at most; 0: all
  double embedding_dropout = 0, hidden_dropout = 0;
};

// The blocks of the encoder, zero.
template <class T>
nn::ParamStore<T> gru4rec_weights(const Gru4RecShape& shape);
// Their first values.
template <class T>
void init_gru4rec(const Gru4RecShape& shape, nn::ParamStore<T>& weights, const Rng& rng);

template <class T>
class Gru4RecEncoder final : public SequenceEncoder<T> {
 public:
  // weights: from gru4rec_weights() of the same shape; must outlive the encoder.
  Gru4RecEncoder(const Gru4RecShape& shape, const nn::ParamStore<T>& weights);

  void forward(const PackedTokens& tokens, ConstView<T> x, View<T> h, const Rng* dropout) override;
  void backward(const PackedTokens& tokens, View<T> dh, View<T> dx, nn::ParamStore<T>& gradients) override;

 private:
  void lay_out(const PackedTokens& tokens);

  Gru4RecShape shape_;
  const nn::ParamStore<T>& weights_;
  nn::GruStack<T> stack_;
  nn::GruPass<T> pass_;
  // Of the sequences that went in last: the longest is lane 0.
  nn::GruSteps steps_;
  std::vector<std::uint32_t> lanes_;   // the sequence of a lane
  std::vector<std::uint32_t> tokens_;  // the token of a row
  nn::DropoutMask mask_;
  nn::Scratch<T> rows_, gradients_;
  View<T> x_;  // the inputs row by row, after dropout
};

}  // namespace segue
