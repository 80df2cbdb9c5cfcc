// Candidates of several retrievers, ranked by a small network that has learned when to believe whom. See README.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "algorithms/two_stage/stage_features.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/components.hpp"
#include "framework/model/history_query.hpp"
#include "framework/model/inner_split.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/list_ranker.hpp"
#include "framework/model/param_archive.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/score_fusion.hpp"
#include "framework/model/stages.hpp"

namespace segue {

namespace {

struct TwoStageParams {
  std::vector<AlgorithmSpec> retrievers{"implicit_als", "item_knn"};
  int candidates = 100;
  int hidden = 16;
  int epochs = 10;
  int batch_size = 32;
  float learning_rate = 0.003f;
  float reg = 1e-3f;
  double holdout = 0.2;
  HoldoutBy holdout_by = HoldoutBy::kTime;
  bool repeats = false;
  int ranker_users = 5000;

  std::vector<AlgorithmSpec> components() const { return retrievers; }
  // Scores of all items for every user of the ranker, once, and its epochs over their candidates.
  double fit_flop(const DataShape& s) const {
    const double users = std::min<double>(s.users, ranker_users), n = static_cast<double>(retrievers.size());
    return 50 * s.events + users * n * (100 * s.items + 6.0 * epochs * candidates * (2 * n + 6) * (hidden + 1));
  }
  double fit_bytes(const DataShape& s) const {
    return 4.0 * std::min<double>(s.users, ranker_users) * candidates * static_cast<double>(retrievers.size()) *
           (2.0 * static_cast<double>(retrievers.size()) + 6);
  }
  static Schema<TwoStageParams> schema() {
    using P = TwoStageParams;
    Schema<P> s;
    s.field("retrievers", &P::retrievers,
            "algorithms that propose candidates, such as [tfidf, implicit_als: {factors: 32}]");
    s.field("candidates", &P::candidates, "how many of the best each of them proposes")
        .range(1, 100000)
        .search(pow2, 32, 512);
    s.field("hidden", &P::hidden, "width of the ranker's hidden layer; 0: a weighted sum of features")
        .range(0, 4096)
        .search(pow2, 8, 64);
    s.field("epochs", &P::epochs, "passes of the ranker over its users").range(1, 10000).search(linear, 5, 60);
    s.field("batch_size", &P::batch_size, "users a step").range(1, 1 << 20).search(pow2, 16, 128);
    s.field("learning_rate", &P::learning_rate, "Adam's step length").above(0.0f).search(log_scale, 3e-4, 3e-2);
    s.field("reg", &P::reg, "L2 penalty on the ranker's weights").range(0.0f, 100.0f).search(log_scale, 1e-6, 1e-2);
    s.field("holdout", &P::holdout,
            "share of the latest training events, which the ranker learns from and its candidates are made without")
        .range(0.01, 0.9);
    s.field("holdout_by", &P::holdout_by,
            "time: the latest events of all, as in a split in time; user: of each user, as in leave_last_out")
        .choices({{"time", HoldoutBy::kTime}, {"user", HoldoutBy::kUser}});
    s.field("repeats", &P::repeats, "whether what a user has heard before is a candidate");
    s.field("ranker_users", &P::ranker_users, "users that the ranker learns from, at most; evenly over all")
        .range(1, 100'000'000);
    return s;
  }
};

constexpr std::size_t kUsers = 16;  // scored at once

class TwoStage final : public IterativeRecommender, public StagedScores {
 public:
  TwoStage(TwoStageParams params, std::vector<Component> components)
      : params_(std::move(params)),
        makers_(std::move(components)),
        names_(component_names(makers_)),
        features_(names_, static_cast<std::size_t>(params_.candidates), params_.repeats) {
    if (makers_.empty()) throw UsageError("two_stage needs retrievers, such as [implicit_als, tfidf]");
  }

  std::size_t n_items() const override { return retrievers_.empty() ? 0 : retrievers_.front()->n_items(); }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    score_each(queries, out);
  }

  void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const override {
    const Matrix<float> scores = component_scores(retrievers_, query, [&](std::size_t r) { lap(names_[r]); });
    Candidates candidates = features_.of(query, scores);
    lap("candidates");
    std::vector<float> ranked(candidates.items.size());
    for (std::size_t c = 0; c < ranked.size(); ++c) scale_.apply(row_span(candidates.rows, c));
    ranker_.score(candidates.rows, ranked);
    fill(out, scores, candidates.items, ranked);
    lap("ranker");
  }

  void save(ArchiveWriter& archive) const override {
    save_components(archive, retrievers_);
    features_.save(archive);
    archive.put("feature_means", std::span<const float>(scale_.mean));
    archive.put("feature_scales", std::span<const float>(scale_.by));
    save_params(archive, ranker_.params());
  }
  void load(const ArchiveReader& archive) override {
    retrievers_ = load_components(archive, makers_);
    features_.load(archive);
    scale_ = {archive.floats("feature_means"), archive.floats("feature_scales")};
    ranker_ = ListRanker<float>(shape(), Rng(0));
    load_params(archive, ranker_.params());
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    learn_lists(data, ctx);
    features_.learn(data);
    retrievers_ = fit_components(makers_, data, ctx);
    ranker_ = ListRanker<float>(shape(), ctx.rng.stream("ranker"));
    nn::OptimizerSettings adam;
    adam.learning_rate = static_cast<double>(params_.learning_rate);
    adam.weight_decay = static_cast<double>(params_.reg);
    optimizer_.emplace(adam, ranker_.params());
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const auto batch = static_cast<std::size_t>(params_.batch_size);
    const std::uint64_t before = static_cast<std::uint64_t>(epoch - 1) * ((lists_.size() + batch - 1) / batch);
    if (optimizer_->steps() != before) optimizer_->resume(before);
    return {{"loss", train_epoch(ranker_, *optimizer_, lists_, epoch, batch, ctx.rng, ctx.exec)}};
  }
  void prepare_scoring() override {}
  std::vector<std::span<float>> state() override { return {ranker_.params().all()}; }
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out = state();
    for (std::span<float> moments : optimizer_->state()) out.push_back(moments);
    return out;
  }

 private:
  RankerShape shape() const { return {features_.names().size(), static_cast<std::size_t>(params_.hidden)}; }

  // Candidates by their rank, all others below them by what the retrievers say on average.
  static void fill(std::span<float> out, const Matrix<float>& scores, std::span<const ItemIdx> items,
                   std::span<const float> ranked) {
    std::fill(out.begin(), out.end(), -std::numeric_limits<float>::infinity());
    std::vector<float> row(out.size());
    const auto share = 1 / static_cast<float>(scores.rows());
    for (Eigen::Index r = 0; r < scores.rows(); ++r) {
      std::copy_n(scores.data() + r * scores.cols(), row.size(), row.begin());
      standardise_scores(row);
      for (std::size_t i = 0; i < row.size(); ++i)
        if (std::isfinite(row[i])) out[i] = std::isfinite(out[i]) ? out[i] + share * row[i] : share * row[i];
    }
    if (items.empty()) return;
    const float highest = *std::max_element(out.begin(), out.end());
    const float floor = *std::min_element(ranked.begin(), ranked.end()) - 1;
    for (float& x : out) x = std::isfinite(x) ? floor + (x - highest) : x;
    for (std::size_t c = 0; c < items.size(); ++c) out[raw(items[c])] = ranked[c];
  }

  // One list a user: the candidates of retrievers that have seen the earlier part alone, and which of them came next.
  void learn_lists(const TrainData& data, FitContext& ctx) {
    const InnerSplit inner = inner_split(data, params_.holdout, params_.holdout_by, params_.repeats);
    const std::size_t n = std::min(inner.users.size(), static_cast<std::size_t>(params_.ranker_users));
    if (n == 0)
      throw UsageError(
          "two_stage has nothing to learn its ranker from: nobody has training events on both sides of the cut; "
          "without times take holdout_by: user");
    const ComponentModels retrievers = fit_components(makers_, inner.data(), ctx);
    StageFeatures features(names_, static_cast<std::size_t>(params_.candidates), params_.repeats);
    features.learn(inner.data());
    std::vector<Candidates> found(n);
    ctx.exec.for_blocks(n, kUsers, [&](std::size_t begin, std::size_t end) {
      for (std::size_t l = begin; l < end; ++l) {
        const std::size_t at = l * inner.users.size() / n;
        const Query query = history_query(inner.users[at], inner.histories.of(inner.users[at]), inner.moments[at]);
        found[l] = features.of(query, component_scores(retrievers, query));
      }
    });
    lists_ = {};
    lists_.features = features.names().size();
    std::vector<double> hits(makers_.size() + 1, 0);
    double truth = 0;
    for (std::size_t l = 0; l < n; ++l) {
      const std::span<const ItemIdx> wanted = inner.held_out.indices(l * inner.users.size() / n);
      truth += static_cast<double>(wanted.size());
      const Candidates& list = found[l];
      hits.back() += static_cast<double>(lists_.add(list.items, list.rows, wanted));
      for (std::size_t c = 0; c < list.items.size(); ++c) {
        if (!std::binary_search(wanted.begin(), wanted.end(), list.items[c])) continue;
        for (std::size_t r = 0; r < makers_.size(); ++r) hits[r] += list.from[c * makers_.size() + r];
      }
    }
    for (std::size_t r = 0; r < makers_.size(); ++r)
      ctx.progress.record(fmt::format("candidate recall of {}", names_[r]), 0, hits[r] / truth);
    ctx.progress.record("candidate recall", 0, hits.back() / truth);
    if (lists_.size() == 0)
      throw UsageError(
          "two_stage has nothing to learn its ranker from: none of what came next was a candidate; raise candidates or "
          "holdout");
    scale_ = FeatureScale::learn(lists_);
    for (std::size_t row = 0; row < lists_.offsets.back(); ++row)
      scale_.apply({lists_.rows.data() + row * lists_.features, lists_.features});
  }

  TwoStageParams params_;
  std::vector<Component> makers_;
  std::vector<std::string> names_;  // of the retrievers
  ComponentModels retrievers_;
  StageFeatures features_;
  RankedLists lists_;
  FeatureScale scale_;
  ListRanker<float> ranker_;
  std::optional<nn::Optimizer<float>> optimizer_;
};

}  // namespace

SEGUE_ALGORITHM(
    two_stage, TwoStage, TwoStageParams,
    {.name = "two_stage",
     .summary = "candidates of several algorithms, ranked by a network that has learned when to believe whom",
     .citation = "Covington, Adams & Sargin 2016, Deep neural networks for YouTube recommendations, RecSys; Cao, Qin, "
                 "Liu, Tsai & Li 2007, Learning to rank: from pairwise approach to listwise approach, ICML",
     .family = "hybrid",
     .version = 2,
     .iterative = true})

}  // namespace segue
