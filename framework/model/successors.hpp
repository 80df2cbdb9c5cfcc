// Models that look at one item and say what follows it: markov and sequential_rules, which differ in how far they look.
#pragma once

#include <functional>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/model/recommender.hpp"
#include "framework/model/sessions.hpp"

namespace segue {

// score(j | i) = sum over the training sessions of weight(d) for every j that stands d places behind an i, divided by
// the sum over all j, so that what follows i has scores that add up to 1; i is the last item of the query. -inf for
// items that never followed i, and for everything where the query has no history and its user has none either.
class SuccessorModel : public Recommender {
 public:
  void fit(const TrainData& data, FitContext& ctx) final;
  void score(std::span<const Query> queries, MatRef<float> out) const final;
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const final;
  std::size_t n_items() const final { return rules_.cols(); }
  void save(ArchiveWriter& archive) const final;
  void load(const ArchiveReader& archive) final;

 protected:
  // distance 1: the next item. steps: the farthest that counts, at least 1; every weight is positive.
  SuccessorModel(std::size_t steps, std::function<double(std::size_t distance)> weight);

 private:
  ItemIdx last_item(const Query& query) const;  // kNoItem where nothing is known

  std::vector<double> weights_;              // of distance 1, 2, ...
  Csr<ItemIdx> rules_;                       // one row an item: what follows it
  std::vector<std::uint32_t> last_of_user_;  // the last training item of each user, or kNoItem
};

}  // namespace segue
