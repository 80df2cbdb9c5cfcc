// |q - c|^2 = |q|^2 - 2 (<q, c> - |c|^2 / 2), so that the nearest has the largest score.
#include "framework/index/centroids.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

// Where the largest value stands first.
std::size_t first_largest(std::span<const float> values) {
  constexpr std::size_t kLanes = Lanes::kCount;
  const std::size_t whole = values.size() / kLanes * kLanes;
  if (whole == 0) return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  Lanes largest = Lanes::load(values.data());
  for (std::size_t i = kLanes; i < whole; i += kLanes) largest = max(largest, Lanes::load(&values[i]));
  float lanes[kLanes];
  largest.store(lanes);
  float bar = *std::max_element(lanes, lanes + kLanes);
  for (std::size_t i = whole; i < values.size(); ++i) bar = std::max(bar, values[i]);
  for (std::size_t i = 0; i < whole; i += kLanes)
    if (const std::uint32_t bits = at_least(Lanes::load(&values[i]), Lanes::all(bar)); bits != 0)
      return i + static_cast<std::size_t>(std::countr_zero(bits));
  return static_cast<std::size_t>(std::find(values.begin() + static_cast<std::ptrdiff_t>(whole), values.end(), bar) -
                                  values.begin());
}

}  // namespace

void Centroids::add(std::size_t count, const float* centroids) {
  const Eigen::Index before = rows_.rows();
  rows_.conservativeResize(before + static_cast<Eigen::Index>(count), Eigen::NoChange);
  std::copy_n(centroids, count * static_cast<std::size_t>(rows_.cols()), rows_.data() + before * rows_.cols());
  packed_ = PackedRows(rows_);
  bias_.assign(static_cast<std::size_t>(rows_.rows()), 0.0f);
  if (!squares_) return;
  for (std::size_t r = 0; r < bias_.size(); ++r) bias_[r] = -dot_in_order(row_span(rows_, r), row_span(rows_, r)) / 2;
}

void Centroids::search(std::size_t count, const float* queries, std::size_t many, float* distances,
                       std::int64_t* numbers, const Executor* exec) const {
  const auto all = static_cast<std::size_t>(rows_.rows()), dims = static_cast<std::size_t>(rows_.cols());
  SEGUE_CHECK(many <= all, "{} of {} centroids", many, all);
  const auto nearest = [&](std::size_t begin, std::size_t end) {
    const Eigen::Map<const Matrix<float>> block_queries(queries + begin * dims, static_cast<Eigen::Index>(end - begin),
                                                        rows_.cols());
    Matrix<float> scores(block_queries.rows(), rows_.rows());
    packed_.score(block_queries, bias_, scores);
    std::vector<std::uint32_t> order(many == 1 ? 0 : all);
    for (std::size_t q = begin; q < end; ++q) {
      const std::span<const float> own = row_span(scores, q - begin);
      const std::span<const float> query(queries + q * dims, dims);
      const float square = squares_ ? dot_in_order(query, query) : 0;
      const auto put = [&](std::size_t i, std::size_t row) {
        numbers[q * many + i] = static_cast<std::int64_t>(row);
        distances[q * many + i] = squares_ ? std::max(0.0f, square - 2 * own[row]) : own[row];
      };
      if (many == 1) {
        put(0, first_largest(own));
        continue;
      }
      std::iota(order.begin(), order.end(), 0u);
      const auto nearer = [&](std::uint32_t a, std::uint32_t b) { return own[a] != own[b] ? own[a] > own[b] : a < b; };
      const auto last = order.begin() + static_cast<std::ptrdiff_t>(many);
      if (many < all) std::nth_element(order.begin(), last, order.end(), nearer);
      std::sort(order.begin(), last, nearer);
      for (std::size_t i = 0; i < many; ++i) put(i, order[i]);
    }
  };
  const std::size_t block = std::clamp<std::size_t>((std::size_t{1} << 18) / all, 1, 96);
  if (exec != nullptr) return exec->for_blocks(count, block, nearest);
  for (std::size_t begin = 0; begin < count; begin += block) nearest(begin, std::min(begin + block, count));
}

}  // namespace segue
