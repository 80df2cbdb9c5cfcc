// Dropout (Srivastava et al. 2014) with masks that depend on position: the caller hands each layer of each shard in
// each step a stream of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/linalg/view.hpp"

namespace segue::nn {

// Which elements of an n x d block are kept: one 16-bit word for each 16 columns of a row, lowest bit first.
class DropoutMask {
 public:
  // Draws the mask of a rows x cols block: each element is dropped with probability `rate`, rounded to 1/65536. A rate
  // of 0 keeps everything and draws nothing. The draws are those from the beginning of `rng`'s stream.
  void draw(std::size_t rows, std::size_t cols, double rate, Rng rng);
  // y = x / (1 - rate) where kept, else 0; y may be x. Backward is the same on gradients.
  template <class T>
  void apply(ConstView<T> x, View<T> y) const;

  // For kernels that apply it as they go. The words of a row; nullptr where everything is kept.
  const std::uint16_t* row(std::size_t r) const {
    return kept_.empty() ? nullptr : kept_.data() + r * ((cols_ + 15) / 16);
  }
  double scale() const { return scale_; }  // 1 / (1 - rate)

 private:
  std::size_t rows_ = 0, cols_ = 0;
  double scale_ = 1;
  std::vector<std::uint16_t> kept_;  // empty: all
};

}  // namespace segue::nn
