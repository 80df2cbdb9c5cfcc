#include "framework/nn/dropout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/base/rng_block.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

// Bit i is byte i of eight bytes, each 0 or 1.
std::uint32_t bits_of(const std::uint8_t* bytes) {
  std::uint64_t all = 0;
  for (unsigned i = 0; i < 8; ++i) all |= std::uint64_t{bytes[i]} << 8 * i;  // one load
  return static_cast<std::uint32_t>(all * 0x0102040810204080u >> 56);
}

}  // namespace

void DropoutMask::draw(std::size_t rows, std::size_t cols, double rate, Rng rng) {
  SEGUE_CHECK(rate >= 0 && rate < 1, "dropout rate {}", rate);
  rows_ = rows;
  cols_ = cols;
  kept_.clear();
  const auto threshold = static_cast<std::uint16_t>(std::min(std::lround(rate * 65536), 65535l));
  scale_ = 65536.0 / (65536.0 - threshold);
  if (threshold == 0) return;
  const std::size_t words = (cols + 15) / 16;
  kept_.resize(rows * words);
  // Eight draws are the sixteen halves of a word, lower ones first.
  constexpr std::size_t kAtOnce = 32;
  std::array<std::uint32_t, 8 * kAtOnce> draws;
  std::array<std::uint8_t, 16 * kAtOnce> flags;
  for (std::size_t begin = 0; begin < kept_.size(); begin += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, kept_.size() - begin);
    draws_of(rng, 8 * begin, std::span(draws).first(8 * n));
    std::array<std::uint16_t, 16 * kAtOnce> halves;
    for (std::size_t i = 0; i < 8 * n; ++i) {
      halves[2 * i] = static_cast<std::uint16_t>(draws[i]);
      halves[2 * i + 1] = static_cast<std::uint16_t>(draws[i] >> 16);
    }
    for (std::size_t i = 0; i < 16 * n; ++i) flags[i] = halves[i] >= threshold ? 1 : 0;
    for (std::size_t i = 0; i < n; ++i)
      kept_[begin + i] = static_cast<std::uint16_t>(bits_of(&flags[16 * i]) | bits_of(&flags[16 * i + 8]) << 8);
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
