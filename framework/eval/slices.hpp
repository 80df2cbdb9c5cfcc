// Slices: the same metric over a part of the truth or of the queries, written "ndcg@10:cold".
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "framework/eval/outcome.hpp"

namespace segue {

enum class SliceKind {
  // Restricts the truth. Places of the lists stay as they are; a truth item outside the slice is neither a hit nor
  // counted; a query whose truth becomes empty is not evaluated.
  kItems,
  kQueries,  // restricts the queries; their truth stays whole
};

struct SliceCard {
  std::string name;   // "cold"; of a family of bins the stem, "pop" of pop1 ... pop5
  std::string title;  // "Cold items"
  std::string definition;
  std::string citation;  // may be empty
  SliceKind kind = SliceKind::kItems;
  std::size_t bins = 0;  // 0: no bins
  Fact needs = Fact::kTrainCounts;

  std::string names() const;  // "cold", "pop1..pop5"
};

// Every slice, in the order in which they are shown.
const std::vector<SliceCard>& slice_cards();

// Slices that stand beside each other: the parts of a table or a plot.
struct SliceParts {
  std::string name;  // "popularity"
  struct Part {
    std::string slice, meaning;  // "cold", "cold items"; no meaning where only the bounds of a bin say it
  };
  std::vector<Part> parts;
  std::string counts;  // what bounds count: "listeners", "days"
  // Only tasks that are made so have queries of these kinds alone; of others the parts are no partition.
  bool of_some_tasks = false;
  bool plotted = true;  // by default, among the others
};
const std::vector<SliceParts>& slice_parts();

struct SliceSpec {
  const SliceCard* card = nullptr;  // null: no slice
  std::size_t bin = 0;              // from 1; 0 where the card has no bins
  std::string text() const;         // "cold", "pop3"; empty without a card
  bool operator==(const SliceSpec&) const = default;
};

// "cold", "pop3". UsageError with a suggestion for an unknown name.
SliceSpec parse_slice(const std::string& text);

// An outcome whose truth is cut to a slice: queries outside it have no truth. Everything else is the original's, which
// must outlive this one. Counts for auc are those among the remaining truth and the items that were never truth.
class SlicedOutcome {
 public:
  // UsageError where the outcome lacks the facts that the slice reads. `slice` may be none: a copy of the truth.
  SlicedOutcome(const SliceSpec& slice, const RankingOutcome& outcome);
  SlicedOutcome(const SlicedOutcome&) = delete;  // view() points into it
  SlicedOutcome& operator=(const SlicedOutcome&) = delete;

  const RankingOutcome& view() const { return view_; }
  // Of a bin: the smallest and largest of its members, training users, history events or whole days after the first
  // query; NaN for an empty bin and for what is no bin.
  double low() const { return low_; }
  double high() const { return high_; }

  // Ranks the truth as ceiling() says.
  void rank_reachable_first();

 private:
  void select_queries(const SliceSpec& slice, const RankingOutcome& outcome, std::vector<bool>& kept);
  void select_by_history(const SliceSpec& slice, const RankingOutcome& outcome, std::vector<bool>& kept);
  void select_by_popularity(const SliceSpec& slice, const RankingOutcome& outcome, std::vector<bool>& kept);
  void keep(const RankingOutcome& outcome, const std::vector<bool>& truth, bool adjust_counts);

  RankingOutcome view_;
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint32_t> items_, rank_, above_, tied_, candidates_;
  std::vector<float> gains_;
  double low_ = std::numeric_limits<double>::quiet_NaN(), high_ = low_;
};

}  // namespace segue
