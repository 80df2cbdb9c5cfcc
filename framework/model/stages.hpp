// What a model that is made of others spends its time on. Not a view of Recommender: only compositions have stages, and
// what times them asks for them by a cast.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "framework/linalg/matrix.hpp"
#include "framework/model/query.hpp"

namespace segue {

class StagedScores {
 public:
  // Called where a stage ends, with its name.
  using Lap = std::function<void(std::string_view stage)>;

  virtual ~StagedScores() = default;
  // What Recommender::score() writes for this query. Every query goes through the same stages in the same order.
  // Thread-safe.
  virtual void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const = 0;

 protected:
  // Recommender::score() of a model that has nothing to gain from batches.
  void score_each(std::span<const Query> queries, MatRef<float> out) const {
    const auto stride = static_cast<std::size_t>(out.outerStride()), items = static_cast<std::size_t>(out.cols());
    for (std::size_t q = 0; q < queries.size(); ++q)
      score_in_stages(queries[q], {out.data() + q * stride, items}, [](std::string_view) {});
  }
};

}  // namespace segue
