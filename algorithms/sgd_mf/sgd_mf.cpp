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
#include "framework/linalg/scoring.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

enum class SgdSchedule { kConstant, kLinear, kInverse };

struct SgdMfParams {
  SgdLoss loss = SgdLoss::kSquared;
  int factors = 64;
  int epochs = 30;
  float learning_rate = 0.03f;
  SgdSchedule schedule = SgdSchedule::kLinear;
  float reg = 0.1f;
  float bias_reg = 0.005f;
  bool biased = true;
  int negatives = 4;
  float init_stddev = 0.05f;

  // 8 d a sample; an eighth of the arithmetic rate, since each sample waits for two rows.
  double fit_flop(const DataShape& s) const {
    return 8.0 * 8.0 * factors * epochs * s.events * (loss == SgdLoss::kLogistic ? 1 + negatives : 1);
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
    s.field("schedule", &P::schedule,
            "of epoch e of n: constant; linear: rate (n - e + 1) / n; inverse: rate / (1 + (e - 1) / 10)")
        .choices({{"constant", SgdSchedule::kConstant},
                  {"linear", SgdSchedule::kLinear},
                  {"inverse", SgdSchedule::kInverse}});
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

class SgdMf final : public IterativeRecommender, public EmbeddingSpace, public RatingPredictor {
 public:
  explicit SgdMf(SgdMfParams params) : params_(params) {}

  std::size_t n_items() const override { return model_.item_bias.size(); }
  const RatingPredictor* ratings() const override { return params_.loss == SgdLoss::kSquared ? this : nullptr; }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return model_.items; }
  const PackedRows* packed_items() const override { return &packed_items_; }
  std::span<const float> item_biases() const override { return model_.item_bias; }

  // A user without training events has the zero vector, and so the ranking of the item biases.
  void query_vector(const Query& query, std::span<float> out) const override {
    if (raw(query.user) < model_.user_bias.size()) {
      const std::span<const float> p = row_span(model_.users, raw(query.user));
      std::copy(p.begin(), p.end(), out.begin());
    } else {
      std::fill(out.begin(), out.end(), 0.0f);
    }
  }

  // Offset and user bias are left out: they do not change a user's ranking.
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    Matrix<float> vectors(static_cast<Eigen::Index>(queries.size()), model_.items.cols());
    for (std::size_t q = 0; q < queries.size(); ++q) query_vector(queries[q], row_span(vectors, q));
    packed_items_.score(vectors, model_.item_bias, out);
  }

  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    std::vector<float> vector(packed_items_.dims());
    query_vector(query, vector);
    std::vector<std::uint32_t> rows;
    rows.reserve(candidates.size());
    for (ItemIdx item : candidates) rows.push_back(static_cast<std::uint32_t>(item));
    packed_items_.score_rows(vector, model_.item_bias, rows, out);
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
    archive.put_matrix("user_factors", model_.users);
    archive.put_matrix("item_factors", model_.items);
    archive.put("user_bias", std::span<const float>(model_.user_bias));
    archive.put("item_bias", std::span<const float>(model_.item_bias));
    archive.put_value("offset", static_cast<double>(model_.offset));
    archive.put_value("lowest_rating", static_cast<double>(lowest_));
    archive.put_value("highest_rating", static_cast<double>(highest_));
  }

  void load(const ArchiveReader& archive) override {
    model_.users = archive.matrix("user_factors");
    model_.items = archive.matrix("item_factors");
    model_.user_bias = archive.floats("user_bias");
    model_.item_bias = archive.floats("item_bias");
    model_.offset = static_cast<float>(archive.value("offset"));
    lowest_ = static_cast<float>(archive.value("lowest_rating"));
    highest_ = static_cast<float>(archive.value("highest_rating"));
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    const Csr<ItemIdx>& events = data.train.by_user();
    samples_.emplace(events, params_.loss, static_cast<std::size_t>(params_.negatives), ctx.rng);
    model_.biased = params_.biased;
    model_.user_bias.assign(events.rows(), 0.0f);
    model_.item_bias.assign(events.cols(), 0.0f);
    set_offset(events);
    std::vector<std::uint8_t> seen(events.cols(), 0);
    for (ItemIdx item : events.all_indices()) seen[raw(item)] = 1;
    model_.users =
        random_factors(events.rows(), ctx, "user factors", [&](std::size_t u) { return events.row_size(u) > 0; });
    model_.items = random_factors(events.cols(), ctx, "item factors", [&](std::size_t i) { return seen[i] != 0; });
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const float done = static_cast<float>(epoch - 1);
    float rate = params_.learning_rate;
    if (params_.schedule == SgdSchedule::kLinear) rate *= 1 - done / static_cast<float>(params_.epochs);
    if (params_.schedule == SgdSchedule::kInverse) rate /= 1 + done / 10;
    const double loss =
        samples_->run_epoch(epoch, {params_.loss, rate, params_.reg, params_.bias_reg}, model_, ctx.exec);
    return {{"loss", loss}};
  }

  void prepare_scoring() override { packed_items_ = PackedRows(model_.items); }

  std::vector<std::span<float>> state() override {
    return {{model_.users.data(), static_cast<std::size_t>(model_.users.size())},
            {model_.items.data(), static_cast<std::size_t>(model_.items.size())},
            model_.user_bias,
            model_.item_bias};
  }

 private:
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

  // Rows that training never touches stay zero, so that they contribute nothing to a score.
  template <class Touched>
  Matrix<float> random_factors(std::size_t n, FitContext& ctx, std::string_view name, Touched touched) const {
    Matrix<float> out = Matrix<float>::Zero(static_cast<Eigen::Index>(n), params_.factors);
    ctx.exec.for_blocks(n, 256, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r)
        if (touched(r)) ctx.rng.stream(name, r).fill_normal(row_span(out, r), 0, params_.init_stddev);
    });
    return out;
  }

  SgdMfParams params_;
  FactorModel model_;
  PackedRows packed_items_;
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
     .predicts_ratings = true,
     .iterative = true,
     .embeddings = true})

}  // namespace segue
