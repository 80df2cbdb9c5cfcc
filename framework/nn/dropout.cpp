#include "framework/nn/dropout.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

void DropoutMask::draw(std::size_t rows, std::size_t cols, double rate, Rng rng) {
  SEGUE_CHECK(rate >= 0 && rate < 1, "dropout rate {}", rate);
  rows_ = rows;
  cols_ = cols;
  kept_.clear();
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 65536));
  scale_ = 65536.0 / (65536.0 - threshold);
  if (threshold == 0) return;
  const std::size_t words = (cols + 15) / 16;
  kept_.resize(rows * words);
  for (std::uint16_t& word : kept_) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 16; i += 2) {
      const std::uint32_t two = rng.next_u32();
      bits |= ((two & 0xffffu) >= threshold ? 1u : 0u) << i;
      bits |= ((two >> 16) >= threshold ? 1u : 0u) << (i + 1);
    }
    word = static_cast<std::uint16_t>(bits);
  }
}

template <class T>
void DropoutMask::apply(ConstView<T> x, View<T> y) const {
  SEGUE_CHECK(x.rows == rows_ && x.cols == cols_ && y.rows == rows_ && y.cols == cols_, "dropout of {}x{} on {}x{}",
              rows_, cols_, x.rows, x.cols);
  if (kept_.empty()) {
    if (x.data != y.data)
      for (std::size_t r = 0; r < rows_; ++r) std::copy_n(x.row(r), cols_, y.row(r));
    return;
  }
  const std::size_t words = (cols_ + 15) / 16;
  for (std::size_t r = 0; r < rows_; ++r) {
    const std::uint16_t* kept = kept_.data() + r * words;
    for_parts<T>(cols_, [&](auto part) {
      if constexpr (std::is_same_v<T, float>) {
        const Lanes scaled = part.load(x.row(r)) * Lanes::all(static_cast<float>(scale_));
        part.store(y.row(r), scaled.without(~std::uint32_t{kept[part.at / 16]} & 0xffffu));
      } else {
        y(r, part.at) = kept[part.at / 16] >> part.at % 16 & 1 ? x(r, part.at) * scale_ : 0;
      }
    });
  }
}

template void DropoutMask::apply(ConstView<float>, View<float>) const;
template void DropoutMask::apply(ConstView<double>, View<double>) const;

}  // namespace segue::nn
