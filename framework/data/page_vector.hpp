// A growing array of plain values whose memory comes straight from the system: it grows in place or is moved by its
// page table, so that growing copies nothing, and what is freed is returned at once. For the few arrays that grow as
// large as a data set while it is read; std::vector takes up to three times as much at the moment it grows.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "framework/base/errors.hpp"

namespace segue {

template <class T>
class PageVector {
  static_assert(std::is_trivially_copyable_v<T> && 4096 % sizeof(T) == 0);

 public:
  PageVector() = default;
  ~PageVector() { clear(); }
  PageVector(PageVector&& other) noexcept { swap(other); }
  PageVector& operator=(PageVector&& other) noexcept {
    PageVector(std::move(other)).swap(*this);
    return *this;
  }

  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  const T* data() const { return data_; }

  void push_back(const T& value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_++] = value;
  }
  // Adds n values that are all zero bytes, and returns where they stand.
  T* extend(std::size_t n) {
    if (size_ + n > capacity_) grow(size_ + n);
    T* const begin = data_ + size_;
    size_ += n;
    return begin;
  }
  void resize(std::size_t n, const T& value) {  // to more values only
    while (size_ < n) push_back(value);
  }
  void clear() {
    if (data_ != nullptr) ::munmap(data_, capacity_ * sizeof(T));
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

 private:
  void swap(PageVector& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  // Pages that nobody has touched take no memory, so that doubling wastes none.
  void grow(std::size_t least) {
    constexpr std::size_t kPage = 4096, kHuge = std::size_t{1} << 21;
    std::size_t bytes = capacity_ * sizeof(T) * 2;
    while (bytes < least * sizeof(T) || bytes < kPage) bytes = bytes < kPage ? kPage : bytes * 2;
    bytes = bytes / kPage * kPage;
    void* const pages = data_ == nullptr
                            ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                            : ::mremap(data_, capacity_ * sizeof(T), bytes, MREMAP_MAYMOVE);
    if (pages == MAP_FAILED) throw EnvironmentError("no memory for {} bytes more: {}", bytes, std::strerror(errno));
    // Large arrays are read at random: fewer pages, fewer misses in the translation of addresses. Only a request.
    if (bytes >= 4 * kHuge) ::madvise(pages, bytes, MADV_HUGEPAGE);
    data_ = static_cast<T*>(pages);
    capacity_ = bytes / sizeof(T);
  }

  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace segue
