#include "framework/linalg/scoring.hpp"

#include <cmath>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

constexpr std::size_t kPanel = PackedRows::kPanel;

// kQueries x kPanel accumulators stay in registers (8 x 32 floats = 16 zmm); one panel is read once for 8 queries.
template <std::size_t kQueries>
void panel_product(const float* panel, const float* const* queries, std::size_t dims, float (*out)[kPanel]) {
  float acc[kQueries][kPanel] = {};
  for (std::size_t d = 0; d < dims; ++d) {
    const float* row = panel + d * kPanel;
    for (std::size_t q = 0; q < kQueries; ++q) {
      const float x = queries[q][d];
      for (std::size_t lane = 0; lane < kPanel; ++lane) acc[q][lane] = std::fma(x, row[lane], acc[q][lane]);
    }
  }
  for (std::size_t q = 0; q < kQueries; ++q)
    for (std::size_t lane = 0; lane < kPanel; ++lane) out[q][lane] = acc[q][lane];
}

}  // namespace

PackedRows::PackedRows(const Matrix<float>& rows)
    : rows_(static_cast<std::size_t>(rows.rows())), dims_(static_cast<std::size_t>(rows.cols())) {
  const std::size_t panels = (rows_ + kPanel - 1) / kPanel;
  panels_.assign(panels * kPanel * dims_, 0.0f);
  for (std::size_t r = 0; r < rows_; ++r) {
    float* panel = panels_.data() + r / kPanel * kPanel * dims_;
    for (std::size_t d = 0; d < dims_; ++d)
      panel[d * kPanel + r % kPanel] = rows(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(d));
  }
}

void PackedRows::score(ConstMatRef<float> queries, std::span<const float> bias, MatRef<float> out) const {
  SEGUE_CHECK(static_cast<std::size_t>(queries.cols()) == dims_ && static_cast<std::size_t>(out.cols()) == rows_ &&
                  queries.rows() == out.rows() && (bias.empty() || bias.size() == rows_),
              "score: shapes {}x{} against {}x{}", queries.rows(), queries.cols(), rows_, dims_);
  const auto n = static_cast<std::size_t>(queries.rows());
  float block[8][kPanel];
  const float* query[8];
  for (std::size_t first = 0; first < n; first += 8) {
    const std::size_t count = std::min<std::size_t>(8, n - first);
    for (std::size_t q = 0; q < 8; ++q)
      query[q] = queries.data() + (first + std::min(q, count - 1)) * static_cast<std::size_t>(queries.outerStride());
    for (std::size_t begin = 0; begin < rows_; begin += kPanel) {
      const float* panel = panels_.data() + begin * dims_;
      if (count == 1) {
        panel_product<1>(panel, query, dims_, block);
      } else {
        panel_product<8>(panel, query, dims_, block);
      }
      const std::size_t width = std::min(kPanel, rows_ - begin);
      for (std::size_t q = 0; q < count; ++q) {
        float* to = out.data() + (first + q) * static_cast<std::size_t>(out.outerStride()) + begin;
        for (std::size_t lane = 0; lane < width; ++lane) to[lane] = bias.empty() ? block[q][lane] : block[q][lane] + bias[begin + lane];
      }
    }
  }
}

void PackedRows::score_rows(std::span<const float> query, std::span<const float> bias,
                            std::span<const std::uint32_t> candidates, std::span<float> out) const {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t r = candidates[i];
    const float* column = panels_.data() + r / kPanel * kPanel * dims_ + r % kPanel;
    float sum = 0;
    for (std::size_t d = 0; d < dims_; ++d) sum = std::fma(query[d], column[d * kPanel], sum);
    out[i] = bias.empty() ? sum : sum + bias[r];
  }
}

float dot_in_order(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum = std::fma(a[d], b[d], sum);
  return sum;
}

}  // namespace segue
