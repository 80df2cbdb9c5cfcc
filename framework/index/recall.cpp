#include "framework/index/recall.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/percentile.hpp"

namespace segue {

double recall_of(std::span<const Neighbour> found, std::span<const Neighbour> truth) {
  std::vector<std::uint32_t> rows;
  for (const Neighbour& n : found)
    if (n.row != kNoRow) rows.push_back(n.row);
  std::ranges::sort(rows);
  std::size_t hits = 0, wanted = 0;
  for (const Neighbour& n : truth) {
    if (n.row == kNoRow) break;
    ++wanted;
    hits += std::ranges::binary_search(rows, n.row) ? 1 : 0;
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

IndexQuality measure_index(const VectorIndex& index, const VectorIndex& exact, ConstMatRef<float> queries,
                           std::size_t k, const Executor& exec, std::span<const RowFilter> filters) {
  SEGUE_CHECK(index.rows() == exact.rows() && index.size() == exact.size() && index.dims() == exact.dims(),
              "an index of {} rows against the truth of {}", index.size(), exact.size());
  const auto count = static_cast<std::size_t>(queries.rows());
  std::vector<Neighbour> truth(count * k), found(k);
  exact.search(queries, k, truth, exec, filters);
  const auto stride = static_cast<std::size_t>(queries.outerStride());
  const auto search = [&](std::size_t q) {
    index.search({queries.data() + q * stride, index.dims()}, found,
                 filters.empty() ? RowFilter{} : filters[filters.size() == 1 ? 0 : q]);
  };
  for (std::size_t q = 0; q < (count + 9) / 10; ++q) search(q);
  std::vector<double> microseconds(count);
  double recall = 0;
  for (std::size_t q = 0; q < count; ++q) {
    const Stopwatch watch;
    search(q);
    microseconds[q] = watch.seconds() * 1e6;
    recall += recall_of(found, std::span(truth).subspan(q * k, k));
  }
  const double mean = std::accumulate(microseconds.begin(), microseconds.end(), 0.0) / static_cast<double>(count);
  std::ranges::sort(microseconds);
  return {count,
          k,
          recall / static_cast<double>(count),
          percentile_of_sorted(microseconds, 50),
          percentile_of_sorted(microseconds, 95),
          percentile_of_sorted(microseconds, 99),
          mean};
}

std::string to_text(const IndexQuality& q) {
  return fmt::format("recall@{} {:.4f}, p50 {:.0f} us, p95 {:.0f} us, p99 {:.0f} us ({} queries, one thread)", q.k,
                     q.recall, q.p50, q.p95, q.p99, q.queries);
}

}  // namespace segue
