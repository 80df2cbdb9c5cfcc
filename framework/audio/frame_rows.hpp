// Rows of numbers, one a frame, that grow without ever being moved: an hour of log-mel spectra is 80 MB, which a
// growing array would hold twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "framework/linalg/view.hpp"

namespace segue::audio {

template <class T, std::size_t kRowsTogether = 1024>
class FrameRows {
 public:
  static constexpr std::size_t kChunk = kRowsTogether;

  FrameRows() = default;
  explicit FrameRows(std::size_t cols) : cols_(cols) {}

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  bool empty() const { return rows_ == 0; }
  // A new row, to be written.
  std::span<T> add() {
    if (rows_ % kChunk == 0) chunks_.push_back(std::make_unique_for_overwrite<T[]>(kChunk * cols_));
    ++rows_;
    return {at(rows_ - 1), cols_};
  }
  std::span<const T> row(std::size_t r) const { return {at(r), cols_}; }
  std::span<T> row(std::size_t r) { return {at(r), cols_}; }
  // Rows [begin, end) that stand together and begin at `begin`, as many as there are up to kChunk; begin a multiple of
  // it.
  ConstView<T> chunk(std::size_t begin) const { return {at(begin), std::min(kChunk, rows_ - begin), cols_}; }

 private:
  T* at(std::size_t r) const { return chunks_[r / kChunk].get() + r % kChunk * cols_; }
  std::size_t rows_ = 0, cols_ = 0;
  std::vector<std::unique_ptr<T[]>> chunks_;
};

}  // namespace segue::audio
