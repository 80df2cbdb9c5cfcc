#include "framework/index/row_store.hpp"

#include <algorithm>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/index/nearest_rows.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kBlock = 256;  // rows whose distances wait to be offered

template <bool kSquares>
Lanes add(Lanes a, Lanes b, Lanes sum) {
  if constexpr (kSquares) {
    const Lanes difference = a - b;
    return fma(difference, difference, sum);
  } else {
    return fma(a, b, sum);
  }
}

// Lane kRows q + r: the product, or the squared distance, of queries[q] and rows[r].
template <bool kSquares, std::size_t kQueries>
Lanes tile(const float* const* queries, const float* const* rows, std::size_t dims) {
  constexpr std::size_t kRows = kLanes / kQueries;
  Lanes sums[kLanes];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kLanes; ++i) sums[i] = Lanes::zero();
  const auto step = [&](auto load) {
    Lanes q[kQueries];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kQueries; ++i) q[i] = load(queries[i]);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const Lanes row = load(rows[r]);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kQueries; ++i) sums[i * kRows + r] = add<kSquares>(q[i], row, sums[i * kRows + r]);
    }
  };
  std::size_t d = 0;
  for (; d + kLanes <= dims; d += kLanes) step([d](const float* p) { return Lanes::load(p + d); });
  if (const std::size_t rest = dims - d; rest > 0)
    step([d, rest](const float* p) { return Lanes::load_part(p + d, rest); });
  return Lanes::sums(sums);
}

template <std::size_t kQueries>
Lanes distance_tile(Distance distance, const float* const* queries, const float* const* rows, std::size_t dims) {
  if (distance == Distance::kL2) return tile<true, kQueries>(queries, rows, dims);
  return Lanes::all(1) - tile<false, kQueries>(queries, rows, dims);
}

}  // namespace

void RowStore::append(ConstMatRef<float> vectors) {
  if (mapped()) {
    own_.assign(mapped_.begin(), mapped_.end());
    mapped_ = {};
  }
  const std::size_t stride = static_cast<std::size_t>(vectors.outerStride());
  // As much as is needed at first; then by half at least, so that rows that come one by one are not copied every time.
  if (const std::size_t wanted = own_.size() + static_cast<std::size_t>(vectors.rows()) * dims_;
      wanted > own_.capacity())
    own_.reserve(std::max(wanted, own_.capacity() + own_.capacity() / 2));
  for (std::size_t r = 0; r < static_cast<std::size_t>(vectors.rows()); ++r) {
    const float* row = vectors.data() + r * stride;
    own_.insert(own_.end(), row, row + dims_);
  }
  data_ = own_.data();
  size_ = own_.size();
}

void RowStore::load(Array<float> rows, bool map) {
  size_ = rows.size();
  if (map) {
    mapped_ = std::move(rows);
    data_ = mapped_.data();
  } else {
    own_.assign(rows.begin(), rows.end());
    data_ = own_.data();
  }
}

void distances(Distance distance, std::span<const float> query, const RowStore& store,
               std::span<const std::uint32_t> rows, std::span<float> out) {
  SEGUE_CHECK(query.size() == store.dims() && out.size() == rows.size(), "distances of {} dimensions to {}, {} of {}",
              query.size(), store.dims(), out.size(), rows.size());
  const float* const queries[1] = {query.data()};
  for (std::size_t begin = 0; begin < rows.size(); begin += kLanes) {
    const std::size_t count = std::min(kLanes, rows.size() - begin);
    const float* at[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) at[i] = store.row(rows[begin + (i < count ? i : 0)]).data();
    float tile_out[kLanes];
    distance_tile<1>(distance, queries, at, store.dims()).store(tile_out);
    std::copy_n(tile_out, count, out.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

void distances_4x4(Distance distance, const float* const (&queries)[4], const float* const (&rows)[4], std::size_t dims,
                   float (&out)[16]) {
  distance_tile<4>(distance, queries, rows, dims).store(out);
}

namespace {

// rows(begin, count): some of the `count_all` rows that are compared.
template <class Rows>
std::size_t nearest_among(Distance distance, std::span<const float> query, const RowStore& store, std::size_t count_all,
                          Rows rows, std::span<Neighbour> out) {
  NearestRows nearest(out.size());
  float found[kBlock];
  for (std::size_t begin = 0; begin < count_all; begin += kBlock) {
    const std::span<const std::uint32_t> block = rows(begin, std::min(kBlock, count_all - begin));
    distances(distance, query, store, block, {found, block.size()});
    for (std::size_t i = 0; i < block.size(); ++i) nearest.offer({block[i], found[i]});
  }
  return nearest.sorted(out);
}

}  // namespace

std::size_t nearest_of(Distance distance, std::span<const float> query, const RowStore& store,
                       std::span<const std::uint32_t> rows, std::span<Neighbour> out) {
  return nearest_among(
      distance, query, store, rows.size(),
      [&](std::size_t begin, std::size_t count) { return rows.subspan(begin, count); }, out);
}

std::size_t nearest_of_all(Distance distance, std::span<const float> query, const RowStore& store,
                           std::span<Neighbour> out) {
  std::uint32_t block[kBlock];
  return nearest_among(
      distance, query, store, store.rows(),
      [&](std::size_t begin, std::size_t count) {
        std::iota(block, block + count, static_cast<std::uint32_t>(begin));
        return std::span<const std::uint32_t>(block, count);
      },
      out);
}

}  // namespace segue
