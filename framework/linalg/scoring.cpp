#include "framework/linalg/scoring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/linalg/tiles.hpp"

namespace segue {

namespace {

constexpr std::size_t kPanel = PackedRows::kPanel, kGroup = PackedQueries::kGroup, kLanes = Lanes::kCount;
constexpr std::size_t kAhead = 8;  // groups of queries that fetch a panel together
constexpr std::size_t kBlock = 8;  // panels that score() takes to all queries: 64 KB at 64 dimensions, in L2

// kGroup x kPanel sums are 24 zmm; machines with fewer registers do the same sums in smaller tiles.
template <std::size_t kQueries>
void multiply(const float* queries, const float* panel, std::size_t dims, PackedRows::Tile& out) {
  if constexpr (Lanes::kRegisters >= 32) {
    fold_tile<Fold::kSet, kQueries, kPanel / kLanes>(out[0], kPanel, queries, kQueries, panel, kPanel, dims);
  } else {
    constexpr std::size_t kRows = std::min<std::size_t>(kQueries, 4);
    for (std::size_t q = 0; q < kQueries; q += kRows)
      for (std::size_t l = 0; l < kPanel; l += kLanes)
        fold_tile<Fold::kSet, kRows, 1>(out[q] + l, kPanel, queries + q, kQueries, panel + l, kPanel, dims);
  }
}

// One or two queries have too few sums in a panel to keep the multipliers busy: several panels at once.
template <std::size_t kQueries>
void multiply_narrow(const float* queries, const float* panels, std::size_t dims, PackedRows::Tile* out) {
  constexpr std::size_t kPanels = PackedRows::kNarrow, kParts = kPanel / kLanes;
  Lanes acc[kQueries][kPanels * kParts];
#pragma GCC unroll 2
  for (std::size_t q = 0; q < kQueries; ++q)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kPanels * kParts; ++v) acc[q][v] = Lanes::zero();
  for (std::size_t d = 0; d < dims; ++d) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kPanels * kParts; ++v) {
      const Lanes row = Lanes::load(panels + (v / kParts * dims + d) * kPanel + v % kParts * kLanes);
#pragma GCC unroll 2
      for (std::size_t q = 0; q < kQueries; ++q) acc[q][v] = fma(Lanes::all(queries[d * kQueries + q]), row, acc[q][v]);
    }
  }
#pragma GCC unroll 2
  for (std::size_t q = 0; q < kQueries; ++q)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kPanels * kParts; ++v) acc[q][v].store(out[v / kParts][q] + v % kParts * kLanes);
}

// The tiles that there are.
std::size_t tile_width(std::size_t queries) { return queries <= 2 ? queries : queries <= 8 ? 8 : kGroup; }

}  // namespace

PackedQueries::PackedQueries(ConstMatRef<float> queries)
    : size_(static_cast<std::size_t>(queries.rows())), dims_(static_cast<std::size_t>(queries.cols())) {
  if (size_ == 0) return;
  last_width_ = tile_width(count(groups() - 1));
  packed_.assign(((groups() - 1) * kGroup + last_width_) * dims_, 0.0f);
  const auto stride = static_cast<std::size_t>(queries.outerStride());
  for (std::size_t q = 0; q < size_; ++q) {
    const std::size_t g = q / kGroup, width = g + 1 < groups() ? kGroup : last_width_;
    const float* from = queries.data() + q * stride;
    float* to = packed_.data() + g * kGroup * dims_ + q % kGroup;
    for (std::size_t d = 0; d < dims_; ++d) to[d * width] = from[d];
  }
}

PackedRows::PackedRows(const Matrix<float>& rows)
    : rows_(static_cast<std::size_t>(rows.rows())), dims_(static_cast<std::size_t>(rows.cols())), largest_(dims_) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  panels_.assign(panels() * kPanel * dims_, 0.0f);
  for (std::size_t r = 0; r < rows_; ++r) {
    float* panel = panels_.data() + r / kPanel * kPanel * dims_;
    const float* row = rows.data() + r * dims_;
    for (std::size_t d = 0; d < dims_; ++d) {
      panel[d * kPanel + r % kPanel] = row[d];
      const float size = std::abs(row[d]);
      largest_[d] = size < kInfinity ? std::max(largest_[d], size) : kInfinity;
    }
  }
}

void PackedRows::score_tiles(const PackedQueries& queries, std::size_t g, std::span<const float> bias, std::size_t p,
                             std::span<Tile> out) const {
  const float* group = queries.packed_.data() + g * kGroup * dims_;
  const std::size_t width = g + 1 < queries.groups() ? kGroup : queries.last_width_;
  const float* panel = panels_.data() + p * kPanel * dims_;
  std::size_t done = 0;
  for (; width <= 2 && done + kNarrow <= out.size(); done += kNarrow) {
    const float* from = panel + done * kPanel * dims_;
    width == 1 ? multiply_narrow<1>(group, from, dims_, &out[done])
               : multiply_narrow<2>(group, from, dims_, &out[done]);
  }
  for (; done < out.size(); ++done) {
    const float* from = panel + done * kPanel * dims_;
    if (p + done + 1 < panels()) {  // a share of the next panel, which comes from far where items are many
      const std::size_t share = kPanel * dims_ / kAhead;
      prefetch(from + kPanel * dims_ + g % kAhead * share, share);
    }
    switch (width) {
      case 1:
        multiply<1>(group, from, dims_, out[done]);
        break;
      case 2:
        multiply<2>(group, from, dims_, out[done]);
        break;
      case 8:
        multiply<8>(group, from, dims_, out[done]);
        break;
      default:
        multiply<kGroup>(group, from, dims_, out[done]);
    }
  }
  if (bias.empty()) return;
  for (std::size_t t = 0; t < out.size(); ++t) {
    const std::size_t first = (p + t) * kPanel, count = std::min(kPanel, rows_ - first);
    for (std::size_t q = 0; q < width; ++q)
      for (std::size_t l = 0; l < count; ++l) out[t][q][l] += bias[first + l];
  }
}

void PackedRows::score(ConstMatRef<float> queries, std::span<const float> bias, MatRef<float> out) const {
  SEGUE_CHECK(static_cast<std::size_t>(queries.cols()) == dims_ && static_cast<std::size_t>(out.cols()) == rows_ &&
                  queries.rows() == out.rows() && (bias.empty() || bias.size() == rows_),
              "score: shapes {}x{} against {}x{}", queries.rows(), queries.cols(), rows_, dims_);
  const PackedQueries packed(queries);
  const auto stride = static_cast<std::size_t>(out.outerStride());
  Tile tiles[kBlock];
  for (std::size_t block = 0; block < panels(); block += kBlock) {
    const std::size_t count = std::min(kBlock, panels() - block);
    for (std::size_t g = 0; g < packed.groups(); ++g) {
      score_tiles(packed, g, bias, block, {tiles, count});
      for (std::size_t q = 0; q < packed.count(g); ++q) {
        float* to = out.data() + (g * kGroup + q) * stride + block * kPanel;
        for (std::size_t t = 0; t < count; ++t)
          std::copy_n(tiles[t][q], std::min(kPanel, rows_ - (block + t) * kPanel), to + t * kPanel);
      }
    }
  }
}

void PackedRows::score_rows(std::span<const float> query, std::span<const float> bias,
                            std::span<const std::uint32_t> candidates, std::span<float> out) const {
  constexpr std::size_t kChains = 8;  // or each addition would wait for the one before
  for (std::size_t begin = 0; begin < candidates.size(); begin += kChains) {
    const std::size_t count = std::min(kChains, candidates.size() - begin);
    const float* column[kChains];
    for (std::size_t i = 0; i < kChains; ++i) {
      const std::size_t r = candidates[begin + std::min(i, count - 1)];
      column[i] = panels_.data() + r / kPanel * kPanel * dims_ + r % kPanel;
    }
    float sum[kChains] = {};
    for (std::size_t d = 0; d < dims_; ++d)
      for (std::size_t i = 0; i < kChains; ++i) sum[i] = std::fma(query[d], column[i][d * kPanel], sum[i]);
    for (std::size_t i = 0; i < count; ++i)
      out[begin + i] = bias.empty() ? sum[i] : sum[i] + bias[candidates[begin + i]];
  }
}

double PackedRows::bound(std::span<const float> query) const {
  double sum = 0;
  for (std::size_t d = 0; d < dims_; ++d) sum += std::abs(double{query[d]}) * double{largest_[d]};
  return sum;
}

float dot_in_order(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum = std::fma(a[d], b[d], sum);
  return sum;
}

}  // namespace segue
