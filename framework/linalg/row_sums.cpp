#include "framework/linalg/row_sums.hpp"

#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;

// V vectors of each row at a time, in C chains, so that additions do not wait for one another.
template <std::size_t V, std::size_t C>
void add_columns(const float* table, std::size_t stride, std::span<const std::uint32_t> which, float* sum) {
  Lanes acc[C][V];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < C; ++c)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < V; ++v) acc[c][v] = c == 0 ? Lanes::load(sum + v * kLanes) : Lanes::zero();
  std::size_t n = 0;
  for (; n + C <= which.size(); n += C)
#pragma GCC unroll 4
    for (std::size_t c = 0; c < C; ++c) {
      const float* row = table + which[n + c] * stride;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < V; ++v) acc[c][v] = acc[c][v] + Lanes::load(row + v * kLanes);
    }
  for (; n < which.size(); ++n)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < V; ++v) acc[0][v] = acc[0][v] + Lanes::load(table + which[n] * stride + v * kLanes);
#pragma GCC unroll 8
  for (std::size_t v = 0; v < V; ++v) {
#pragma GCC unroll 4
    for (std::size_t c = 1; c < C; ++c) acc[0][v] = acc[0][v] + acc[c][v];
    acc[0][v].store(sum + v * kLanes);
  }
}

// V vectors, held in registers.
template <std::size_t V>
void add_to(const float* row, std::span<const std::uint32_t> which, float* to, std::size_t stride) {
  Lanes x[V];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < V; ++v) x[v] = Lanes::load(row + v * kLanes);
  for (const std::uint32_t w : which) {
    float* at = to + w * stride;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < V; ++v) (Lanes::load(at + v * kLanes) + x[v]).store(at + v * kLanes);
  }
}

}  // namespace

template <class T>
void add_rows(ConstView<T> table, std::span<const std::uint32_t> which, T* sum) {
  if constexpr (std::is_same_v<T, float>) {
    constexpr bool kManyRegisters = Lanes::kRegisters >= 32;
    std::size_t c = 0;
    const auto run = [&]<std::size_t V, std::size_t C>() {
      for (; c + V * kLanes <= table.cols; c += V * kLanes)
        add_columns<V, C>(table.data + c, table.stride, which, sum + c);
    };
    if constexpr (kManyRegisters) run.template operator()<8, 1>();
    run.template operator()<4, kManyRegisters ? 2 : 1>();
    run.template operator()<2, 2>();
    run.template operator()<1, 4>();
    if (const std::size_t left = table.cols - c; left > 0) {
      Lanes acc = Lanes::load_part(sum + c, left);
      for (const std::uint32_t row : which) acc = acc + Lanes::load_part(table.data + row * table.stride + c, left);
      acc.store_part(sum + c, left);
    }
  } else {
    for (const std::uint32_t row : which)
      for (std::size_t c = 0; c < table.cols; ++c) sum[c] += table(row, c);
  }
}

template <class T>
void add_to_rows(const T* row, std::span<const std::uint32_t> which, View<T> to) {
  if constexpr (std::is_same_v<T, float>) {
    std::size_t c = 0;
    for (; c + 4 * kLanes <= to.cols; c += 4 * kLanes) add_to<4>(row + c, which, to.data + c, to.stride);
    for (; c + kLanes <= to.cols; c += kLanes) add_to<1>(row + c, which, to.data + c, to.stride);
    if (const std::size_t left = to.cols - c; left > 0) {
      const Lanes x = Lanes::load_part(row + c, left);
      for (const std::uint32_t w : which) {
        float* at = to.row(w) + c;
        (Lanes::load_part(at, left) + x).store_part(at, left);
      }
    }
  } else {
    for (const std::uint32_t w : which)
      for (std::size_t c = 0; c < to.cols; ++c) to(w, c) += row[c];
  }
}

template void add_rows(ConstView<float>, std::span<const std::uint32_t>, float*);
template void add_rows(ConstView<double>, std::span<const std::uint32_t>, double*);
template void add_to_rows(const float*, std::span<const std::uint32_t>, View<float>);
template void add_to_rows(const double*, std::span<const std::uint32_t>, View<double>);

}  // namespace segue
