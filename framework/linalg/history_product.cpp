#include "framework/linalg/history_product.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

PackedSquare::PackedSquare(const Matrix<float>& square) : PackedSquare(static_cast<std::size_t>(square.rows())) {
  SEGUE_CHECK(square.rows() == square.cols(), "item weights of {} x {}", square.rows(), square.cols());
  for (std::size_t r = 0; r < n_; ++r)
    for (std::size_t c = 0; c < n_; ++c) at(r, c) = square.data()[r * n_ + c];
}

Matrix<float> PackedSquare::unpacked() const {
  Matrix<float> out(static_cast<Eigen::Index>(n_), static_cast<Eigen::Index>(n_));
  for (std::size_t r = 0; r < n_; ++r)
    for (std::size_t c = 0; c < n_; ++c) out.data()[r * n_ + c] = at(r, c);
  return out;
}

void PackedSquare::multiply(std::span<const WeightedItems> rows, MatRef<float> out) const {
  SEGUE_CHECK(static_cast<std::size_t>(out.rows()) == rows.size() && static_cast<std::size_t>(out.cols()) == n_,
              "scores of {} x {} for {} x {}", out.rows(), out.cols(), rows.size(), n_);
  constexpr std::size_t kParts = kPanel / Lanes::kCount;
  for (std::size_t begin = 0; begin < n_; begin += kPanel) {
    const float* panel = panels_.data() + begin * n_;
    const std::size_t width = std::min(kPanel, n_ - begin);
    for (std::size_t q = 0; q < rows.size(); ++q) {
      Lanes acc[kParts];
      for (Lanes& part : acc) part = Lanes::zero();
      for (std::size_t p = 0; p < rows[q].items.size(); ++p) {
        const float* row = panel + raw(rows[q].items[p]) * kPanel;
        const Lanes weight = Lanes::all(rows[q].weights[p]);
        for (std::size_t v = 0; v < kParts; ++v) acc[v] = fma(weight, Lanes::load(row + v * Lanes::kCount), acc[v]);
      }
      float sums[kPanel];
      for (std::size_t v = 0; v < kParts; ++v) acc[v].store(sums + v * Lanes::kCount);
      std::copy_n(sums, width, out.data() + q * static_cast<std::size_t>(out.outerStride()) + begin);
    }
  }
}

void PackedSquare::multiply_columns(const WeightedItems& row, std::span<const ItemIdx> candidates,
                                    std::span<float> out) const {
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    float sum = 0;
    for (std::size_t p = 0; p < row.items.size(); ++p)
      sum = std::fma(row.weights[p], at(raw(row.items[p]), raw(candidates[c])), sum);
    out[c] = sum;
  }
}

}  // namespace segue
