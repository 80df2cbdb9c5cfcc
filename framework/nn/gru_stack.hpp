// Layers of gated recurrent units one above the other, with dropout on what each hands on (Hidasi et al. 2016,
// "Session-based recommendations with recurrent neural networks", section 3), for sequences longer than one batch:
// states are carried from a batch to the next without a gradient.
#pragma once

#include <vector>

#include "framework/nn/dropout.hpp"
#include "framework/nn/gru.hpp"

namespace segue::nn {

// Parameters and their transposed copies. All layers have one width.
template <class T>
class GruStack {
 public:
  // Declares the blocks "<name>0.input" and so on. in: columns of the inputs of the lowest layer.
  GruStack(ParamStore<T>& store, const std::string& name, std::size_t in, std::size_t width, std::size_t layers);
  void init(ParamStore<T>& store, Rng rng) const;
  // Takes over the weights for backward passes: after every change of theirs.
  void transpose(const ParamStore<T>& store);

  std::size_t layers() const { return ids_.size(); }
  std::size_t width() const { return width_; }
  const GruIds& ids(std::size_t layer) const { return ids_[layer]; }
  GruTransposed<T> transposed(std::size_t layer) const { return {input_t_[layer], hidden_t_[layer]}; }

 private:
  std::size_t width_;
  std::vector<GruIds> ids_;
  std::vector<Matrix<T>> input_t_, hidden_t_;  // a layer
};

// The passes of one shard, one after the other.
template <class T>
class GruPass {
 public:
  // The outputs of the topmost layer, rows x width, valid until the next forward(). states: of each layer, lanes(0) x
  // width or more, moved on to the lanes' last rows; empty: every lane begins at zero. rng: this shard's in this step,
  // of which each layer's mask has a stream.
  ConstView<T> forward(const GruStack<T>& stack, const ParamStore<T>& store, ConstView<T> x, const GruSteps& steps,
                       std::vector<Matrix<T>>& states, double dropout, const Rng& rng);
  // dout: rows x width. dx: rows x in, set.
  void backward(const GruStack<T>& stack, ConstView<T> dout, const GruSteps& steps, View<T> dx);
  // After it: adds to the layers' gradients. x: as it went in.
  void add_params(const GruStack<T>& stack, ConstView<T> x, ParamStore<T>& gradients) const;

 private:
  struct Layer {
    GruCache<T> cache;
    DropoutMask mask;
    View<T> states, out;  // before and after dropout
    Scratch<T> states_memory, out_memory;
  };
  std::vector<Layer> layers_;
  Scratch<T> gradient_, other_;
};

}  // namespace segue::nn
