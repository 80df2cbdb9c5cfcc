// Array<T>: an immutable, shared, contiguous array. It owns a vector, or points into a mapped file that it keeps alive,
// so that a task prepared once is read by every trial process without a copy. Copies share.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace segue {

template <class T>
class Array {
 public:
  using value_type = T;

  Array() = default;
  Array(std::vector<T>&& values) {  // NOLINT(google-explicit-constructor): a vector handed over is an array
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    data_ = owner->data();
    size_ = owner->size();
    owner_ = std::move(owner);
  }
  // A view of memory that `owner` keeps alive (a mapped file).
  Array(std::shared_ptr<const void> owner, std::span<const T> view)
      : owner_(std::move(owner)), data_(view.data()), size_(view.size()) {}

  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  const T& back() const { return data_[size_ - 1]; }
  const T& front() const { return data_[0]; }
  std::span<const T> span() const { return {data_, size_}; }
  operator std::span<const T>() const { return span(); }  // NOLINT(google-explicit-constructor)
  std::span<const T> slice(std::size_t begin, std::size_t end) const { return {data_ + begin, end - begin}; }

 private:
  std::shared_ptr<const void> owner_;
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace segue
