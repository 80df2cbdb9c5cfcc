// Recommenders that read a user's events in order: training and scoring, once for SASRec, BERT4Rec and GRU4Rec. A model
// gives an encoder; the score of an item is the product of its vector and the last state of the query's history.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "framework/linalg/scoring.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/sequence_net.hpp"
#include "framework/model/sequence_params.hpp"

namespace segue {

class SequenceRecommender : public IterativeRecommender, public EmbeddingSpace, public ScoreMeaning {
 public:
  // UsageError where parameters contradict each other.
  explicit SequenceRecommender(const SequenceParams& params);

  std::size_t n_items() const override { return static_cast<std::size_t>(vectors_.rows()); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return vectors_; }
  std::span<const float> item_biases() const override { return biases_; }
  const PackedRows* packed_items() const override { return &packed_; }
  // Probabilities where the loss makes them: of the softmax losses those of the next item, of bce those of a pair among
  // its negatives.
  const ScoreMeaning* score_meaning() const override;
  Kind kind() const override { return shared_.loss == SequenceLoss::kBce ? Kind::kLogit : Kind::kSoftmax; }
  // The last state of the latest max_length events of the history (of the current session, with sequences: sessions,
  // unless that is empty). Zero for an empty history: then the ranking is that of the biases.
  void query_vector(const Query& query, std::span<float> out) const override;
  void score(std::span<const Query> queries, MatRef<float> out) const override;
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override;

  void save(ArchiveWriter& archive) const override;
  void load(const ArchiveReader& archive) override;

 protected:
  // The encoder's weights, with their first values.
  virtual nn::ParamStore<float> make_weights(const Rng& rng) const = 0;
  virtual std::unique_ptr<SequenceEncoder<float>> make_encoder(const nn::ParamStore<float>& weights) const = 0;

  // How a window of training events becomes tokens. Default: event n is to predict event n + 1. `longest`: events of a
  // window; tokens_of(events of a window): its tokens; lay_out() writes them, rng is the window's own in this epoch.
  virtual std::size_t longest() const { return static_cast<std::size_t>(shared_.max_length) + 1; }
  virtual std::size_t tokens_of(std::size_t events) const { return events - 1; }
  virtual void lay_out(std::span<const std::uint32_t> events, Rng rng, std::span<std::uint32_t> inputs,
                       std::span<std::uint32_t> targets) const;
  // counts[i] += how often a window of these events is expected to have item i as a target.
  virtual void add_expected_targets(std::span<const std::uint32_t> events, std::span<double> counts) const;
  // The tokens whose last state is the query's vector, at most max_length; `history`: known items, not empty.
  virtual std::vector<std::uint32_t> query_tokens(std::span<const std::uint32_t> history) const;

  int epochs() const override { return shared_.epochs; }
  void begin(const TrainData& data, FitContext& ctx) override;
  Losses run_epoch(int epoch, const TrainData& data, FitContext& ctx) override;
  void prepare_scoring() override;
  std::vector<std::span<float>> state() override;
  // state() and the optimizers' moments: run_epoch() is a function of these, the data and the generator.
  std::vector<std::span<float>> training_state() override;

  const SequenceParams& shared() const { return shared_; }
  // Between begin() and the end of fit(): see ItemSide::log_q.
  std::vector<float> log_q() const;

 private:
  struct Training;  // what only fit() needs
  void build(std::size_t items, const Rng& rng);
  SequenceBatch make_batch(std::span<const std::uint32_t> windows, int epoch, std::size_t index, const TrainData& data,
                           FitContext& ctx) const;
  bool takes_all(std::size_t items) const;
  bool draws_evenly(std::size_t items) const;  // every item is in a batch's pool with the same probability
  double step(const SequenceBatch& batch, const Rng& rng, std::uint64_t total_steps, const Executor& exec);

  SequenceParams shared_;
  std::unique_ptr<SequenceNet<float>> net_;
  std::shared_ptr<Training> training_;
  Matrix<float> vectors_;
  std::vector<float> biases_;
  PackedRows packed_;
};

}  // namespace segue
