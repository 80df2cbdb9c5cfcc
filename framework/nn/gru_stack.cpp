#include "framework/nn/gru_stack.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"

namespace segue::nn {

template <class T>
GruStack<T>::GruStack(ParamStore<T>& store, const std::string& name, std::size_t in, std::size_t width,
                      std::size_t layers)
    : width_(width), input_t_(layers), hidden_t_(layers) {
  for (std::size_t l = 0; l < layers; ++l)
    ids_.push_back(add_gru(store, name + std::to_string(l), l == 0 ? in : width, width));
}

template <class T>
void GruStack<T>::init(ParamStore<T>& store, Rng rng) const {
  for (std::size_t l = 0; l < layers(); ++l) init_gru(gru_blocks(store, ids_[l]), rng.stream("gru", l));
}

template <class T>
void GruStack<T>::transpose(const ParamStore<T>& store) {
  const auto copy = [](ConstView<T> from, Matrix<T>& to) {
    to.resize(static_cast<Eigen::Index>(from.cols), static_cast<Eigen::Index>(from.rows));
    segue::transpose<T>(from, to);
  };
  for (std::size_t l = 0; l < layers(); ++l) {
    const GruBlocks<const T> w = gru_blocks(store, ids_[l]);
    copy(w.input, input_t_[l]);
    copy(w.hidden, hidden_t_[l]);
  }
}

template <class T>
ConstView<T> GruPass<T>::forward(const GruStack<T>& stack, const ParamStore<T>& store, ConstView<T> x,
                                 const GruSteps& steps, std::vector<Matrix<T>>& states, double dropout,
                                 const Rng& rng) {
  SEGUE_CHECK(states.empty() || states.size() == stack.layers(), "states of {} layers for {}", states.size(),
              stack.layers());
  layers_.resize(stack.layers());
  for (std::size_t l = 0; l < stack.layers(); ++l) {
    Layer& layer = layers_[l];
    layer.states = layer.states_memory.get(x.rows, stack.width());
    const ConstView<T> initial = states.empty() ? ConstView<T>() : ConstView<T>(View<T>(states[l]));
    gru_forward<T>(x, steps, initial, gru_blocks(store, stack.ids(l)), layer.states, layer.cache);
    for (std::size_t t = steps.count(); t-- > 0 && !states.empty();) {
      // Lanes that the next step no longer has end here.
      for (std::size_t lane = t + 1 < steps.count() ? steps.lanes(t + 1) : 0; lane < steps.lanes(t); ++lane)
        std::copy_n(layer.states.row(steps.begin[t] + lane), stack.width(), View<T>(states[l]).row(lane));
    }
    layer.mask.draw(x.rows, stack.width(), dropout, rng.stream("dropout", l));
    layer.out = dropout > 0 ? layer.out_memory.get(x.rows, stack.width()) : layer.states;
    if (dropout > 0) layer.mask.apply(ConstView<T>(layer.states), layer.out);
    x = layer.out;
  }
  return x;
}

template <class T>
void GruPass<T>::backward(const GruStack<T>& stack, ConstView<T> dout, const GruSteps& steps, View<T> dx) {
  const View<T> d_states = gradient_.get(dout.rows, stack.width()), d_in = other_.get(dout.rows, stack.width());
  for (std::size_t l = stack.layers(); l-- > 0;) {
    layers_[l].mask.apply(dout, d_states);
    gru_backward_input(ConstView<T>(d_states), steps, stack.transposed(l), l > 0 ? d_in : dx, View<T>(),
                       layers_[l].cache);
    dout = d_in;
  }
}

template <class T>
void GruPass<T>::add_params(const GruStack<T>& stack, ConstView<T> x, ParamStore<T>& gradients) const {
  for (std::size_t l = 0; l < stack.layers(); ++l) {
    gru_backward_params(x, layers_[l].cache, gru_blocks(gradients, stack.ids(l)));
    x = layers_[l].out;
  }
}

template class GruStack<float>;
template class GruStack<double>;
template class GruPass<float>;
template class GruPass<double>;

}  // namespace segue::nn
