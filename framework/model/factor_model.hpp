// What models of the form score = <p_u, q_i> + b_i share that are trained by gradient steps: vectors and biases, their
// first values, the learning rate's course, scoring, storing, and users who were not trained on.
#pragma once

#include <span>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/history_row.hpp"
#include "framework/model/iterative.hpp"
#include "framework/param/schema.hpp"

namespace segue {

// s(u, i) = offset + b_u + b_i + <p_u, q_i>. Models without user biases leave them empty.
struct FactorModel {
  float offset = 0;
  Matrix<float> users, items;               // users x d, items x d
  std::vector<float> user_bias, item_bias;  // users or empty, items

  float predict(std::size_t user, std::size_t item) const;
};

enum class RateSchedule { kConstant, kLinear, kInverse };

// The field "schedule" of a parameter struct.
template <class P>
void schedule_field(Schema<P>& schema) {
  schema
      .field("schedule", &P::schedule,
             "of epoch e of n: constant; linear: rate (n - e + 1) / n; inverse: rate / (1 + (e - 1) / 10)")
      .choices({{"constant", RateSchedule::kConstant},
                {"linear", RateSchedule::kLinear},
                {"inverse", RateSchedule::kInverse}});
}

// The step length of epoch 1..epochs.
float scheduled_rate(RateSchedule schedule, float rate, int epoch, int epochs);

class FactorRecommender : public IterativeRecommender, public EmbeddingSpace {
 public:
  std::size_t n_items() const override { return model_.item_bias.size(); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return model_.items; }
  const PackedRows* packed_items() const override { return &packed_items_; }
  std::span<const float> item_biases() const override { return model_.item_bias; }

  // The trained vector; of users without training events fold_in() of the query's history, which is zero where that is
  // empty: then the ranking is that of the item biases.
  void query_vector(const Query& query, std::span<float> out) const override;
  // Offset and user bias are left out: they do not change a user's ranking.
  void score(std::span<const Query> queries, MatRef<float> out) const override;
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override;

  void save(ArchiveWriter& archive) const override;
  void load(const ArchiveReader& archive) override;

 protected:
  // Normal vectors of users and items with training events, zero for others, so that those contribute nothing to a
  // score until a step moves them; zero biases.
  void start(const Csr<ItemIdx>& events, int factors, float stddev, bool user_biases, FitContext& ctx);
  // The vector of a user with this history against the trained items; out is zero before. A function of its arguments
  // and the stored model.
  virtual void fold_in(const HistoryRow& history, std::span<float> out) const = 0;

  // Whether query_vector() is the user's trained vector.
  bool is_trained(UserIdx user) const;

  void prepare_scoring() override { packed_items_ = PackedRows(model_.items); }
  std::vector<std::span<float>> state() override;

  FactorModel model_;

 private:
  PackedRows packed_items_;
};

}  // namespace segue
