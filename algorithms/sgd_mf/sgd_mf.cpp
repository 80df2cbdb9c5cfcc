// Matrix factorisation by stochastic gradient descent: ratings (squared loss) or implicit feedback (logistic). See
// README.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "algorithms/sgd_mf/sgd_mf_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct SgdMfParams {
  SgdLoss loss = SgdLoss::kSquared;
  int factors = 64;
  int epochs = 30;
  float learning_rate = 0.03f;
  RateSchedule schedule = RateSchedule::kLinear;
  float reg = 0.1f;
  float bias_reg = 0.005f;
  bool biased = true;
  int negatives = 4;
  float init_stddev = 0.05f;

  // 8 d a sample; an eighth of the arithmetic rate, since each sample waits for two rows.
  double fit_flop(const DataShape& s) const {
    return 8.0 * 8.0 * factors * epochs * s.events * (loss == SgdLoss::kLogistic ? 1 + negatives : 1);
  }
  // The pairs in order of user groups; with negatives, a round of samples beside them.
  double fit_bytes(const DataShape& s) const {
    const double round =
        loss == SgdLoss::kLogistic ? std::min(s.events * (1 + negatives), static_cast<double>(kRoundSamples)) : 0;
    return sizeof(SgdSample) * (s.events + round);
  }
  static Schema<SgdMfParams> schema() {
    using P = SgdMfParams;
    Schema<P> s;
    s.field("loss", &P::loss,
            "squared: weights are ratings to predict; logistic: weights above 0 are positive, others negative")
        .choices({{"squared", SgdLoss::kSquared}, {"logistic", SgdLoss::kLogistic}});
    s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 8, 256);
    s.field("epochs", &P::epochs, "passes over the training pairs").range(1, 10000).search(linear, 10, 100);
    s.field("learning_rate", &P::learning_rate, "step length of the first epoch")
        .above(0.0f)
        .search(log_scale, 1e-3, 0.1);
    schedule_field(s);
    s.field("reg", &P::reg, "L2 penalty on the factors, per sample").range(0.0f, 100.0f).search(log_scale, 1e-3, 0.3);
    s.field("bias_reg", &P::bias_reg, "L2 penalty on the biases, per sample")
        .range(0.0f, 100.0f)
        .search(log_scale, 1e-3, 0.3);
    s.field("biased", &P::biased, "whether users and items have a bias");
    s.field("negatives", &P::negatives, "sampled items a positive, uniform and new each epoch (logistic loss only)")
        .range(0, 1000)
        .search(linear, 1, 16);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first factors")
        .range(1e-6f, 10.0f)
        .search(log_scale, 1e-3, 0.3);
    return s;
  }
};

class SgdMf final : public FactorRecommender, public RatingPredictor, public ScoreMeaning {
 public:
  explicit SgdMf(SgdMfParams params) : params_(params) {}

  const RatingPredictor* ratings() const override { return params_.loss == SgdLoss::kSquared ? this : nullptr; }

  // Of a positive among the samples of an epoch, where `negatives` stand beside each; so not of all pairs there are.
  const ScoreMeaning* score_meaning() const override { return params_.loss == SgdLoss::kLogistic ? this : nullptr; }
  Kind kind() const override { return Kind::kLogit; }
  float shift(const Query& query) const override {
    if (is_trained(query.user)) return model_.offset + model_.user_bias[raw(query.user)];
    std::vector<float> unused(static_cast<std::size_t>(model_.items.cols()), 0.0f);
    const HistoryRow history = history_row(query, n_items());
    return model_.offset + (history.items.empty() ? 0.0f : fold_in_user(history, unused));
  }

  // Clipped to the range of the training ratings. Whatever is unknown contributes nothing, down to the mean rating.
  void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const override {
    SEGUE_CHECK(users.size() == items.size() && users.size() == out.size(),
                "users, items and ratings differ in length");
    for (std::size_t n = 0; n < out.size(); ++n) {
      const std::size_t u = raw(users[n]), i = raw(items[n]);
      const bool has_user = u < model_.user_bias.size(), has_item = i < model_.item_bias.size();
      float s = model_.offset;
      if (has_user && has_item) {
        s = model_.predict(u, i);
      } else if (has_user) {
        s += model_.user_bias[u];
      } else if (has_item) {
        s += model_.item_bias[i];
      }
      out[n] = std::clamp(s, lowest_, highest_);
    }
  }

  void save(ArchiveWriter& archive) const override {
    FactorRecommender::save(archive);
    archive.put_value("lowest_rating", static_cast<double>(lowest_));
    archive.put_value("highest_rating", static_cast<double>(highest_));
  }

  void load(const ArchiveReader& archive) override {
    FactorRecommender::load(archive);
    lowest_ = static_cast<float>(archive.value("lowest_rating"));
    highest_ = static_cast<float>(archive.value("highest_rating"));
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    const Csr<ItemIdx>& events = data.train.by_user();
    samples_.emplace(events, params_.loss, static_cast<std::size_t>(params_.negatives),
                     static_cast<std::size_t>(params_.factors), ctx.rng);
    start(events, params_.factors, params_.init_stddev, true, ctx);
    set_offset(events);
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    return {{"loss", samples_->run_epoch(epoch, step(epoch), model_, ctx.exec)}};
  }

  // The steps of the training on the user's vector and bias, against items that stand still. Where the query says no
  // ratings, there is nothing to learn from: the zero vector.
  void fold_in(const HistoryRow& history, std::span<float> out) const override { fold_in_user(history, out); }

 private:
  // Returns the bias.
  float fold_in_user(const HistoryRow& history, std::span<float> out) const {
    HistoryRow rated = history;
    if (params_.loss == SgdLoss::kSquared) {
      if (!history.weighted) return 0;
      for (float& weight : rated.weights) weight = std::clamp(weight, lowest_, highest_);
    }
    return sgd_fold_in(
        rated, model_, static_cast<std::size_t>(params_.negatives), params_.epochs,
        [&](int pass) { return step(pass); }, out);
  }

  // The best constant: the mean rating, or the log odds of a positive among the samples of an epoch.
  void set_offset(const Csr<ItemIdx>& events) {
    double sum = 0, positives = 0;
    lowest_ = std::numeric_limits<float>::max();
    highest_ = std::numeric_limits<float>::lowest();
    for (std::size_t n = 0; n < events.nnz(); ++n) {
      const float weight = events.has_values() ? events.all_values()[n] : 1.0f;
      sum += static_cast<double>(weight);
      positives += weight > 0;
      lowest_ = std::min(lowest_, weight);
      highest_ = std::max(highest_, weight);
    }
    if (events.nnz() == 0) lowest_ = highest_ = 0;
    const double pairs = std::max(1.0, static_cast<double>(events.nnz()));
    const double negatives = pairs - positives + positives * params_.negatives;
    model_.offset = static_cast<float>(params_.loss == SgdLoss::kSquared ? sum / pairs
                                                                         : std::log((positives + 1) / (negatives + 1)));
  }

  SgdStep step(int epoch) const {
    const float rate = scheduled_rate(params_.schedule, params_.learning_rate, epoch, params_.epochs);
    return {params_.loss, rate, params_.reg, params_.bias_reg, params_.biased};
  }

  SgdMfParams params_;
  float lowest_ = 0, highest_ = 0;  // of the training ratings
  std::optional<StratifiedSamples> samples_;
};

}  // namespace

SEGUE_ALGORITHM(
    sgd_mf, SgdMf, SgdMfParams,
    {.name = "sgd_mf",
     .summary = "matrix factorisation by stochastic gradient descent, for ratings or implicit feedback",
     .citation = "Koren, Bell & Volinsky 2009, Matrix factorization techniques for recommender systems, Computer 42(8)",
     .family = "factors",
     .version = 2,
     .predicts_ratings = true,
     .iterative = true,
     .embeddings = true})

}  // namespace segue
