// Inside eval: what per-list metrics see of one query, with what several of them need made once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "framework/eval/outcome.hpp"

namespace segue {

// A set of small numbers that is emptied at once.
class Marks {
 public:
  void clear() { ++now_; }
  void add(std::size_t i) {
    if (i >= stamps_.size()) stamps_.resize(i + 1, 0);
    stamps_[i] = now_;
  }
  bool has(std::size_t i) const { return i < stamps_.size() && stamps_[i] == now_; }

 private:
  std::vector<std::uint32_t> stamps_;
  std::uint32_t now_ = 1;
};

// A sparse sum over tags. Cleared in the time that its entries take.
class TagSum {
 public:
  void clear();
  void add(std::uint32_t tag, double value);
  double at(std::uint32_t tag) const { return tag < values_.size() ? values_[tag] : 0; }
  std::span<const std::uint32_t> tags() const { return tags_; }  // in the order of their first addition

 private:
  std::vector<double> values_;
  std::vector<std::uint32_t> tags_;
};

// The list and the history of one query after the other, and facts about items. Nothing is made before it is asked for.
class QueryList {
 public:
  // LogicError for arrays that contradict each other. The outcome must outlive this.
  explicit QueryList(const RankingOutcome& outcome);
  void open(std::size_t query, std::span<const std::uint32_t> hit_ranks);

  // The first min(k, length) places.
  std::span<const std::uint32_t> items(std::size_t k) const;
  std::span<const std::uint32_t> history() const { return history_; }
  std::span<const std::uint32_t> hit_ranks() const { return hit_ranks_; }  // of ranked truth, ascending from 1
  const ItemFacts& facts() const { return *facts_; }

  bool in_history(std::uint32_t item);
  // Of the items of the history; kNoArtist is none.
  bool artist_in_history(std::uint32_t artist);
  // Whether any item of the history has a known artist.
  bool history_has_artists();
  // The share of each tag in the history, an item's tags sharing its weight; empty where no item of it has tags.
  const TagSum& history_tags();

  // Items of a list, of equal weight, that have tags: adds what each tag's share of an item is, and returns how many.
  std::size_t add_tag_shares(std::span<const std::uint32_t> items, TagSum& sum) const;

  std::span<const std::uint32_t> tags(std::uint32_t item) const;
  std::span<const float> tag_weights(std::uint32_t item) const;

  // Training users of the least popular item of the short head: the most popular items that together have at least 80 %
  // of all training (user, item) pairs, with every item as popular as the last of them.
  std::uint64_t head_threshold();
  // Items descending by training users.
  std::span<const std::uint32_t> by_popularity();

  TagSum scratch_tags;              // for the function that runs, empty before and after
  Marks scratch_marks;              // clear() before use
  std::vector<double> scratch_sum;  // any content

 private:
  void mark_history();

  const RankingOutcome& outcome_;
  const ItemFacts* facts_;
  std::size_t query_ = 0;
  std::span<const std::uint32_t> history_, hit_ranks_;
  bool marked_ = false, has_artists_ = false, summed_ = false;
  Marks seen_, seen_artists_;
  TagSum history_tags_;
  std::optional<std::uint64_t> head_;
  std::vector<std::uint32_t> by_popularity_;
};

}  // namespace segue
