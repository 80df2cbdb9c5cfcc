#include "framework/linalg/sparse_gram.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "framework/base/errors.hpp"

namespace segue {
namespace {

constexpr std::size_t kItemBlock = 16;  // columns that share one row of sums
constexpr std::size_t kMirrorTile = 64;

template <class T>
void mirror(Matrix<T>& square, const Executor& exec) {
  SEGUE_CHECK(square.rows() == square.cols(), "mirror a {} x {} matrix", square.rows(), square.cols());
  const auto n = static_cast<std::size_t>(square.rows());
  T* a = square.data();
  exec.for_blocks(n, kMirrorTile, [&](std::size_t begin, std::size_t end) {
    for (std::size_t tile = 0; tile < end;
         tile += kMirrorTile)  // by tiles, since a column is one line of memory an element
      for (std::size_t i = begin; i < end; ++i)
        for (std::size_t j = tile; j < std::min(i, tile + kMirrorTile); ++j) a[i * n + j] = a[j * n + i];
  });
}

// Of ones the sums are counts: no values are read, and an item takes four bytes of L1.
struct Counting {
  using Sum = std::uint32_t;
  static void add(Sum* sums, std::span<const ItemIdx> items, const float*, double) {
    for (ItemIdx j : items) ++sums[raw(j)];
  }
};
struct Weighing {
  using Sum = double;
  static void add(Sum* sums, std::span<const ItemIdx> items, const float* values, double weight) {
    for (std::size_t p = 0; p < items.size(); ++p) sums[raw(items[p])] += weight * double{values[p]};
  }
};

template <class Kind>
void gram_rows(const Csr<ItemIdx>& x, const Executor& exec,
               const std::function<void(std::size_t, std::span<const double>)>& take) {
  // For every entry of a column, where it stands in X: from there on its row holds the items at or after this one.
  std::vector<std::uint64_t> begin(x.cols() + 1, 0), entry(x.nnz());
  std::vector<std::uint32_t> row_of(x.nnz());
  for (ItemIdx i : x.all_indices()) ++begin[raw(i) + 1];
  for (std::size_t c = 0; c < x.cols(); ++c) begin[c + 1] += begin[c];
  std::vector<std::uint64_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t r = 0; r < x.rows(); ++r) {
    for (std::uint64_t p = x.offsets()[r]; p < x.offsets()[r + 1]; ++p) {
      const std::uint64_t to = next[raw(x.all_indices()[p])]++;
      entry[to] = p;
      row_of[to] = static_cast<std::uint32_t>(r);
    }
  }
  exec.for_blocks(x.cols(), kItemBlock, [&](std::size_t first, std::size_t last) {
    std::vector<typename Kind::Sum> sums(x.cols());
    std::vector<double> row(x.cols());
    for (std::size_t i = first; i < last; ++i) {
      std::fill(sums.begin() + static_cast<std::ptrdiff_t>(i), sums.end(), typename Kind::Sum{0});
      for (std::uint64_t e = begin[i]; e < begin[i + 1]; ++e) {
        const std::uint64_t p = entry[e], end = x.offsets()[row_of[e] + 1];
        const float* values = x.all_values().empty() ? nullptr : x.all_values().data() + p;
        Kind::add(sums.data(), x.all_indices().slice(p, end), values, values == nullptr ? 1 : double{*values});
      }
      std::copy(sums.begin() + static_cast<std::ptrdiff_t>(i), sums.end(),
                row.begin() + static_cast<std::ptrdiff_t>(i));
      take(i, row);
    }
  });
}

}  // namespace

void sparse_gram(const Csr<ItemIdx>& x, const Executor& exec,
                 const std::function<void(std::size_t i, std::span<const double> row)>& take) {
  const bool ones = std::all_of(x.all_values().begin(), x.all_values().end(), [](float v) { return v == 1.0f; });
  ones ? gram_rows<Counting>(x, exec, take) : gram_rows<Weighing>(x, exec, take);
}

void mirror_upper(Matrix<float>& square, const Executor& exec) { mirror(square, exec); }
void mirror_upper(Matrix<double>& square, const Executor& exec) { mirror(square, exec); }

}  // namespace segue
