// Two towers over ids, words, sound and histories, trained by a softmax over the items of each batch. See README.md.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "algorithms/two_tower/two_tower_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/history_row.hpp"
#include "framework/model/item_content.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/param_archive.hpp"
#include "framework/model/pointwise.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

enum class History { kNone, kMean, kAttention };

struct TwoTowerParams : ItemContentSettings {
  int factors = 64;
  int epochs = 40;
  int batch_size = 256;
  float learning_rate = 0.005f;
  float temperature = 1.0f;
  bool normalise = false;
  float reg = 0.01f;
  nn::RowMode embedding_updates = nn::RowMode::kDense;
  float init_stddev = 0.1f;
  History history = History::kNone;
  double id_dropout = 0;
  int negatives = 0;
  double correction = 1;

  TwoTowerParams() { tags = words = artist = 0; }  // ids alone
  // Three products of a batch's users with its items, and 60 operations a number for the step.
  double fit_flop(const DataShape& s) const { return double(epochs) * s.events * factors * (6.0 * batch_size + 120.0); }
  double fit_bytes(const DataShape& s) const {
    return 8 * (s.users + s.items) * factors + 32 * s.events + 4.0 * batch_size * (batch_size + 4.0 * factors);
  }
  static Schema<TwoTowerParams> schema() {
    using P = TwoTowerParams;
    Schema<P> s;
    s.field("factors", &P::factors, "length of the vectors d").range(1, 4096).search(pow2, 16, 256);
    s.field("epochs", &P::epochs, "passes over the positive pairs").range(1, 10000).search(linear, 5, 60);
    s.field("batch_size", &P::batch_size, "pairs a step; each is compared with the items of all others")
        .range(2, 1 << 16)
        .search(pow2, 256, 4096);
    s.field("learning_rate", &P::learning_rate, "Adam's step length").above(0.0f).search(log_scale, 3e-4, 1e-2);
    s.field("temperature", &P::temperature, "tau, which scores are divided by")
        .range(1e-3f, 100.0f)
        .search(log_scale, 0.05, 1);
    s.field("normalise", &P::normalise, "whether vectors are brought to length 1, so that scores are cosines over tau");
    s.field("reg", &P::reg, "L2 penalty on the vectors of each sample")
        .range(0.0f, 100.0f)
        .search(log_scale, 1e-4, 0.1);
    s.field("embedding_updates", &P::embedding_updates,
            "of rows that a batch does not touch: dense (they move on their moments, as in dense Adam) or lazy (they "
            "rest)")
        .choices({{"dense", nn::RowMode::kDense}, {"lazy", nn::RowMode::kLazy}});
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first vectors")
        .range(1e-6f, 10.0f)
        .search(log_scale, 1e-2, 0.3);
    s.field("history", &P::history,
            "whether a user's tower also adds up vectors of the items they have heard, all alike (mean) or as much as "
            "each has learned to say (attention)")
        .choices({{"none", History::kNone}, {"mean", History::kMean}, {"attention", History::kAttention}})
        .search_choices({History::kNone, History::kMean, History::kAttention});
    s.field(
         "id_dropout", &P::id_dropout,
         "chance that a sample's user, or item, goes without its own vector, so that history and content learn to do "
         "without")
        .range(0.0, 1.0);
    s.field("negatives", &P::negatives, "items drawn evenly for each step, beside those of the batch")
        .range(0, 1 << 16);
    s.field(
         "correction", &P::correction,
         "share of log q that is subtracted in training: at 1 scores are logarithms of probabilities, popularity and "
         "all; at 0 how much likelier an item is than for others, which says more about items nobody has heard")
        .range(0.0, 1.0)
        .search(linear, 0, 1);
    text::item_term_weights(s);
    sound_field(s);
    return s;
  }
};

using Trainer = TwoTowerTrainer<float>;

class TwoTower final : public IterativeRecommender, public EmbeddingSpace, public ScoreMeaning {
 public:
  explicit TwoTower(TwoTowerParams params) : params_(std::move(params)) {
    if (params_.id_dropout > 0 && !params_.any() && !reads_history())
      throw UsageError(
          "two_tower with id_dropout needs something else to go by: tags, words, artist, title, sound or history");
  }

  std::size_t n_items() const override { return static_cast<std::size_t>(items_.rows()); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  const PackedRows* packed_items() const override { return &packed_; }
  const ScoreMeaning* score_meaning() const override { return this; }
  Kind kind() const override { return Kind::kSoftmax; }

  // A trained user's own vector, and with `history` the vectors of what they have heard: in the query, or where it has
  // no history, in training. With `id_dropout` the latter alone, of users without the former. Of all others the mean of
  // the vectors of their items, weighted, which is zero where there are none. Divided by the temperature, so that scores
  // are what the softmax is taken of.
  void query_vector(const Query& query, std::span<float> out) const override {
    std::fill(out.begin(), out.end(), 0.0f);
    const ConstView<float> users = std::as_const(weights_)[Trainer::users_id()];
    const bool trained = std::binary_search(trained_.begin(), trained_.end(), raw(query.user));
    if (trained) std::ranges::copy(users.span(raw(query.user)), out.begin());
    const HistoryRow history = history_row(query, n_items());
    // Histories that were never without an own vector beside them say only what it leaves out.
    if (reads_history() && (trained || params_.id_dropout > 0)) {
      std::vector<ItemIdx> heard;
      for (std::size_t n = 0; n < history.items.size(); ++n)
        if (history.weights[n] > 0) heard.push_back(history.items[n]);
      if (heard.empty() && trained)
        heard.assign(heard_.indices(raw(query.user)).begin(), heard_.indices(raw(query.user)).end());
      const auto value = static_cast<float>(1 / std::sqrt(std::max<double>(1, static_cast<double>(heard.size()))));
      std::vector<std::uint32_t> rows;
      for (const ItemIdx item : heard) rows.push_back(static_cast<std::uint32_t>(n_users_ + raw(item)));
      std::vector<float> shares(rows.size(), 1.0f);
      if (params_.history == History::kAttention)
        attention_shares<float>(users, rows, users.span(users.rows - 1), shares);
      for (std::size_t n = 0; n < rows.size(); ++n) {
        const std::span<const float> row = users.span(rows[n]);
        for (std::size_t d = 0; d < out.size(); ++d) out[d] += value * shares[n] * row[d];
      }
      if (trained || !heard.empty()) return copy_vector(out, out, params_.temperature);
    }
    if (trained) return copy_vector(out, out, params_.temperature);
    float total = 0;
    for (std::size_t n = 0; n < history.items.size(); ++n) {
      const float weight = std::max(history.weights[n], 0.0f);
      const std::span<const float> item = row_span(items_, raw(history.items[n]));
      for (std::size_t d = 0; d < out.size(); ++d) out[d] += weight * item[d];
      total += weight;
    }
    for (std::size_t d = 0; d < out.size() && total > 0; ++d) out[d] /= total;
    copy_vector(out, out, params_.temperature);
  }
  void score(std::span<const Query> queries, MatRef<float> out) const override { score_packed(*this, queries, out); }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_value("n_users", static_cast<double>(n_users_));
    archive.put_value("n_items", static_cast<double>(n_items()));
    archive.put("trained_users", std::span<const std::uint32_t>(trained_));
    archive.put_value("item_features", static_cast<double>(content_.cols()));
    put_rows(archive, "content", content_);
    put_rows(archive, "heard", heard_);
    save_params(archive, weights_);
  }
  void load(const ArchiveReader& archive) override {
    n_users_ = static_cast<std::size_t>(archive.value("n_users"));
    n_items_ = static_cast<std::size_t>(archive.value("n_items"));
    content_ = get_rows<ItemIdx>(archive, "content", static_cast<std::size_t>(archive.value("item_features")));
    heard_ = get_rows<ItemIdx>(archive, "heard", n_items_);
    weights_ = Trainer::make_params(shape(), 0, Rng(0), inputs());
    trained_ = archive.u32("trained_users");
    load_params(archive, weights_);
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    samples_.emplace(data.train.by_user(), 0);
    const Csr<ItemIdx>& positives = samples_->positives();
    trained_.clear();
    for (std::size_t u = 0; u < positives.rows(); ++u)
      if (positives.row_size(u) > 0) trained_.push_back(static_cast<std::uint32_t>(u));
    std::vector<double> counts(positives.cols(), 0);
    for (const ItemIdx item : positives.all_indices()) counts[raw(item)] += 1;
    std::vector<float> log_share(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i)  // an item without events is in no batch: -inf
      log_share[i] =
          static_cast<float>(std::log(counts[i] / std::max<double>(static_cast<double>(positives.nnz()), 1)));
    n_users_ = positives.rows(), n_items_ = positives.cols();
    content_ = empty_rows(n_items_, 0);
    if (params_.any()) content_ = item_content(data, params_, "two_tower");
    heard_ = reads_history() ? heard_by_users(positives) : empty_rows(n_users_, n_items_);
    const TwoTowerShape shape = this->shape();
    weights_ = Trainer::make_params(shape, static_cast<double>(params_.init_stddev), ctx.rng, inputs());
    // What no batch moves stays at zero, and says nothing: own vectors without events or that are always left out,
    // terms that no item with events has, and items in histories that nobody has heard beside another.
    const auto silence = [&](nn::BlockId block, std::size_t row) {
      std::ranges::fill(weights_[block].span(row), 0.0f);
    };
    const bool always_dropped = params_.id_dropout >= 1;  // where there is something else to go by
    std::vector<std::uint8_t> heard(n_items_, 0);         // beside the sought item
    for (std::size_t u = 0; u < positives.rows(); ++u) {
      const bool has_history = reads_history() && positives.row_size(u) > 1;
      if (positives.row_size(u) == 0 || (always_dropped && has_history)) silence(Trainer::users_id(), u);
      for (const ItemIdx item : positives.indices(u)) heard[raw(item)] |= has_history ? 1 : 0;
    }
    std::vector<std::uint8_t> met(content_.cols(), 0);
    for (std::size_t i = 0; i < n_items_; ++i) {
      if (counts[i] == 0 || (always_dropped && content_.row_size(i) > 0)) silence(Trainer::items_id(), i);
      if (heard[i] == 0 && reads_history()) silence(Trainer::users_id(), n_users_ + i);
      for (std::size_t e = 0; e < content_.row_size(i) && counts[i] > 0; ++e) met[raw(content_.indices(i)[e])] = 1;
    }
    for (std::size_t f = 0; f < met.size(); ++f)
      if (met[f] == 0) silence(Trainer::items_id(), n_items_ + f);
    nn::OptimizerSettings adam;
    adam.learning_rate = static_cast<double>(params_.learning_rate);
    trainer_.emplace(shape, weights_, std::move(log_share), adam, params_.embedding_updates,
                     std::min(static_cast<std::size_t>(params_.batch_size), std::max<std::size_t>(samples_->size(), 1)),
                     inputs(), ctx.rng.stream("steps"));
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    samples_->draw(epoch, ctx.rng, ctx.exec);
    const std::size_t n = samples_->size(), size = static_cast<std::size_t>(params_.batch_size);
    const std::size_t steps = (n + size - 1) / size;
    trainer_->resume(static_cast<std::uint64_t>(epoch - 1) * steps);
    const auto batch = [&](std::size_t b) -> PairBatch {
      if (b >= steps) return {};
      const std::size_t begin = b * size, count = std::min(n - begin, size);
      return {samples_->users().subspan(begin, count), samples_->items().subspan(begin, count)};
    };
    double loss = 0;
    for (std::size_t b = 0; b < steps; ++b) loss += trainer_->step(batch(b), batch(b + 1), ctx.exec);
    trainer_->finish();
    return {{"loss", n == 0 ? 0 : loss / static_cast<double>(n)}};
  }

  std::vector<std::span<float>> state() override { return {weights_.all()}; }
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out = state();
    for (std::span<float> moments : trainer_->optimizer().state()) out.push_back(moments);
    return out;
  }

  void prepare_scoring() override {
    const ConstView<float> items = std::as_const(weights_)[Trainer::items_id()];
    items_.resize(static_cast<Eigen::Index>(n_items_), static_cast<Eigen::Index>(items.cols));
    for (std::size_t i = 0; i < n_items_; ++i) {
      const std::span<float> to = row_span(items_, i);
      std::ranges::copy(items.span(i), to.begin());
      for (std::size_t e = 0; e < content_.row_size(i); ++e) {
        const std::span<const float> row = items.span(n_items_ + raw(content_.indices(i)[e]));
        for (std::size_t d = 0; d < to.size(); ++d) to[d] += content_.values(i)[e] * row[d];
      }
      copy_vector(to, to);
    }
    packed_ = PackedRows(items_);
  }

 private:
  TwoTowerShape shape() const {
    return {n_users_,
            n_items_,
            static_cast<std::size_t>(params_.factors),
            params_.normalise,
            static_cast<double>(params_.temperature),
            static_cast<double>(params_.reg),
            params_.id_dropout,
            params_.correction,
            static_cast<std::size_t>(params_.negatives),
            params_.history == History::kAttention,
            reads_history()};
  }
  TowerInputs inputs() const { return {params_.any() ? &content_ : nullptr, reads_history() ? &heard_ : nullptr}; }
  bool reads_history() const { return params_.history != History::kNone; }
  static Csr<ItemIdx> empty_rows(std::size_t rows, std::size_t cols) {
    return {cols, std::vector<std::uint64_t>(rows + 1, 0), {}, {}};
  }
  // Each of a user's n items counts n^-1/2, as in SVD++ (Koren 2008, equation 15).
  static Csr<ItemIdx> heard_by_users(const Csr<ItemIdx>& positives) {
    std::vector<float> values;
    for (std::size_t u = 0; u < positives.rows(); ++u)
      values.insert(values.end(), positives.row_size(u),
                    static_cast<float>(1 / std::sqrt(static_cast<double>(positives.row_size(u)))));
    return {positives.cols(), std::vector<std::uint64_t>(positives.offsets().begin(), positives.offsets().end()),
            std::vector<ItemIdx>(positives.all_indices().begin(), positives.all_indices().end()), std::move(values)};
  }
  void copy_vector(std::span<const float> from, std::span<float> to, float temperature = 1) const {
    float by = temperature;
    if (params_.normalise) by *= std::max(std::sqrt(lane_dot(from, from)), 1e-12f);
    for (std::size_t d = 0; d < from.size(); ++d) to[d] = from[d] / by;
  }

  TwoTowerParams params_;
  std::size_t n_users_ = 0, n_items_ = 0;
  Csr<ItemIdx> content_, heard_;  // what the towers read beside ids
  nn::ParamStore<float> weights_;
  std::optional<Trainer> trainer_;
  std::optional<PointwiseSamples> samples_;
  std::vector<std::uint32_t> trained_;  // users with positives, ascending
  Matrix<float> items_;                 // as they are scored
  PackedRows packed_;
};

}  // namespace

SEGUE_ALGORITHM(
    two_tower, TwoTower, TwoTowerParams,
    {.name = "two_tower",
     .summary =
         "a vector of each user and item, trained by a softmax over the items of the batch, corrected for popularity",
     .citation =
         "Yi, Yang, Hong, Cheng, Heldt, Kumthekar, Zhao, Wei & Chi 2019, Sampling-bias-corrected neural modeling "
         "for large corpus item recommendations, RecSys",
     .family = "neural",
     .version = 3,
     .iterative = true,
     .embeddings = true})

}  // namespace segue
