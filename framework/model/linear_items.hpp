// What ease, slim, rp3beta and pure_svd share: a score is linear in what the user has, so that known and unseen users
// are scored alike, from their histories: x, one row of the matrix X that the model was fitted on, made from the query.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/history_product.hpp"
#include "framework/model/known_items.hpp"
#include "framework/model/recommender.hpp"
#include "framework/param/schema.hpp"

namespace segue {

// What an event counts for in X.
enum class EventWeights {
  kBinary,  // 1 where its weight is above zero; other events are left out
  kGiven,   // its weight; models that need X >= 0 leave out what is not above zero
};

// Fits on X, keeps it, and makes x of a query.
class LinearItems : public Recommender {
 public:
  void fit(const TrainData& data, FitContext& ctx) final;
  void score(std::span<const Query> queries, MatRef<float> out) const final;
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const final;
  std::size_t n_items() const final { return x_.cols(); }
  void save(ArchiveWriter& archive) const final;
  void load(const ArchiveReader& archive) final;

 protected:
  LinearItems(EventWeights weights, bool positive) : weights_(weights), positive_(positive) {}

  virtual void learn(const Csr<ItemIdx>& x, FitContext& ctx) = 0;
  // out(q, .): scores from row q; each a function of that row alone, however many there are.
  virtual void product(std::span<const WeightedItems> rows, MatRef<float> out) const = 0;
  // The same bits for some items only. Default: through product().
  virtual void product_of(const WeightedItems& row, std::span<const ItemIdx> candidates, std::span<float> out) const;
  virtual void save_weights(ArchiveWriter& archive) const = 0;
  virtual void load_weights(const ArchiveReader& archive) = 0;

  // x: the query's history where it has one (see KnownItems), else the row that the user had in training.
  WeightedItems row_of(const Query& query, KnownItems& known) const;

 private:
  bool counts(float weight) const { return weights_ == EventWeights::kBinary || positive_ ? weight > 0 : weight != 0; }

  EventWeights weights_;
  bool positive_;
  Csr<ItemIdx> x_;
};

// Item weights that are mostly zero: score_j = sum over i of x_i B(i, j), added up over ascending i.
class SparseLinearItems : public LinearItems {
 protected:
  using LinearItems::LinearItems;
  void set_weights(Csr<std::uint32_t> b);

  void product(std::span<const WeightedItems> rows, MatRef<float> out) const final;
  void save_weights(ArchiveWriter& archive) const final;
  void load_weights(const ArchiveReader& archive) final;

 private:
  Csr<std::uint32_t> b_;  // row i: the items whose scores item i adds to
  PackedSquare dense_;    // the same, where so many are above zero that whole rows are added up faster; else empty
};

// The parameter `weights` of these models.
template <class P>
void event_weights_field(Schema<P>& schema) {
  schema.field("weights", &P::weights, "what an event counts for: 1, or its weight")
      .choices({{"binary", EventWeights::kBinary}, {"given", EventWeights::kGiven}});
}

// UsageError, saying how much memory it takes, where a model of `algorithm` holds `bytes` for each pair of items and
// that is more than `limit_gib`.
void check_dense_fits(std::string_view algorithm, std::size_t items, double bytes, double limit_gib);

}  // namespace segue
