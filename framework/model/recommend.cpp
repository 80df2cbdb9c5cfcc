#include "framework/model/recommend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/ranking.hpp"

namespace segue {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kWidth = QueryRanker::kWidth;
// Queries that share one pass over packed items: 24 KB at 64 dimensions, in L1 beside a panel of items.
constexpr std::size_t kStreamed = 8 * PackedQueries::kGroup;
constexpr double kSafe = 1e38;  // scores below this in magnitude are finite, with room for rounding

[[noreturn]] void refuse(std::span<const float> scores) {
  const auto culprit = std::find_if(scores.begin(), scores.end(), [](float s) { return !(s < kInfinity); });
  throw UsageError("the model returned a score of {}; training has probably diverged", *culprit);
}

// One call of recommend().
class Ranking {
 public:
  Ranking(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
          const ItemLists* truth, TruthRanks* ranks)
      : model_(model), queries_(queries), policy_(policy), k_(k), truth_(truth), ranks_(ranks) {
    SEGUE_CHECK(k > 0, "recommend() needs k of at least one");
    n_items_ = model.n_items();
    const auto fits = [](std::size_t size, std::size_t wanted, const char* what, const char* of) {
      SEGUE_CHECK(size == 0 || size == wanted, "{} {} for {} {}", size, what, wanted, of);
    };
    fits(policy.catalogue.size(), n_items_, "catalogue flags", "items");
    fits(policy.item_keys.size(), n_items_, "item keys", "items");
    fits(policy.user_keys.size(), queries.size(), "user keys", "queries");
    SEGUE_CHECK(policy.candidates.empty() || policy.candidates.size() == queries.size(),
                "{} candidate lists for {} queries", policy.candidates.size(), queries.size());
    SEGUE_CHECK(policy.excluded.empty() || policy.excluded.size() == queries.size(),
                "{} lists of exclusions for {} queries", policy.excluded.size(), queries.size());
    top_.k = k;
    top_.items.assign(queries.size() * k, kNoItem);
    top_.scores.assign(queries.size() * k, QueryRanker::kCannotScore);
    if (ranks == nullptr) return;
    SEGUE_CHECK(truth->size() == queries.size(), "one truth row a query");
    ranks->rank.assign(truth->items.size(), 0);
    ranks->tied.assign(truth->items.size(), 0);
    ranks->above.assign(truth->items.size(), 0);
    ranks->candidates.assign(queries.size(), 0);
    ranks->tie_at_cut.assign(queries.size(), 0);
  }

  TopK run(const Executor& exec) {
    if (!policy_.candidates.empty()) {
      exec.for_blocks(queries_.size(), 64, [&](std::size_t begin, std::size_t end) { rank_lists(begin, end); });
      return std::move(top_);
    }
    const CandidateBits catalogue(n_items_, policy_.catalogue);
    const EmbeddingSpace* space = model_.embeddings();
    const PackedRows* packed = space == nullptr ? nullptr : space->packed_items();
    if (packed == nullptr) {
      exec.for_blocks(queries_.size(), query_block(n_items_),
                      [&](std::size_t begin, std::size_t end) { rank_dense(begin, end, catalogue); });
      return std::move(top_);
    }
    SEGUE_CHECK(packed->rows() == n_items_, "{} packed rows for {} items", packed->rows(), n_items_);
    double largest_bias = 0;
    for (float b : space->item_biases())
      largest_bias = std::abs(b) <= kSafe ? std::max(largest_bias, double{std::abs(b)}) : double{kInfinity};
    exec.for_blocks(queries_.size(), kStreamed, [&](std::size_t begin, std::size_t end) {
      rank_streamed(begin, end, catalogue, *space, *packed, largest_bias);
    });
    return std::move(top_);
  }

 private:
  TieKeys ties(std::size_t q) const {
    return {policy_.task_seed, policy_.user_keys.empty() ? 0 : policy_.user_keys[q], policy_.item_keys};
  }
  std::span<const ItemIdx> excluded(std::size_t q) const {
    return policy_.excluded.empty() ? std::span<const ItemIdx>{} : policy_.excluded[q];
  }
  // Clears what query q excludes from its words, `stride` apart; how many candidates remain.
  std::size_t exclude(std::size_t q, const CandidateBits& catalogue, std::uint32_t* words, std::size_t stride) const {
    std::size_t left = catalogue.count();
    for (ItemIdx item : excluded(q)) {
      if (raw(item) >= n_items_) continue;
      std::uint32_t& word = words[raw(item) / kWidth * stride];
      const std::uint32_t bit = 1u << raw(item) % kWidth;
      left -= (word & bit) != 0;
      word &= ~bit;
    }
    return left;
  }

  // score_of(item): of a candidate, or nullptr for any other item.
  template <class ScoreOf>
  void ask_for_truth(std::size_t q, std::size_t candidates, QueryRanker& ranker, ScoreOf score_of) {
    if (ranks_ == nullptr) return;
    ranks_->candidates[q] = static_cast<std::uint32_t>(candidates);
    for (std::uint64_t t = truth_->offsets[q]; t < truth_->offsets[q + 1]; ++t) {
      const ItemIdx item = truth_->items[t];
      if (const float* score = score_of(item)) {
        ranker.add_truth(t, item, *score);
      } else {
        ranks_->above[t] = ranks_->candidates[q];  // behind every candidate
      }
    }
  }

  static bool is_candidate(ItemIdx item, const std::uint32_t* words, std::size_t stride, std::size_t n_items) {
    return raw(item) < n_items && (words[raw(item) / kWidth * stride] >> raw(item) % kWidth & 1) != 0;
  }

  // All scores of one query; UsageError where one is NaN or +inf, candidate or not.
  static void take_row(QueryRanker& ranker, std::span<const float> row, const std::uint32_t* allowed) {
    const Lanes limit = Lanes::all(kInfinity);
    std::size_t first = 0;
    for (; first + kWidth <= row.size(); first += kWidth) {
      const float* scores = row.data() + first;
      if ((above(limit, Lanes::load(scores)) & above(limit, Lanes::load(scores + Lanes::kCount))) != 0xffff)
        refuse(row);
      ranker.take(first, scores, allowed[first / kWidth]);
    }
    if (first == row.size()) return;
    float rest[kWidth] = {};
    std::copy(row.begin() + static_cast<std::ptrdiff_t>(first), row.end(), rest);
    for (float s : rest)
      if (!(s < kInfinity)) refuse(row);
    ranker.take(first, rest, allowed[first / kWidth]);
  }

  void finish(std::size_t q, QueryRanker& ranker, std::vector<QueryRanker::Scored>& best) {
    ranker.best(best);
    for (std::size_t i = 0; i < std::min(k_, best.size()); ++i) {
      top_.items[q * k_ + i] = best[i].item;
      top_.scores[q * k_ + i] = best[i].score;
    }
    if (ranks_ == nullptr) return;
    ranks_->tie_at_cut[q] = best.size() > k_ && best[k_].score == best[k_ - 1].score ? 1 : 0;
    for (const QueryRanker::Truth& t : ranker.truth()) {
      ranks_->above[t.row] = t.above;
      ranks_->tied[t.row] = t.tied;
      ranks_->rank[t.row] = t.score == QueryRanker::kCannotScore ? 0 : t.above + t.tied_before + 1;
    }
  }

  void rank_lists(std::size_t begin, std::size_t end) {
    std::vector<ItemIdx> items, seen;
    std::vector<float> scores;
    QueryRanker ranker;
    std::vector<QueryRanker::Scored> best;
    for (std::size_t q = begin; q < end; ++q) {
      seen.assign(excluded(q).begin(), excluded(q).end());
      std::sort(seen.begin(), seen.end());
      items.clear();
      for (ItemIdx item : policy_.candidates[q])
        if (!std::binary_search(seen.begin(), seen.end(), item)) items.push_back(item);
      scores.resize(items.size());
      model_.score_candidates(queries_[q], items, scores);
      ranker.begin(k_, ties(q), items.size(), items);
      ask_for_truth(q, items.size(), ranker, [&](ItemIdx item) -> const float* {
        const auto at = std::find(items.begin(), items.end(), item);
        return at == items.end() ? nullptr : &scores[static_cast<std::size_t>(at - items.begin())];
      });
      const CandidateBits all(items.size(), {});
      take_row(ranker, scores, all.words().data());
      finish(q, ranker, best);
    }
  }

  void rank_dense(std::size_t begin, std::size_t end, const CandidateBits& catalogue) {
    Matrix<float> scores(static_cast<Eigen::Index>(end - begin), static_cast<Eigen::Index>(n_items_));
    model_.score(queries_.subspan(begin, end - begin), scores);
    std::vector<std::uint32_t> allowed(catalogue.words().begin(), catalogue.words().end());
    QueryRanker ranker;
    std::vector<QueryRanker::Scored> best;
    for (std::size_t q = begin; q < end; ++q) {
      const std::span<const float> row = row_span(std::as_const(scores), q - begin);
      const std::size_t candidates = exclude(q, catalogue, allowed.data(), 1);
      ranker.begin(k_, ties(q), n_items_);
      ask_for_truth(q, candidates, ranker, [&](ItemIdx item) {
        return is_candidate(item, allowed.data(), 1, n_items_) ? &row[raw(item)] : nullptr;
      });
      take_row(ranker, row, allowed.data());
      finish(q, ranker, best);
      for (ItemIdx item : excluded(q))
        if (raw(item) < n_items_) allowed[raw(item) / kWidth] = catalogue.words()[raw(item) / kWidth];
    }
  }

  // Panels of items outside, queries inside: scores are ranked where the tile leaves them, in L1.
  void rank_streamed(std::size_t begin, std::size_t end, const CandidateBits& catalogue, const EmbeddingSpace& space,
                     const PackedRows& packed, double largest_bias) {
    const std::size_t count = end - begin, panels = packed.panels();
    Matrix<float> vectors(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(packed.dims()));
    double bound = 0;
    for (std::size_t q = 0; q < count; ++q) {
      space.query_vector(queries_[begin + q], row_span(vectors, q));
      const double own = packed.bound(row_span(vectors, q));
      bound = own < kSafe ? std::max(bound, own) : double{kInfinity};
    }
    if (!(bound + largest_bias < kSafe)) {  // some score may be NaN or infinite: look at each
      for (std::size_t q = begin; q < end; q += query_block(n_items_))
        rank_dense(q, std::min(end, q + query_block(n_items_)), catalogue);
      return;
    }
    std::vector<std::uint32_t> allowed(panels * count);
    for (std::size_t p = 0; p < panels; ++p) std::fill_n(&allowed[p * count], count, catalogue.words()[p]);
    std::vector<QueryRanker> rankers(count);
    for (std::size_t q = 0; q < count; ++q) {
      const std::size_t candidates = exclude(begin + q, catalogue, allowed.data() + q, count);
      rankers[q].begin(k_, ties(begin + q), n_items_);
      float score = 0;
      ask_for_truth(begin + q, candidates, rankers[q], [&](ItemIdx item) -> const float* {
        if (!is_candidate(item, allowed.data() + q, count, n_items_)) return nullptr;
        const auto wanted = static_cast<std::uint32_t>(raw(item));
        packed.score_rows(row_span(vectors, q), space.item_biases(), {&wanted, 1}, {&score, 1});
        return &score;
      });
    }
    const PackedQueries grouped(vectors);
    PackedRows::Tile tiles[PackedRows::kNarrow];
    const std::size_t step = count <= 2 ? PackedRows::kNarrow : 1;
    for (std::size_t p = 0; p < panels; p += step) {
      const std::span<PackedRows::Tile> now(tiles, std::min(step, panels - p));
      for (std::size_t g = 0; g < grouped.groups(); ++g) {
        packed.score_tiles(grouped, g, space.item_biases(), p, now);
        const std::size_t first = g * PackedQueries::kGroup;
        for (std::size_t q = first; q < first + grouped.count(g); ++q)
          for (std::size_t t = 0; t < now.size(); ++t)
            rankers[q].take((p + t) * kWidth, now[t][q - first], allowed[(p + t) * count + q]);
      }
    }
    std::vector<QueryRanker::Scored> best;
    for (std::size_t q = 0; q < count; ++q) finish(begin + q, rankers[q], best);
  }

  const Recommender& model_;
  std::span<const Query> queries_;
  const CandidatePolicy& policy_;
  std::size_t k_, n_items_ = 0;
  const ItemLists* truth_;
  TruthRanks* ranks_;
  TopK top_;
};

static_assert(PackedRows::kPanel == kWidth);

}  // namespace

std::size_t query_block(std::size_t n_items) {
  constexpr std::size_t kScores = std::size_t{1} << 21;  // 8 MiB of scores a block
  return std::clamp<std::size_t>(kScores / std::max<std::size_t>(1, n_items) / 8 * 8, 8, 256);
}

TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec) {
  return Ranking(model, queries, policy, k, nullptr, nullptr).run(exec);
}

TopK recommend(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
               const Executor& exec, const ItemLists& truth, TruthRanks& ranks) {
  return Ranking(model, queries, policy, k, &truth, &ranks).run(exec);
}

}  // namespace segue
