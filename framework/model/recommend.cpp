#include "framework/model/recommend.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

namespace {

constexpr float kCannotScore = -std::numeric_limits<float>::infinity();

struct Scored {
  float score;
  std::uint64_t tie;
  ItemIdx item;
  bool better_than(const Scored& o) const {
    if (score != o.score) return score > o.score;
    if (tie != o.tie) return tie < o.tie;
    return item < o.item;
  }
};
bool better(const Scored& a, const Scored& b) { return a.better_than(b); }

// Ranks the candidates of one query.
class QueryRanker {
 public:
  QueryRanker(const CandidatePolicy& policy, std::size_t query)
      : policy_(policy), user_key_(policy.user_keys.empty() ? 0 : policy.user_keys[query]) {}

  std::uint64_t tie(ItemIdx item) const {
    return tie_order(policy_.task_seed, user_key_, policy_.item_keys.empty() ? raw(item) : policy_.item_keys[raw(item)]);
  }

  // The best k + 1 of (items, scores), best first; items with -inf are left out.
  void select(std::span<const ItemIdx> items, std::span<const float> scores, std::size_t k) {
    best_.clear();
    const std::size_t keep = k + 1;
    float threshold = kCannotScore;  // of the worst kept, once enough are
    for (std::size_t i = 0; i < items.size(); ++i) {
      const float s = scores[i];
      if (s < threshold || s == kCannotScore) continue;
      const Scored entry{s, tie(items[i]), items[i]};
      if (best_.size() < keep) {
        best_.push_back(entry);
        std::push_heap(best_.begin(), best_.end(), better);  // front = worst of the best
      } else if (entry.better_than(best_.front())) {
        std::pop_heap(best_.begin(), best_.end(), better);
        best_.back() = entry;
        std::push_heap(best_.begin(), best_.end(), better);
      }
      if (best_.size() == keep) threshold = best_.front().score;
    }
    std::sort_heap(best_.begin(), best_.end(), better);
  }
  const std::vector<Scored>& best() const { return best_; }

 private:
  const CandidatePolicy& policy_;
  std::uint64_t user_key_;
  std::vector<Scored> best_;
};

void check_scores(std::span<const float> scores) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::uint32_t bad = 0;  // counted without a branch, so that the loop runs in vectors
  for (float s : scores) bad += !(s < kInfinity);
  if (bad == 0) return;
  const auto culprit = std::find_if(scores.begin(), scores.end(), [](float s) { return !(s < kInfinity); });
  throw UsageError("the model returned a score of {}; training has probably diverged", *culprit);
}

// A row of scores without the excluded items. Runs between exclusions are copied whole: exclusions are few.
class Compacted {
 public:
  Compacted(std::size_t n_items, std::span<const std::uint8_t> catalogue) : all_(n_items), items_(n_items), scores_(n_items) {
    for (std::size_t i = 0; i < n_items; ++i) {
      all_[i] = item_at(i);
      if (!catalogue.empty() && catalogue[i] == 0) outside_.push_back(item_at(i));
    }
  }
  // excluded: ascending.
  void assign(std::span<const float> row, const std::vector<ItemIdx>& excluded) {
    skipped_.clear();
    std::set_union(excluded.begin(), excluded.end(), outside_.begin(), outside_.end(), std::back_inserter(skipped_));
    skipped_.push_back(item_at(row.size()));
    size_ = 0;
    std::size_t from = 0;
    for (ItemIdx skip : skipped_) {
      const std::size_t to = raw(skip);
      if (to < from) continue;  // listed twice
      std::copy(row.begin() + static_cast<long>(from), row.begin() + static_cast<long>(to), scores_.begin() + static_cast<long>(size_));
      std::copy(all_.begin() + static_cast<long>(from), all_.begin() + static_cast<long>(to), items_.begin() + static_cast<long>(size_));
      size_ += to - from;
      from = to + 1;
    }
  }
  std::span<const ItemIdx> items() const { return {items_.data(), size_}; }
  std::span<const float> scores() const { return {scores_.data(), size_}; }

 private:
  std::vector<ItemIdx> all_, outside_, skipped_, items_;
  std::vector<float> scores_;
  std::size_t size_ = 0;
};

struct Output {
  TopK* top;
  const ItemLists* truth;
  TruthRanks* ranks;
};

void rank_one(const CandidatePolicy& policy, std::size_t q, std::span<const ItemIdx> items, std::span<const float> scores,
              const Output& out) {
  QueryRanker ranker(policy, q);
  const std::size_t k = out.top->k;
  ranker.select(items, scores, k);
  const std::vector<Scored>& best = ranker.best();
  for (std::size_t i = 0; i < std::min(k, best.size()); ++i) {
    out.top->items[q * k + i] = best[i].item;
    out.top->scores[q * k + i] = best[i].score;
  }
  if (out.ranks == nullptr) return;
  out.ranks->candidates[q] = static_cast<std::uint32_t>(items.size());
  out.ranks->tie_at_cut[q] = best.size() > k && best[k].score == best[k - 1].score ? 1 : 0;
  for (std::uint64_t t = out.truth->offsets[q]; t < out.truth->offsets[q + 1]; ++t) {
    const auto at = std::find(items.begin(), items.end(), out.truth->items[t]);
    if (at == items.end()) {  // behind every candidate
      out.ranks->above[t] = out.ranks->candidates[q];
      continue;
    }
    const Scored own{scores[static_cast<std::size_t>(at - items.begin())], ranker.tie(*at), *at};
    const bool ranked = own.score != kCannotScore;
    std::uint32_t above = 0, tied = 0, tied_before = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      above += scores[i] > own.score;
      if (scores[i] == own.score && items[i] != own.item) {
        ++tied;
        if (ranked) tied_before += Scored{scores[i], ranker.tie(items[i]), items[i]}.better_than(own);
      }
    }
    out.ranks->above[t] = above;
    out.ranks->tied[t] = tied;
    out.ranks->rank[t] = ranked ? above + tied_before + 1 : 0;
  }
}

TopK rank_queries(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
                  const Executor& exec, const ItemLists* truth, TruthRanks* ranks) {
  SEGUE_CHECK(k > 0, "recommend() needs k of at least one");
  const std::size_t n_items = model.n_items();
  SEGUE_CHECK(policy.catalogue.empty() || policy.catalogue.size() == n_items, "{} catalogue flags for {} items", policy.catalogue.size(), n_items);
  SEGUE_CHECK(policy.item_keys.empty() || policy.item_keys.size() == n_items, "{} item keys for {} items", policy.item_keys.size(), n_items);
  SEGUE_CHECK(policy.user_keys.empty() || policy.user_keys.size() == queries.size(), "{} user keys for {} queries", policy.user_keys.size(), queries.size());
  SEGUE_CHECK(policy.candidates.empty() || policy.candidates.size() == queries.size(), "{} candidate lists for {} queries", policy.candidates.size(), queries.size());
  SEGUE_CHECK(policy.excluded.empty() || policy.excluded.size() == queries.size(), "{} lists of exclusions for {} queries", policy.excluded.size(), queries.size());
  TopK top;
  top.k = k;
  top.items.assign(queries.size() * k, kNoItem);
  top.scores.assign(queries.size() * k, kCannotScore);
  if (ranks != nullptr) {
    SEGUE_CHECK(truth->size() == queries.size(), "one truth row a query");
    ranks->rank.assign(truth->items.size(), 0);
    ranks->tied.assign(truth->items.size(), 0);
    ranks->above.assign(truth->items.size(), 0);
    ranks->candidates.assign(queries.size(), 0);
    ranks->tie_at_cut.assign(queries.size(), 0);
  }
  const Output out{&top, truth, ranks};
  const auto excluded = [&](std::size_t q) {
    std::vector<ItemIdx> seen;
    if (!policy.excluded.empty()) seen.assign(policy.excluded[q].begin(), policy.excluded[q].end());
    std::sort(seen.begin(), seen.end());
    return seen;
  };

  if (!policy.candidates.empty()) {
    exec.for_blocks(queries.size(), 64, [&](std::size_t begin, std::size_t end) {
      std::vector<ItemIdx> items;
      std::vector<float> scores;
      for (std::size_t q = begin; q < end; ++q) {
        const std::vector<ItemIdx> seen = excluded(q);
        items.clear();
        for (ItemIdx item : policy.candidates[q])
          if (!std::binary_search(seen.begin(), seen.end(), item)) items.push_back(item);
        scores.resize(items.size());
        model.score_candidates(queries[q], items, scores);
        check_scores(scores);
        rank_one(policy, q, items, scores, out);
      }
    });
    return top;
  }

  const std::size_t block = query_block(n_items);
  exec.for_blocks(queries.size(), block, [&](std::size_t begin, std::size_t end) {
    Matrix<float> scores(static_cast<Eigen::Index>(end - begin), static_cast<Eigen::Index>(n_items));
    model.score(queries.subspan(begin, end - begin), scores);
    Compacted allowed(n_items, policy.catalogue);
    for (std::size_t q = begin; q < end; ++q) {
      const std::span<const float> row = row_span(std::as_const(scores), q - begin);
      check_scores(row);
      allowed.assign(row, excluded(q));
      rank_one(policy, q, allowed.items(), allowed.scores(), out);
    }
  });
  return top;
}

}  // namespace

std::size_t query_block(std::size_t n_items) {
  constexpr std::size_t kScores = std::size_t{1} << 21;  // 8 MiB of scores a block
  return std::clamp<std::size_t>(kScores / std::max<std::size_t>(1, n_items) / 8 * 8, 8, 256);
}

TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec) {
  return rank_queries(model, queries, policy, k, exec, nullptr, nullptr);
}

TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec, const ItemLists& truth, TruthRanks& ranks) {
  return rank_queries(model, queries, policy, k, exec, &truth, &ranks);
}

}  // namespace segue
