// All parameters of a network in one array, cut into named blocks. Gradients and the state of optimizers are arrays of
// the same layout, so saving, clipping, hashing, averaging and checking are one loop each.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/base/memory.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/view.hpp"

namespace segue::nn {

enum class BlockId : std::size_t {};

template <class T>  // float trains; double is what gradients are checked in
class ParamStore {
 public:
  struct Block {
    std::string name;
    std::size_t rows, cols, offset;  // row-major at [offset, offset + rows * cols) of all()
  };

  // Declares a block of zeros. Every block is declared before the first view is taken: views do not survive a later
  // add().
  BlockId add(std::string name, std::size_t rows, std::size_t cols) {
    for (const Block& b : blocks_) SEGUE_CHECK(b.name != name, "two parameter blocks '{}'", name);
    const std::size_t offset = size();
    // Blocks begin on cache lines.
    const std::size_t end = (offset + rows * cols + kAlign - 1) / kAlign * kAlign;
    const auto old = static_cast<Eigen::Index>(offset);
    Vector<T> grown(static_cast<Eigen::Index>(end));
    prefer_large_pages(grown.data(), end * sizeof(T));
    grown.head(old) = values_;
    grown.tail(grown.size() - old).setZero();
    values_ = std::move(grown);
    blocks_.push_back({std::move(name), rows, cols, offset});
    return BlockId{blocks_.size() - 1};
  }

  View<T> operator[](BlockId id) {
    const Block& b = block(id);
    return {values_.data() + b.offset, b.rows, b.cols};
  }
  ConstView<T> operator[](BlockId id) const {
    const Block& b = block(id);
    return {values_.data() + b.offset, b.rows, b.cols};
  }
  const Block& block(BlockId id) const { return blocks_[static_cast<std::size_t>(id)]; }
  const std::vector<Block>& blocks() const { return blocks_; }

  // Everything, the zeros between blocks included.
  std::size_t size() const { return static_cast<std::size_t>(values_.size()); }
  std::span<T> all() { return {values_.data(), size()}; }
  std::span<const T> all() const { return {values_.data(), size()}; }

  // The same blocks, all zero: for gradients, moments, averages.
  ParamStore zeros_like() const {
    ParamStore out = *this;
    out.values_.setZero();
    return out;
  }
  // The same blocks and values in another precision.
  template <class U>
  ParamStore<U> as() const {
    ParamStore<U> out;
    for (const Block& b : blocks_) out.add(b.name, b.rows, b.cols);
    for (std::size_t i = 0; i < size(); ++i) out.all()[i] = static_cast<U>(all()[i]);
    return out;
  }

 private:
  static constexpr std::size_t kAlign = 16;
  std::vector<Block> blocks_;
  Vector<T> values_;
};

// First values. The draws are those of `rng`, element by element in row order.
template <class T>
void init_normal(View<T> block, double stddev, Rng rng);
// Uniform on +-limit.
template <class T>
void init_uniform(View<T> block, double limit, Rng rng);
// Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16: uniform on
// +-sqrt(6 / (rows + cols)).
template <class T>
void init_xavier(View<T> block, Rng rng);

}  // namespace segue::nn
