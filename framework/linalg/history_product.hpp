// x B for sparse rows x (histories) and a dense B (items x items): the scoring kernel of ease.
//
// Each score is one chain of fused multiply-adds over the history in its order, SIMD lanes running across items; so a
// query alone, in a batch, and a list of candidates give the same bits. B lies in panels of 64 columns, each of which
// (items x 256 bytes: 0.9 MiB at 3,700 items) is read once for all queries of a batch.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

// Items ascending, each once, and what each weighs.
struct WeightedItems {
  std::vector<ItemIdx> items;
  std::vector<float> weights;
};

class PackedSquare {
 public:
  static constexpr std::size_t kPanel = 64;

  PackedSquare() = default;
  explicit PackedSquare(std::size_t n) : n_(n), panels_((n + kPanel - 1) / kPanel * kPanel * n) {}
  explicit PackedSquare(const Matrix<float>& square);

  std::size_t size() const { return n_; }
  float& at(std::size_t row, std::size_t col) { return panels_[place(row, col)]; }
  float at(std::size_t row, std::size_t col) const { return panels_[place(row, col)]; }
  Matrix<float> unpacked() const;

  // out(q, j) = sum over p of weights[p] B(items[p], j); out: queries x n.
  void multiply(std::span<const WeightedItems> rows, MatRef<float> out) const;
  // out[c] for the columns candidates[c], the same bits.
  void multiply_columns(const WeightedItems& row, std::span<const ItemIdx> candidates, std::span<float> out) const;

 private:
  std::size_t place(std::size_t row, std::size_t col) const {
    return (col / kPanel * n_ + row) * kPanel + col % kPanel;
  }

  std::size_t n_ = 0;
  std::vector<float> panels_;
};

}  // namespace segue
