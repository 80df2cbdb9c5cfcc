#include "framework/eval/outcome.hpp"

namespace segue {

std::string_view fact_name(Fact fact) {
  switch (fact) {
    case Fact::kTieCounts:
      return "the tie counts of each truth item";
    case Fact::kTrainCounts:
      return "the training users of each item";
    case Fact::kTags:
      return "tags (facet item_tags)";
    case Fact::kArtists:
      return "artists (facet item_artist)";
    case Fact::kVectors:
      return "item vectors";
    case Fact::kHistory:
      return "the history of each query";
    case Fact::kTimes:
      return "the moment of each query";
  }
  return "";
}

bool has_fact(const RankingOutcome& o, Fact fact) {
  const ItemFacts* facts = o.item_facts;
  switch (fact) {
    case Fact::kTieCounts:
      return !o.lists_only && o.truth_above.size() == o.truth_rank.size() &&
             o.truth_tied.size() == o.truth_rank.size() && o.candidates.size() == o.queries;
    case Fact::kTrainCounts:
      return facts != nullptr && !facts->train_counts.empty();
    case Fact::kTags:
      return facts != nullptr && !facts->tags.empty();
    case Fact::kArtists:
      return facts != nullptr && !facts->artists.empty();
    case Fact::kVectors:
      return facts != nullptr && !facts->vectors.empty();
    case Fact::kHistory:
      return o.query_facts.history_offsets.size() == o.queries + 1;
    case Fact::kTimes:
      return o.queries > 0 && o.query_facts.times.size() == o.queries;
  }
  return false;
}

}  // namespace segue
