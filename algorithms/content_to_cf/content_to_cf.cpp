// The vectors that a factor model would have learned for items, worked out of what is known about them. See README.md.
#include <algorithm>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/linalg/sparse_ridge.hpp"
#include "framework/model/components.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/item_content.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct ContentToCfParams : ItemContentSettings {
  enum class Replace { kCold, kAll };
  AlgorithmSpec teacher = "implicit_als";
  double reg = 3;
  double shrinkage = 5;
  Replace replace = Replace::kCold;

  std::vector<AlgorithmSpec> components() const { return {teacher}; }
  // The inverse of a matrix of as many rows as there are terms in use, or items: some thousands.
  double fit_flop(const DataShape& s) const {
    const double features = std::min(s.items, 3000.0);
    return features * features * features + 1000 * s.items + 10 * s.events;
  }
  double fit_bytes(const DataShape& s) const {
    const double features = std::min(s.items, 3000.0);
    return 8 * features * features + 2000 * s.items;
  }
  static Schema<ContentToCfParams> schema() {
    using P = ContentToCfParams;
    Schema<P> s;
    s.field("teacher", &P::teacher, "the model whose item vectors are learned: any that scores by inner products");
    text::item_term_fields(s);
    sound_field(s);
    s.field("reg", &P::reg, "L2 penalty on the regression's weights, lambda").above(0.0).search(log_scale, 0.1, 30);
    s.field("shrinkage", &P::shrinkage, "an item of n events counts n / (n + shrinkage): few events teach little")
        .range(0.0, 1e6)
        .search(log_scale, 0.5, 50);
    s.field("replace", &P::replace,
            "which items have regressed vectors: cold (those without training events) or all, for comparison")
        .choices({{"cold", Replace::kCold}, {"all", Replace::kAll}});
    return s;
  }
};

class ContentToCf final : public Recommender, public EmbeddingSpace {
 public:
  ContentToCf(ContentToCfParams params, std::vector<Component> components)
      : params_(std::move(params)), teacher_maker_(std::move(components.front())) {
    if (!params_.any())
      throw UsageError("content_to_cf learns from tags, words, artist, title and sound, and all five weigh 0");
  }

  void fit(const TrainData& data, FitContext& ctx) override {
    teacher_ = fit_component(teacher_maker_, 0, data, ctx);
    const EmbeddingSpace& space = taught();
    const Matrix<float>& vectors = space.item_vectors();
    const std::span<const float> biases = space.item_biases();
    // The bias is one more number to learn.
    Matrix<float> targets(vectors.rows(), vectors.cols() + (biases.empty() ? 0 : 1));
    targets.leftCols(vectors.cols()) = vectors;
    for (std::size_t i = 0; i < biases.size(); ++i) targets(static_cast<Eigen::Index>(i), vectors.cols()) = biases[i];

    const std::size_t n = data.train.n_items();
    std::vector<double> events(n, 0), weights(n, 0);
    for (const ItemIdx item : data.train.by_user().all_indices()) events[raw(item)] += 1;
    for (std::size_t i = 0; i < n; ++i)
      if (events[i] > 0) weights[i] = events[i] / (events[i] + params_.shrinkage);
    const Csr<ItemIdx> features = item_content(data, params_, "content_to_cf");
    const Matrix<double> regression = sparse_ridge(features, weights, targets, params_.reg, ctx.exec);

    items_ = vectors;
    biases_.assign(biases.begin(), biases.end());
    for (std::size_t i = 0; i < n; ++i) {
      if (params_.replace == ContentToCfParams::Replace::kCold && events[i] > 0) continue;
      Vector<double> sum = Vector<double>::Zero(targets.cols());
      for (std::size_t e = 0; e < features.row_size(i); ++e)
        sum += static_cast<double>(features.values(i)[e]) * regression.row(raw(features.indices(i)[e])).transpose();
      const auto row = static_cast<Eigen::Index>(i);
      for (Eigen::Index d = 0; d < items_.cols(); ++d) items_(row, d) = static_cast<float>(sum[d]);
      if (!biases_.empty()) biases_[i] = static_cast<float>(sum[items_.cols()]);
    }
    packed_ = PackedRows(items_);
  }

  std::size_t n_items() const override { return static_cast<std::size_t>(items_.rows()); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  std::span<const float> item_biases() const override { return biases_; }
  const PackedRows* packed_items() const override { return &packed_; }
  void query_vector(const Query& query, std::span<float> out) const override { taught().query_vector(query, out); }

  void score(std::span<const Query> queries, MatRef<float> out) const override { score_packed(*this, queries, out); }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_matrix("items", items_);
    archive.put("biases", std::span<const float>(biases_));
    save_component(archive, 0, *teacher_);
  }
  void load(const ArchiveReader& archive) override {
    items_ = archive.matrix("items");
    biases_ = archive.floats("biases");
    packed_ = PackedRows(items_);
    teacher_ = load_component(archive, 0, teacher_maker_);
  }

 private:
  const EmbeddingSpace& taught() const {
    if (const EmbeddingSpace* space = teacher_->embeddings()) return *space;
    throw UsageError("content_to_cf learns vectors, and its teacher '{}' has none; take for example implicit_als",
                     teacher_maker_.name);
  }

  ContentToCfParams params_;
  Component teacher_maker_;
  std::unique_ptr<Recommender> teacher_;
  Matrix<float> items_;
  std::vector<float> biases_;
  PackedRows packed_;
};

}  // namespace

SEGUE_ALGORITHM(
    content_to_cf, ContentToCf, ContentToCfParams,
    {.name = "content_to_cf",
     .summary = "a factor model whose vectors of unheard items are worked out of their tags, words and sound",
     .citation = "van den Oord, Dieleman & Schrauwen 2013, Deep content-based music recommendation, NIPS; Gantner, "
                 "Drumond, Freudenthaler, Rendle & Schmidt-Thieme 2010, Learning attribute-to-feature mappings for "
                 "cold-start recommendations, ICDM",
     .family = "hybrid",
     .embeddings = true})

}  // namespace segue
