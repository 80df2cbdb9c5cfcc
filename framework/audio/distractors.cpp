#include "framework/audio/distractors.hpp"

#include <algorithm>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/index/vector_index.hpp"

namespace segue::audio {

namespace {

constexpr std::size_t kNear = 10;

}  // namespace

Matrix<float> resampled_rows(const Matrix<float>& rows, std::size_t count, const Rng& rng, const Executor& exec) {
  const auto n = static_cast<std::size_t>(rows.rows());
  if (count > 0 && n < 2) throw UsageError("distractors are resampled from 2 recordings or more, and there are {}", n);
  Matrix<float> out(static_cast<Eigen::Index>(count), rows.cols());
  if (count == 0) return out;
  const std::size_t k = std::min(kNear + 1, n);
  const auto index = build_index(rows, {.kind = IndexKind::kExact, .distance = Distance::kL2}, exec);
  std::vector<Neighbour> near(n * k);  // itself among them
  index->search(rows, k, near, exec);
  exec.for_blocks(count, 256, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Rng own = rng.stream("distractor", i);
      const std::size_t centre = own.below(n);
      const std::span<const Neighbour> around(&near[centre * k], k);
      const std::size_t self = static_cast<std::size_t>(
          std::ranges::find(around.first(k - 1), centre, &Neighbour::row) - around.begin());
      const auto neighbour = [&] {
        const std::size_t at = own.below(k - 1);
        return row_span(rows, around[at < self ? at : at + 1].row);
      };
      const std::span<const float> a = row_span(rows, centre), b = neighbour(), c = neighbour(), d = neighbour();
      const float share = own.uniform_float(), off = 0.5f * static_cast<float>(own.normal());
      const std::span<float> to = row_span(out, i);
      for (std::size_t j = 0; j < to.size(); ++j) to[j] = a[j] + share * (b[j] - a[j]) + off * (c[j] - d[j]);
    }
  });
  return out;
}

}  // namespace segue::audio
