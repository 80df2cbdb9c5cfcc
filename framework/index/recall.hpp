// What an index finds of what there is, and how long it takes: never the one without the other.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "framework/base/executor.hpp"
#include "framework/index/vector_index.hpp"

namespace segue {

// The share of `truth` (the k nearest, or as many as there are) that `found` holds, by rows: where the k-th and the
// next are equally near, a row that is as good counts as missed, so ties can only lower it. 1 where there is no truth.
double recall_of(std::span<const Neighbour> found, std::span<const Neighbour> truth);

struct IndexQuality {
  std::size_t queries = 0, k = 0;
  double recall = 0;                           // mean over queries of recall_of()
  double p50 = 0, p95 = 0, p99 = 0, mean = 0;  // microseconds of one search on one thread; NaN without queries
};
// "recall@10 0.9882, p50 103 us, p95 140 us, p99 171 us (1000 queries, one thread)"
std::string to_text(const IndexQuality& quality);

// The truth is found by `exact`, which holds the same rows, on all threads of exec; then each query is searched alone
// and timed by a steady clock, after a tenth of them to warm up. filters: none, one for all, or one a query, for both.
IndexQuality measure_index(const VectorIndex& index, const VectorIndex& exact, ConstMatRef<float> queries,
                           std::size_t k, const Executor& exec, std::span<const RowFilter> filters = {});

}  // namespace segue
