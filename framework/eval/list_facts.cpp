#include "framework/eval/list_facts.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"

namespace segue {

namespace {

constexpr double kHeadShare = 0.8;
constexpr std::uint32_t kUnknownArtist = 0xFFFFFFFFu;
const ItemFacts kNoFacts;

void check_offsets(std::span<const std::uint64_t> offsets, std::size_t rows, std::size_t entries, const char* what) {
  SEGUE_CHECK(offsets.size() == rows + 1 && offsets.front() == 0 && offsets.back() == entries &&
                  std::is_sorted(offsets.begin(), offsets.end()),
              "the offsets of the {} do not fit {} rows and {} entries", what, rows, entries);
}

}  // namespace

void TagSum::clear() {
  for (const std::uint32_t tag : tags_) values_[tag] = 0;
  tags_.clear();
}

void TagSum::add(std::uint32_t tag, double value) {
  if (tag >= values_.size()) values_.resize(tag + std::size_t{1}, 0);
  if (values_[tag] == 0) tags_.push_back(tag);  // all values are positive
  values_[tag] += value;
}

QueryList::QueryList(const RankingOutcome& outcome)
    : outcome_(outcome), facts_(outcome.item_facts != nullptr ? outcome.item_facts : &kNoFacts) {
  if (has_fact(outcome, Fact::kHistory))
    check_offsets(outcome.query_facts.history_offsets, outcome.queries, outcome.query_facts.history_items.size(),
                  "histories");
  const auto fits = [&](std::size_t size, std::size_t expected, const char* what) {
    SEGUE_CHECK(size == 0 || size == expected, "{} {} for {} items", size, what, facts_->items);
  };
  fits(facts_->train_counts.size(), facts_->items, "training counts");
  fits(facts_->artists.size(), facts_->items, "artists");
  fits(facts_->vectors.size(), facts_->items * facts_->vector_dim, "vector components");
  if (has_fact(outcome, Fact::kTags)) {
    check_offsets(facts_->tag_offsets, facts_->items, facts_->tags.size(), "tags");
    SEGUE_CHECK(facts_->tag_weights.size() == facts_->tags.size(), "{} weights for {} tags", facts_->tag_weights.size(),
                facts_->tags.size());
  }
}

void QueryList::open(std::size_t query, std::span<const std::uint32_t> hit_ranks) {
  query_ = query;
  hit_ranks_ = hit_ranks;
  marked_ = summed_ = false;
  history_ = {};
  if (!has_fact(outcome_, Fact::kHistory)) return;
  const auto& offsets = outcome_.query_facts.history_offsets;
  history_ = outcome_.query_facts.history_items.subspan(offsets[query], offsets[query + 1] - offsets[query]);
}

std::span<const std::uint32_t> QueryList::items(std::size_t k) const {
  const auto row = outcome_.items.subspan(query_ * outcome_.k, std::min(k, outcome_.k));
  const auto list = row.first(static_cast<std::size_t>(std::find(row.begin(), row.end(), kPadding) - row.begin()));
  for (const std::uint32_t item : list)
    SEGUE_CHECK(facts_->items == 0 || item < facts_->items, "item {} of {} in a list", item, facts_->items);
  return list;
}

void QueryList::mark_history() {
  if (marked_) return;
  marked_ = true;
  has_artists_ = false;
  seen_.clear();
  seen_artists_.clear();
  for (const std::uint32_t item : history_) {
    seen_.add(item);
    if (facts_->artists.empty()) continue;
    SEGUE_CHECK(item < facts_->artists.size(), "item {} of {} in a history", item, facts_->artists.size());
    if (facts_->artists[item] == kUnknownArtist) continue;
    seen_artists_.add(facts_->artists[item]);
    has_artists_ = true;
  }
}

bool QueryList::in_history(std::uint32_t item) {
  mark_history();
  return seen_.has(item);
}

bool QueryList::artist_in_history(std::uint32_t artist) {
  mark_history();
  return artist != kUnknownArtist && seen_artists_.has(artist);
}

bool QueryList::history_has_artists() {
  mark_history();
  return has_artists_;
}

const TagSum& QueryList::history_tags() {
  if (summed_) return history_tags_;
  summed_ = true;
  history_tags_.clear();
  add_tag_shares(history_, history_tags_);
  return history_tags_;
}

std::size_t QueryList::add_tag_shares(std::span<const std::uint32_t> items, TagSum& sum) const {
  std::size_t tagged = 0;
  for (const std::uint32_t item : items) {
    double total = 0;
    for (const float w : tag_weights(item)) total += static_cast<double>(w);
    if (total == 0) continue;
    ++tagged;
    const auto names = tags(item);
    for (std::size_t i = 0; i < names.size(); ++i) sum.add(names[i], static_cast<double>(tag_weights(item)[i]) / total);
  }
  return tagged;
}

std::span<const std::uint32_t> QueryList::tags(std::uint32_t item) const {
  SEGUE_CHECK(item < facts_->items, "item {} of {}", item, facts_->items);
  return facts_->tags.subspan(facts_->tag_offsets[item], facts_->tag_offsets[item + 1] - facts_->tag_offsets[item]);
}

std::span<const float> QueryList::tag_weights(std::uint32_t item) const {
  SEGUE_CHECK(item < facts_->items, "item {} of {}", item, facts_->items);
  return facts_->tag_weights.subspan(facts_->tag_offsets[item],
                                     facts_->tag_offsets[item + 1] - facts_->tag_offsets[item]);
}

std::uint64_t QueryList::head_threshold() {
  if (head_) return *head_;
  std::vector<std::uint64_t> counts(facts_->train_counts.begin(), facts_->train_counts.end());
  std::sort(counts.begin(), counts.end(), std::greater<>());
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  std::uint64_t sum = 0, last = 1;  // an item without training users is never in the head
  for (const std::uint64_t count : counts) {
    if (count == 0 || static_cast<double>(sum) >= kHeadShare * total) break;
    sum += count;
    last = count;
  }
  head_ = last;
  return *head_;
}

std::span<const std::uint32_t> QueryList::by_popularity() {
  if (by_popularity_.size() == facts_->train_counts.size()) return by_popularity_;
  by_popularity_.resize(facts_->train_counts.size());
  std::iota(by_popularity_.begin(), by_popularity_.end(), 0u);
  std::sort(by_popularity_.begin(), by_popularity_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::uint64_t x = facts_->train_counts[a], y = facts_->train_counts[b];
    return x != y ? x > y : a < b;  // who reads this takes whole groups of equals
  });
  return by_popularity_;
}

}  // namespace segue
