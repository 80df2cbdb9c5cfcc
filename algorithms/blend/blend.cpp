// One list of several: weighted scores, fused ranks, or learned weights. See README.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/model/components.hpp"
#include "framework/model/history_query.hpp"
#include "framework/model/inner_split.hpp"
#include "framework/model/list_ranker.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/score_fusion.hpp"
#include "framework/model/stages.hpp"

namespace segue {

namespace {

struct BlendParams {
  enum class Method { kWeighted, kRrf, kLearned };
  std::vector<AlgorithmSpec> of{"implicit_als", "item_knn"};
  Method method = Method::kLearned;
  std::vector<double> weights;
  double smoothing = 60;  // Cormack et al. 2009
  double holdout = 0.2;
  HoldoutBy holdout_by = HoldoutBy::kTime;
  int candidates = 100;

  std::vector<AlgorithmSpec> components() const { return of; }
  // Of learned weights: scores of all items for every user, once.
  double fit_flop(const DataShape& s) const {
    return 50 * s.events + (method == Method::kLearned ? 100 * s.users * s.items * static_cast<double>(of.size()) : 0);
  }
  static Schema<BlendParams> schema() {
    using P = BlendParams;
    Schema<P> s;
    s.field("of", &P::of, "the algorithms, such as [tfidf, implicit_als: {factors: 32}]");
    s.field("method", &P::method,
            "weighted: standardised scores; rrf: reciprocal rank fusion; learned: weighted, with weights that explain "
            "best what each user heard last")
        .choices({{"weighted", Method::kWeighted}, {"rrf", Method::kRrf}, {"learned", Method::kLearned}});
    s.field("weights", &P::weights, "weighted and rrf: one an algorithm; empty: all alike").range(-1000, 1000);
    s.field("smoothing", &P::smoothing, "rrf: the constant of 1 / (smoothing + rank)").range(0.0, 1e6);
    s.field("holdout", &P::holdout, "learned: share of the latest training events, which weights are learned from")
        .range(0.01, 0.9);
    s.field("holdout_by", &P::holdout_by,
            "time: the latest events of all, as in a split in time; user: of each user, as in leave_last_out")
        .choices({{"time", HoldoutBy::kTime}, {"user", HoldoutBy::kUser}});
    s.field("candidates", &P::candidates, "learned: best of each algorithm that are compared").range(1, 100000);
    return s;
  }
};

class Blend final : public Recommender, public StagedScores {
 public:
  Blend(BlendParams params, std::vector<Component> components)
      : params_(std::move(params)), makers_(std::move(components)), names_(component_names(makers_)) {
    if (makers_.empty()) throw UsageError("blend needs algorithms, such as of: [implicit_als, tfidf]");
    if (!params_.weights.empty() && params_.weights.size() != makers_.size())
      throw UsageError("blend has {} weights for {} algorithms", params_.weights.size(), makers_.size());
    if (!params_.weights.empty() && params_.method == BlendParams::Method::kLearned)
      throw UsageError("blend has weights, and method: learned learns them; leave them out, or take method: weighted");
    for (std::size_t k = 0; k < makers_.size(); ++k)
      weights_.push_back(params_.weights.empty() ? 1.0f : static_cast<float>(params_.weights[k]));
  }

  void fit(const TrainData& data, FitContext& ctx) override {
    if (params_.method == BlendParams::Method::kLearned) learn_weights(data, ctx);
    models_ = fit_components(makers_, data, ctx);
  }

  std::size_t n_items() const override { return models_.empty() ? 0 : models_.front()->n_items(); }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    score_each(queries, out);
  }

  void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const override {
    std::ranges::fill(out, -std::numeric_limits<float>::infinity());
    Matrix<float> all = component_scores(models_, query, [&](std::size_t k) { lap(names_[k]); });
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const std::span<float> scores = row_span(all, k);
      if (params_.method == BlendParams::Method::kRrf)
        reciprocal_ranks(scores, heard_flags(query, n_items()), params_.smoothing);
      else
        standardise_scores(scores);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!std::isfinite(scores[i])) continue;  // who cannot score an item says nothing about it
        out[i] = (std::isfinite(out[i]) ? out[i] : 0.0f) + weights_[k] * scores[i];
      }
    }
    lap("fusion");
  }

  void save(ArchiveWriter& archive) const override {
    save_components(archive, models_);
    archive.put("weights", std::span<const float>(weights_));
  }
  void load(const ArchiveReader& archive) override {
    models_ = load_components(archive, makers_);
    weights_ = archive.floats("weights");
  }

 private:
  // The best of each algorithm that the user has not heard, ascending, and their standardised scores: items x
  // algorithms.
  std::pair<std::vector<ItemIdx>, Matrix<float>> candidates(const ComponentModels& models, const Query& query) const {
    Matrix<float> all = component_scores(models, query);
    const std::vector<std::uint8_t> heard = heard_flags(query, static_cast<std::size_t>(all.cols()));
    std::vector<ItemIdx> items;
    for (std::size_t k = 0; k < models.size(); ++k) {
      const auto best = best_items(row_span(all, k), heard, static_cast<std::size_t>(params_.candidates));
      items.insert(items.end(), best.begin(), best.end());
      standardise_scores(row_span(all, k));
    }
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    Matrix<float> rows(static_cast<Eigen::Index>(items.size()), all.rows());
    for (std::size_t e = 0; e < items.size(); ++e)
      for (Eigen::Index k = 0; k < all.rows(); ++k) {
        const float score = all(k, raw(items[e]));
        rows(static_cast<Eigen::Index>(e), k) = std::isfinite(score) ? score : 0.0f;
      }
    return {std::move(items), std::move(rows)};
  }

  // Weights of standardised scores by ListNet over the best of each algorithm.
  void learn_weights(const TrainData& data, FitContext& ctx) {
    const InnerSplit inner = inner_split(data, params_.holdout, params_.holdout_by, false);
    if (inner.users.empty())
      throw UsageError(
          "blend has nothing to learn weights from: nobody has training events on both sides of the cut; without times "
          "take holdout_by: user, or method: weighted or rrf");
    const ComponentModels models = fit_components(makers_, inner.data(), ctx);
    struct List {
      std::vector<ItemIdx> items;
      Matrix<float> rows;  // items x algorithms
    };
    std::vector<List> found(inner.users.size());
    constexpr std::size_t kUsers = 16;  // a task's
    ctx.exec.for_blocks(found.size(), kUsers, [&](std::size_t begin, std::size_t end) {
      for (std::size_t l = begin; l < end; ++l)
        std::tie(found[l].items, found[l].rows) =
            candidates(models, history_query(inner.users[l], inner.histories.of(inner.users[l]), inner.moments[l]));
    });
    const std::size_t k = makers_.size();
    RankedLists lists;
    lists.features = k;
    for (std::size_t l = 0; l < found.size(); ++l) lists.add(found[l].items, found[l].rows, inner.held_out.indices(l));
    if (lists.size() == 0) throw UsageError("blend has nothing to learn weights from; take method: weighted or rrf");
    ListRanker<float> ranker({k, 0}, ctx.rng.stream("weights"));
    nn::OptimizerSettings adam;
    adam.learning_rate = 0.02;
    nn::Optimizer<float> optimizer(adam, ranker.params());
    constexpr int kEpochs = 30;  // of a convex problem in a few numbers
    for (int epoch = 1; epoch <= kEpochs; ++epoch) train_epoch(ranker, optimizer, lists, epoch, 32, ctx.rng, ctx.exec);
    for (std::size_t m = 0; m < k; ++m) weights_[m] = ranker.params().all()[m];
  }

  BlendParams params_;
  std::vector<Component> makers_;
  std::vector<std::string> names_;
  ComponentModels models_;
  std::vector<float> weights_;
};

}  // namespace

SEGUE_ALGORITHM(
    blend, Blend, BlendParams,
    {.name = "blend",
     .summary = "one list of several: weighted scores, reciprocal rank fusion, or weights learned from what came last",
     .citation =
         "Burke 2002, Hybrid recommender systems: survey and experiments, UMUAI 12(4); Cormack, Clarke & Büttcher "
         "2009, Reciprocal rank fusion outperforms Condorcet and individual rank learning methods, SIGIR",
     .family = "hybrid",
     .version = 2})

}  // namespace segue
