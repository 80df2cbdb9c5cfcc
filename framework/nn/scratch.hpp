// Memory for one batch after another: a view of so many rows and columns, whose contents are what was there before.
#pragma once

#include <vector>

#include "framework/linalg/view.hpp"

namespace segue::nn {

template <class T>
class Scratch {
 public:
  // Valid until the next call that asks for more.
  View<T> get(std::size_t rows, std::size_t cols) {
    if (data_.size() < rows * cols) data_.resize(rows * cols);
    return {data_.data(), rows, cols};
  }

 private:
  std::vector<T> data_;
};

}  // namespace segue::nn
