#include "framework/model/transformer_encoder.hpp"

#include <algorithm>

#include "framework/nn/lanes.hpp"
#include "framework/nn/norm.hpp"

namespace segue {

template <class T>
TransformerEncoderBlocks add_transformer_encoder(const TransformerEncoderSettings& s, nn::ParamStore<T>& store) {
  const std::size_t d = s.stack.dims;
  TransformerEncoderBlocks out;
  out.positions = store.add("positions", s.positions, d);
  if (s.mask_token) out.mask = store.add("mask", 1, d);
  if (s.input_norm) {
    out.input_gain = store.add("input_gain", 1, d);
    out.input_shift = store.add("input_shift", 1, d);
  }
  out.stack = nn::add_transformer(s.stack, store);
  if (s.head) {
    out.head = store.add("head", d, d);
    out.head_bias = store.add("head_bias", 1, d);
    out.head_gain = store.add("head_gain", 1, d);
    out.head_shift = store.add("head_shift", 1, d);
  }
  return out;
}

template <class T>
void init_transformer_encoder(const TransformerEncoderSettings& s, const TransformerEncoderBlocks& blocks,
                              nn::ParamStore<T>& store, const Rng& rng, double stddev, double dense_stddev) {
  nn::init_normal(store[blocks.positions], stddev, rng.stream("positions"));
  if (s.mask_token) nn::init_normal(store[blocks.mask], stddev, rng.stream("mask"));
  if (s.input_norm) store[blocks.input_gain].fill(1);
  nn::init_transformer(s.stack, blocks.stack, store, rng.stream("stack"), dense_stddev);
  if (!s.head) return;
  if (dense_stddev > 0)
    nn::init_normal(store[blocks.head], dense_stddev, rng.stream("head"));
  else
    nn::init_xavier(store[blocks.head], rng.stream("head"));
  store[blocks.head_gain].fill(1);
}

// y: what the stack reads. sum_ keeps what the input norm reads.
template <class T>
void TransformerEncoder<T>::read(const PackedTokens& tokens, ConstView<T> x, View<T> y, const Rng* dropout) {
  const std::size_t n = x.rows, d = x.cols;
  const View<T> sum = settings_.input_norm ? sum_.get(n, d) : y;
  nn::add_positions<T>(tokens.begins, x, static_cast<T>(settings_.scale), store_[blocks_.positions], sum);
  if (settings_.mask_token) {
    const ConstView<T> mask = store_[blocks_.mask];
    for (std::size_t t = 0; t < n; ++t)
      if (tokens.ids[t] == kMaskToken)
        for (std::size_t c = 0; c < d; ++c) sum(t, c) += mask.data[c];
  }
  if (settings_.input_norm)
    nn::layer_norm_forward<T>(sum, store_[blocks_.input_gain], store_[blocks_.input_shift], settings_.stack.epsilon, y,
                              stats_.get(n, 2));
  dropped_ = dropout != nullptr;
  if (!dropped_) return;
  input_.draw(n, d, settings_.input_dropout, dropout->stream("input"));
  input_.apply(ConstView<T>(y), y);
}

template <class T>
void TransformerEncoder<T>::head_forward(ConstView<T> x, View<T> y) {
  const View<T> hidden = hidden_.get(x.rows, x.cols), active = active_.get(x.rows, x.cols);
  nn::dense_forward<T>(x, store_[blocks_.head], store_[blocks_.head_bias], hidden);
  nn::activate<T>(nn::Activation::kGelu, hidden, active);
  nn::layer_norm_forward<T>(active, store_[blocks_.head_gain], store_[blocks_.head_shift], settings_.stack.epsilon, y,
                            head_stats_.get(x.rows, 2));
}

template <class T>
void TransformerEncoder<T>::forward(const PackedTokens& tokens, ConstView<T> x, View<T> h, const Rng* dropout) {
  const View<T> in = in_.get(x.rows, x.cols);
  read(tokens, x, in, dropout);
  if (!settings_.head) return stack_.forward(tokens.begins, in, h, dropout);
  const View<T> out = out_.get(x.rows, x.cols);
  stack_.forward(tokens.begins, in, out, dropout);
  head_forward(out, h);
}

template <class T>
void TransformerEncoder<T>::backward(const PackedTokens& tokens, View<T> dh, View<T> dx, nn::ParamStore<T>& gradients) {
  const std::size_t n = dh.rows, d = dh.cols;
  const View<T> d_in = d_.get(n, d);
  if (settings_.head) {
    nn::layer_norm_backward<T>(active_.get(n, d), store_[blocks_.head_gain], head_stats_.get(n, 2), dh, dh,
                               gradients[blocks_.head_gain], gradients[blocks_.head_shift]);
    nn::activate_backward<T>(nn::Activation::kGelu, hidden_.get(n, d), dh, dh);
    nn::dense_backward_params<T>(out_.get(n, d), dh, gradients[blocks_.head], gradients[blocks_.head_bias]);
    nn::dense_backward_input<T>(dh, store_[blocks_.head], dx);
    std::swap(dh, dx);
    stack_.backward(tokens.begins, dh, d_in, gradients);
    std::swap(dh, dx);
  } else {
    stack_.backward(tokens.begins, dh, d_in, gradients);
  }
  if (dropped_) input_.apply(ConstView<T>(d_in), d_in);
  if (settings_.input_norm)
    nn::layer_norm_backward<T>(sum_.get(n, d), store_[blocks_.input_gain], stats_.get(n, 2), d_in, d_in,
                               gradients[blocks_.input_gain], gradients[blocks_.input_shift]);
  if (settings_.mask_token) {
    const View<T> mask = gradients[blocks_.mask];
    for (std::size_t t = 0; t < n; ++t)
      if (tokens.ids[t] == kMaskToken)
        for (std::size_t c = 0; c < d; ++c) mask.data[c] += d_in(t, c);
  }
  nn::add_positions_backward<T>(tokens.begins, d_in, static_cast<T>(settings_.scale), dx, gradients[blocks_.positions]);
}

template <class T>
void TransformerEncoder<T>::last_state(const PackedTokens& tokens, ConstView<T> x, std::span<T> out) {
  const View<T> in = in_.get(x.rows, x.cols), to(out.data(), 1, out.size());
  read(tokens, x, in, nullptr);
  if (!settings_.head) return stack_.forward_last(in, to);
  const View<T> state = out_.get(1, x.cols);
  stack_.forward_last(in, state);
  head_forward(state, to);
}

#define SEGUE_INSTANTIATE(T)                                                                                        \
  template TransformerEncoderBlocks add_transformer_encoder(const TransformerEncoderSettings&, nn::ParamStore<T>&); \
  template void init_transformer_encoder(const TransformerEncoderSettings&, const TransformerEncoderBlocks&,        \
                                         nn::ParamStore<T>&, const Rng&, double, double);                           \
  template class TransformerEncoder<T>;
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue
