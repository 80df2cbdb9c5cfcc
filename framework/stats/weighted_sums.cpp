#include "framework/stats/weighted_sums.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/linalg/scoring.hpp"

namespace segue::stats {

namespace {

constexpr std::size_t kSlice = 512;  // units whose sum is one chain of floats
constexpr std::size_t kGroup = 64;   // rows; a group's slice and its weights stay in the second cache
constexpr std::size_t kDraws = 64;   // draws whose weights are made at once
constexpr std::size_t kWeights = std::size_t{1}
                                 << 22;  // weights that exist at once in a thread, unless units alone are more
constexpr std::size_t kChunk = std::size_t{1} << 25;  // values, and sums, that exist at once

Eigen::Index index(std::size_t i) { return static_cast<Eigen::Index>(i); }

// Rows in groups, units in slices, ready for PackedRows::score().
class Packed {
 public:
  Packed(const WeightedSums& task, std::size_t first, std::size_t count, const Executor& exec)
      : units_(task.units),
        slices_((task.units + kSlice - 1) / kSlice),
        parts_((count + kGroup - 1) / kGroup * slices_) {
    exec.for_blocks(count, kGroup, [&](std::size_t begin, std::size_t end) {
      Matrix<float> values(index(end - begin), index(units_));
      for (std::size_t r = begin; r < end; ++r) task.load(first + r, row_span(values, r - begin));
      for (std::size_t s = 0; s < slices_; ++s)
        parts_[begin / kGroup * slices_ + s] = PackedRows(values.middleCols(index(s * kSlice), index(width(s))));
    });
  }

  // total(draw, row) of one group.
  void multiply(const Matrix<float>& weights, std::size_t group, Matrix<double>& total) const {
    const PackedRows* part = &parts_[group * slices_];
    Matrix<float> sums(weights.rows(), index(part->rows()));
    total.setZero(sums.rows(), sums.cols());
    for (std::size_t s = 0; s < slices_; ++s) {
      part[s].score(weights.middleCols(index(s * kSlice), index(width(s))), {}, sums);
      total += sums.cast<double>();
    }
  }

 private:
  std::size_t width(std::size_t slice) const { return std::min(kSlice, units_ - slice * kSlice); }
  std::size_t units_, slices_;
  std::vector<PackedRows> parts_;
};

}  // namespace

void weighted_sums(const WeightedSums& task, const Executor& exec) {
  if (task.rows == 0 || task.units == 0 || task.draws == 0) return;
  const std::size_t at_once = std::clamp<std::size_t>(kWeights / task.units, 8, kDraws);
  const std::size_t fits = kChunk / std::max(task.units, task.draws);
  const std::size_t chunk = std::max(PackedRows::kPanel, fits / kGroup * kGroup);
  for (std::size_t first = 0; first < task.rows; first += chunk) {
    const std::size_t count = std::min(chunk, task.rows - first);
    const Packed packed(task, first, count, exec);
    std::vector<float> sums(count * task.draws);
    exec.for_blocks(task.draws, at_once, [&](std::size_t begin, std::size_t end) {
      Matrix<float> weights = Matrix<float>::Zero(index(end - begin), index(task.units));
      for (std::size_t d = begin; d < end; ++d) task.weigh(d, row_span(weights, d - begin));
      Matrix<double> total;
      for (std::size_t top = 0; top < count; top += kGroup) {
        packed.multiply(weights, top / kGroup, total);
        for (std::size_t r = 0; r < static_cast<std::size_t>(total.cols()); ++r)
          for (std::size_t d = begin; d < end; ++d)
            sums[(top + r) * task.draws + d] = static_cast<float>(total(index(d - begin), index(r)));
      }
    });
    exec.for_blocks(count, 8, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r)
        task.use(first + r, std::span(sums).subspan(r * task.draws, task.draws));
    });
  }
}

double float_scale(double largest) { return largest > 0 ? std::ldexp(1.0, -std::ilogb(largest)) : 1; }

}  // namespace segue::stats
