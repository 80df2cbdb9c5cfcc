// What item_knn and user_knn share: their parameters, the query's known items, rating baselines, storing. They differ
// in which rows are compared and in how the neighbours' weights are added up; framework/linalg/similarity.hpp compares
// them.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "framework/linalg/rating_bias.hpp"
#include "framework/linalg/similarity.hpp"
#include "framework/model/known_items.hpp"
#include "framework/model/registry.hpp"
#include "framework/param/schema.hpp"

namespace segue {

enum class NeighbourTarget {
  kRanking,  // scores add up the neighbours' weights
  kRatings,  // scores and ratings() are baseline + similarity-weighted mean of the neighbours' deviations from theirs
};

struct NeighbourhoodParams {
  NeighbourTarget target = NeighbourTarget::kRanking;
  int neighbours = 50;
  Similarity similarity = Similarity::kCosine;
  Weighting weighting = Weighting::kNone;
  double bm25_k1 = 1.2;  // Robertson & Zaragoza 2009, section 3.5: 1.2 to 2 and 0.5 to 0.8 serve well
  double bm25_b = 0.75;
  double shrinkage = 0;
  double min_similarity = 0;
  bool normalise = false;
  int kept = 1000;
  double reg_user = 5;  // see algorithms/bias/README.md
  double reg_item = 2.5;

  // Every event meets the other events of its column; scattered additions cost some ten flop each.
  double fit_flop(const DataShape& s) const { return 20 * s.events * s.events / std::min(s.users, s.items); }
  double fit_bytes(const DataShape& s) const { return 8 * s.events; }  // the matrix, kept for queries without a history
  static Schema<NeighbourhoodParams> schema();
};

class NeighbourhoodModel : public Recommender, public RatingPredictor {
 public:
  // UsageError for a weighting with a similarity other than cosine.
  explicit NeighbourhoodModel(NeighbourhoodParams params);

  // UsageError where the similarity compares ratings and all weights are alike.
  void fit(const TrainData& data, FitContext& ctx) final;
  void score(std::span<const Query> queries, MatRef<float> out) const final;
  void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const final;
  std::size_t n_items() const final { return train_.cols(); }
  void save(ArchiveWriter& archive) const final;
  void load(const ArchiveReader& archive) final;
  const RatingPredictor* ratings() const final { return rates() ? this : nullptr; }

 protected:
  // Who asks, and what is known of them: the query's history where it has one (see KnownItems), else the training row.
  // For ratings a history without weights says nothing, and is passed over.
  struct Profile : WeightedItems {
    UserIdx user = kNoUser;
    bool trained = false;           // has a training row
    std::vector<float> deviations;  // weights less their baselines; empty without baselines
    double bias = 0;                // b_u
  };

  // Neighbour lists of the rows that this model compares. by_user: what is compared, weights or deviations.
  virtual NeighbourLists find_neighbours(const Csr<ItemIdx>& by_user, const Executor& exec) = 0;
  // Makes what scoring needs beyond train(), compared(), lists() and bias(); called after fit and load.
  virtual void prepare() {}
  // out, all zeros, one an item: the score when ranking, the deviation from the baseline for ratings.
  virtual void add_scores(const Profile& profile, std::span<float> out) const = 0;
  // The same bits for some items only. Default: through add_scores().
  virtual void scores_of(const Profile& profile, std::span<const ItemIdx> items, std::span<float> out) const;

  bool rates() const { return params_.target == NeighbourTarget::kRatings; }
  bool has_baselines() const { return rates() || params_.similarity == Similarity::kCommonCosine; }
  bool compares_deviations() const { return params_.similarity == Similarity::kCommonCosine; }
  const NeighbourhoodParams& params() const { return params_; }
  const Csr<ItemIdx>& train() const { return train_; }
  const Csr<ItemIdx>& deviations() const { return deviations_; }  // of train() from the baselines; empty without them
  const Csr<ItemIdx>& compared() const { return compares_deviations() ? deviations_ : train_; }
  const NeighbourLists& lists() const { return lists_; }
  SimilarityOptions similarity_options() const;
  // How long lists must be: `neighbours` to rank; to rate, more, since only those who rated the item count.
  std::size_t list_length() const;

 private:
  Profile profile_of(const Query& query, KnownItems& known) const;

  NeighbourhoodParams params_;
  Csr<ItemIdx> train_;
  Csr<ItemIdx> deviations_;
  RatingBias bias_;
  NeighbourLists lists_;
};

}  // namespace segue
