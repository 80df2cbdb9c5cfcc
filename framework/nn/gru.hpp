// Gated recurrent units over packed sequences: Cho et al. 2014, "Learning phrase representations using RNN
// encoder-decoder for statistical machine translation", eq. 5-8, with the reset gate on the hidden product, as cuDNN
// and PyTorch have it:
//   r = sigma(x Wr + h Ur + br)    z = sigma(x Wz + h Uz + bz)
//   n = tanh(x Wn + bn + r * (h Un + cn))    h' = n + z * (h - n)
//
// Rows are packed in time-major order: those of step t follow those of step t - 1, lane by lane. So the products of the
// inputs are one for all steps, and those of the states one a step over the lanes that are still running. A lane may
// hold several sequences, one after the other. Cost: 6 h (in + h) flop a row forwards, twice that backwards.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/linalg/view.hpp"
#include "framework/nn/param_store.hpp"
#include "framework/nn/scratch.hpp"

namespace segue::nn {

// Which rows belong to which step.
struct GruSteps {
  // Step t has the rows [begin[t], begin[t + 1]), lane 0 first, and no more of them than step t - 1.
  std::vector<std::size_t> begin{0};
  std::vector<std::uint8_t>
      restarts;  // a row: 1 where a sequence begins, so that its lane's state is zero; empty: none
  // Truncated back-propagation through time (Williams & Peng 1990): states go on from step to step, but no gradient
  // goes back from a step that is a multiple of this. 0: gradients go through all steps.
  std::size_t chunk = 0;

  std::size_t count() const { return begin.size() - 1; }
  std::size_t rows() const { return begin.back(); }
  std::size_t lanes(std::size_t t) const { return begin[t + 1] - begin[t]; }
  bool restarts_at(std::size_t row) const { return !restarts.empty() && restarts[row] != 0; }
  bool returns_gradients(std::size_t t) const { return chunk == 0 || t % chunk != 0; }  // to step t - 1
};

// The blocks of a layer of width h, or their gradients. The order of the columns is what lets each product write its
// part of the gates in one piece.
template <class T>
struct GruBlocks {
  View<T> input;   // in x 3h: Wn, Wr, Wz
  View<T> hidden;  // h x 3h: Ur, Uz, Un
  View<T> bias;    // 1 x 4h: bn, br, bz, cn

  std::size_t width() const { return hidden.rows; }
  operator GruBlocks<const T>() const requires(!std::is_const_v<T>) { return {input, hidden, bias}; }
};

// Where a layer's blocks are in a store.
struct GruIds {
  BlockId input, hidden, bias;
};
// Declares "<name>.input", "<name>.hidden" and "<name>.bias".
template <class T>
GruIds add_gru(ParamStore<T>& store, const std::string& name, std::size_t in, std::size_t width);
template <class T>
GruBlocks<T> gru_blocks(ParamStore<T>& store, const GruIds& ids);
template <class T>
GruBlocks<const T> gru_blocks(const ParamStore<T>& store, const GruIds& ids);
// Each gate's matrices uniform as in init_xavier(), biases zero: Hidasi et al. 2016.
template <class T>
void init_gru(const GruBlocks<T>& blocks, Rng rng);

// What forward leaves to backward, and backward to the parameters' gradients; reused from batch to batch.
template <class T>
struct GruCache {
  View<T> gates;     // rows x 4h: n, r, z, h Un + cn; after backward the gradients of their sums
  View<T> previous;  // rows x h: the states that the steps began with
  View<T> carried;   // lanes x h: gradients of states on their way back

  void reserve(std::size_t rows, std::size_t lanes, std::size_t width) {
    gates = gates_.get(rows, 4 * width);
    previous = previous_.get(rows, width);
    carried = carried_.get(lanes, width);
  }

 private:
  Scratch<T> gates_, previous_, carried_;
};

// h (rows x h) from x (rows x in). initial: the lanes' states before the first step, at least lanes(0) x h, or no rows
// for zeros. One step is a GRU cell.
template <class T>
void gru_forward(ConstView<T> x, const GruSteps& steps, ConstView<T> initial, const GruBlocks<const T>& w, View<T> h,
                 GruCache<T>& cache);

// The weights transposed: input_t 3h x in, hidden_t 3h x h.
template <class T>
struct GruTransposed {
  ConstView<T> input, hidden;
};

// The gradients of all inputs and states: dx (rows x in, or no rows where nobody asks) and dinitial
// (lanes(0) x h, or no rows) are set. Once after each forward: the cache's gates become their gradients.
template <class T>
void gru_backward_input(ConstView<T> dh, const GruSteps& steps, const GruTransposed<T>& w, View<T> dx, View<T> dinitial,
                        GruCache<T>& cache);
// After it: adds to the gradients of the parameters.
template <class T>
void gru_backward_params(ConstView<T> x, const GruCache<T>& cache, const GruBlocks<T>& d);

}  // namespace segue::nn
