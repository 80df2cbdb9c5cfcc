// Vectors in the order of their rows, in memory or in a mapped file, and the distances between a query and them.
// Internal to framework/index.
//
// linalg's PackedRows is the kernel of scores: it copies rows into panels of 32, cannot grow, and knows products alone.
// Here rows lie as they came, so that they can be appended, mapped, and compared one by one; a sum runs over sixteen
// lanes of dimensions and then Lanes::sum(), so that a distance has the same bits whether its row is compared alone, in
// a list, or with all others, for one query or for many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/index/vector_index.hpp"

namespace segue {

class RowStore {
 public:
  explicit RowStore(std::size_t dims) : dims_(dims) {}

  std::size_t dims() const { return dims_; }
  std::size_t rows() const { return dims_ == 0 ? 0 : size_ / dims_; }
  std::span<const float> row(std::size_t r) const { return {data_ + r * dims_, dims_}; }
  std::span<const float> all() const { return {data_, size_}; }
  std::size_t bytes() const { return size_ * sizeof(float); }
  bool mapped() const { return !mapped_.empty(); }

  // Mapped rows are read into memory first.
  void append(ConstMatRef<float> vectors);
  // What a file holds: map says whether it stays there.
  void load(Array<float> rows, bool map);

 private:
  std::size_t dims_, size_ = 0;
  const float* data_ = nullptr;
  std::vector<float> own_;
  Array<float> mapped_;
};

// out[i] = the distance of the query to row rows[i].
void distances(Distance distance, std::span<const float> query, const RowStore& store,
               std::span<const std::uint32_t> rows, std::span<float> out);

// out[4 q + r] = the distance of queries[q] to rows[r], for vectors of `dims` numbers.
void distances_4x4(Distance distance, const float* const (&queries)[4], const float* const (&rows)[4], std::size_t dims,
                   float (&out)[16]);

// The nearest of `rows`, sorted; returns how many: out.size() or all.
std::size_t nearest_of(Distance distance, std::span<const float> query, const RowStore& store,
                       std::span<const std::uint32_t> rows, std::span<Neighbour> out);
// The same of all rows, without a list of them.
std::size_t nearest_of_all(Distance distance, std::span<const float> query, const RowStore& store,
                           std::span<Neighbour> out);

}  // namespace segue
