#include "algorithms/gru4rec/gru4rec_math.hpp"

#include <algorithm>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

template <class T>
nn::GruStack<T> declare(const Gru4RecShape& shape, nn::ParamStore<T>& store) {
  return {store, "gru", shape.dims, shape.dims, shape.layers};
}

template <class T>
nn::GruStack<T> stack_of(const Gru4RecShape& shape, const nn::ParamStore<T>& weights) {
  nn::ParamStore<T> same;
  nn::GruStack<T> stack = declare(shape, same);
  SEGUE_CHECK(same.size() == weights.size(), "{} weights for an encoder that has {}", weights.size(), same.size());
  return stack;
}

}  // namespace

template <class T>
nn::ParamStore<T> gru4rec_weights(const Gru4RecShape& shape) {
  nn::ParamStore<T> store;
  declare(shape, store);
  return store;
}

template <class T>
void init_gru4rec(const Gru4RecShape& shape, nn::ParamStore<T>& weights, const Rng& rng) {
  stack_of<T>(shape, weights).init(weights, rng);
}

template <class T>
Gru4RecEncoder<T>::Gru4RecEncoder(const Gru4RecShape& shape, const nn::ParamStore<T>& weights)
    : shape_(shape), weights_(weights), stack_(stack_of<T>(shape, weights)) {}

template <class T>
void Gru4RecEncoder<T>::lay_out(const PackedTokens& tokens) {
  const auto length = [&](std::uint32_t s) { return tokens.begins[s + 1] - tokens.begins[s]; };
  lanes_.resize(tokens.sequences());
  std::iota(lanes_.begin(), lanes_.end(), 0u);
  std::stable_sort(lanes_.begin(), lanes_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return length(a) > length(b); });
  steps_.begin.assign(1, 0);
  steps_.chunk = shape_.bptt;
  tokens_.clear();
  std::size_t running = lanes_.size();
  for (std::uint32_t t = 0;; ++t) {
    while (running > 0 && length(lanes_[running - 1]) <= t) --running;
    if (running == 0) break;
    for (std::size_t lane = 0; lane < running; ++lane) tokens_.push_back(tokens.begins[lanes_[lane]] + t);
    steps_.begin.push_back(tokens_.size());
  }
}

template <class T>
void Gru4RecEncoder<T>::forward(const PackedTokens& tokens, ConstView<T> x, View<T> h, const Rng* dropout) {
  lay_out(tokens);
  x_ = rows_.get(x.rows, x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(x.row(tokens_[r]), x.cols, x_.row(r));
  const Rng rng = dropout == nullptr ? Rng(0) : *dropout;
  mask_.draw(x.rows, x.cols, dropout == nullptr ? 0 : shape_.embedding_dropout, rng.stream("embedding"));
  mask_.apply(ConstView<T>(x_), x_);
  std::vector<Matrix<T>> from_zero;
  const ConstView<T> out = pass_.forward(stack_, weights_, ConstView<T>(x_), steps_, from_zero,
                                         dropout == nullptr ? 0 : shape_.hidden_dropout, rng);
  for (std::size_t r = 0; r < out.rows; ++r) std::copy_n(out.row(r), out.cols, h.row(tokens_[r]));
}

template <class T>
void Gru4RecEncoder<T>::backward(const PackedTokens& tokens, View<T> dh, View<T> dx, nn::ParamStore<T>& gradients) {
  SEGUE_CHECK(dh.rows == steps_.rows() && tokens.sequences() == lanes_.size(), "{} gradients for {} tokens", dh.rows,
              steps_.rows());
  stack_.transpose(weights_);
  const View<T> d = gradients_.get(dh.rows, dh.cols);
  for (std::size_t r = 0; r < d.rows; ++r) std::copy_n(dh.row(tokens_[r]), d.cols, d.row(r));
  const View<T> d_in = dh;  // row by row from here on
  pass_.backward(stack_, ConstView<T>(d), steps_, d_in);
  pass_.add_params(stack_, ConstView<T>(x_), gradients);
  mask_.apply(ConstView<T>(d_in), d_in);
  for (std::size_t r = 0; r < d.rows; ++r) std::copy_n(d_in.row(r), d.cols, dx.row(tokens_[r]));
}

#define SEGUE_INSTANTIATE(T)                                                       \
  template nn::ParamStore<T> gru4rec_weights(const Gru4RecShape&);                 \
  template void init_gru4rec(const Gru4RecShape&, nn::ParamStore<T>&, const Rng&); \
  template class Gru4RecEncoder<T>;
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue
