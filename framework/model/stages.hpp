// What a model that is made of others spends its time on. Not a view of Recommender: only compositions have stages, and
// what times them asks for them by a cast.
#pragma once

#include <functional>
#include <span>
#include <string_view>

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
};

}  // namespace segue
