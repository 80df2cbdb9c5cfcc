// What an algorithm is. A recommender sees training data and queries; never test data, metrics, stores or YAML.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/facets.hpp"
#include "framework/data/interactions.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/model/archive.hpp"
#include "framework/model/query.hpp"

namespace segue {

class Checkpoints;
class PackedRows;
class Recommender;

struct TrainData {
  const Interactions& train;     // users x items
  const Histories& histories;    // the same events per user, oldest first
  const Facets& facets;
};

// Where a fit reports what it is doing. Calls come from the thread that called fit().
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void step(std::size_t done, std::size_t total, std::string_view unit) { (void)done, (void)total, (void)unit; }
  // A point of the learning curve: series (without '/') such as "loss" or "validation ndcg@10", one value an epoch.
  virtual void record(std::string_view series, int epoch, double value) { (void)series, (void)epoch, (void)value; }
  virtual void epoch_seconds(double seconds) { (void)seconds; }
};

// When to stop before the last epoch. Part of a fit's identity.
struct StoppingPolicy {
  int patience = 0;  // checks without improvement before stopping; 0: run every epoch
  int every = 1;     // epochs between checks
};

struct FitContext {
  const Executor& exec;
  Rng rng;
  Progress& progress;
  // The early-stopping metric on validation data, which the model never sees; higher is better. Empty without one.
  std::function<double(const Recommender&)> validate{};
  StoppingPolicy stopping{};
  Checkpoints* checkpoints = nullptr;  // where a fit in epochs keeps what it needs to be resumed; nullptr: nowhere
};

// Predicts a rating on the scale of the training weights.
class RatingPredictor {
 public:
  virtual ~RatingPredictor() = default;
  // out[i] = rating of items[i] by users[i]; finite for every pair, seen or not. Thread-safe.
  virtual void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const = 0;
};

// Score = <query vector, item vector> + item bias: retrieval by inner product, similar items, explanations.
class EmbeddingSpace {
 public:
  virtual ~EmbeddingSpace() = default;
  virtual const Matrix<float>& item_vectors() const = 0;               // items x d
  virtual std::span<const float> item_biases() const { return {}; }    // items, or empty
  virtual void query_vector(const Query& query, std::span<float> out) const = 0;  // d
  // item_vectors() packed, from a model whose scores are those of embedding_scores.hpp to the last bit: recommend() then
  // ranks scores while they are in cache and never writes them out. nullptr: goes through score().
  virtual const PackedRows* packed_items() const { return nullptr; }
};

// What scores say about probabilities.
class ScoreMeaning {
 public:
  enum class Kind {
    kLogit,    // sigmoid(score + shift) is the probability of this user and this item, whatever else there is
    kSoftmax,  // the softmax of a query's scores over its candidates is the probability that the next one is this item
  };
  virtual ~ScoreMeaning() = default;
  virtual Kind kind() const = 0;
  // What score() leaves out because it is the same for all items of a query (kLogit). Thread-safe.
  virtual float shift(const Query& query) const { return (void)query, 0.0f; }
};

class Recommender {
 public:
  virtual ~Recommender() = default;
  // Learns from data only; same bits for the same (data, rng) whatever exec.threads() is. Called once.
  virtual void fit(const TrainData& data, FitContext& ctx) = 0;
  // Writes every element of out (queries x items). Higher is better; -inf = cannot score. const, thread-safe.
  virtual void score(std::span<const Query> queries, MatRef<float> out) const = 0;
  // The same numbers, bit for bit, for one query and a list of candidates. Default: through score().
  virtual void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const;
  // Number of items a score row has; known after fit() or load().
  virtual std::size_t n_items() const = 0;
  // After load() the model scores with the same bits as the one that was saved.
  virtual void save(ArchiveWriter& archive) const = 0;
  virtual void load(const ArchiveReader& archive) = 0;
  // What only some models have is an optional view, not a virtual that throws.
  virtual const RatingPredictor* ratings() const { return nullptr; }
  virtual const EmbeddingSpace* embeddings() const { return nullptr; }
  // Probabilities as the model was trained: with sampled negatives, those among its samples. nullptr: only the order counts.
  virtual const ScoreMeaning* score_meaning() const { return nullptr; }
};

}  // namespace segue
