// Bayesian matrix factorisation of ratings by Gibbs sampling (Salakhutdinov & Mnih 2008). See README.md.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "algorithms/bayesian_mf/bayesian_mf_math.hpp"
#include "framework/base/distributions.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

enum class Implicit { kNone, kUsers, kItems, kBoth };

struct BayesianMfParams {
  int factors = 31;
  int epochs = 300;
  float burn_in = 0.1f;
  int samples = 50;
  Implicit implicit = Implicit::kBoth;

  // With D = factors + 1, both sides: nnz D^2 to build the systems, D^3 / 3 to solve one, a few products with the
  // events.
  double fit_flop(const DataShape& s) const {
    const double d = factors + 1;
    return epochs * (2 * s.events * d * (d + 6) + (s.users + s.items) * d * d * (d / 3 + 4));
  }
  double fit_bytes(const DataShape& s) const {
    return 4 * (s.users + s.items) * (static_cast<double>(samples) * factors + 8 * (factors + 1)) + 16 * s.events;
  }
  static Schema<BayesianMfParams> schema() {
    using P = BayesianMfParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions; with the bias they best fill vectors of 16, as 31 and 63 do")
        .range(1, 1023)
        .search_choices({15, 31, 47, 63});
    s.field("epochs", &P::epochs, "sweeps of the sampler; one draws every item, then every user")
        .range(1, 100000)
        .search(linear, 100, 500);
    s.field("burn_in", &P::burn_in, "share of the epochs, at the beginning, of which no sample is kept")
        .range(0.0f, 0.99f);
    s.field("samples", &P::samples, "samples kept, evenly spread over the other sweeps: size and accuracy of the model")
        .range(1, 10000);
    s.field("implicit", &P::implicit,
            "which sides' prior means depend on what was rated: users (SVD++), items (by whom they were rated), both")
        .choices({{"none", Implicit::kNone},
                  {"users", Implicit::kUsers},
                  {"items", Implicit::kItems},
                  {"both", Implicit::kBoth}});
    return s;
  }
};

// The kept samples of one side, next to one another: the mean of their predictions is one inner product.
struct KeptSide {
  Matrix<float> factors;       // n x (samples d); zeros where no sample is kept yet
  std::vector<float> bias;     // n: sum over the samples
  std::vector<float> unknown;  // samples d: the factors of somebody without ratings
  float unknown_bias = 0;      // sum over the samples

  std::span<const float> factors_of(std::size_t row) const {
    return row < bias.size() ? row_span(factors, row) : std::span<const float>(unknown);
  }
  float bias_of(std::size_t row) const { return row < bias.size() ? bias[row] : unknown_bias; }
};

class BayesianMf final : public IterativeRecommender, public EmbeddingSpace, public RatingPredictor {
 public:
  explicit BayesianMf(BayesianMfParams params) : params_(params) {}

  std::size_t n_items() const override { return items_.bias.size(); }
  const RatingPredictor* ratings() const override { return this; }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_.factors; }
  const PackedRows* packed_items() const override { return &packed_items_; }
  std::span<const float> item_biases() const override { return item_bias_; }

  void query_vector(const Query& query, std::span<float> out) const override {
    const std::span<const float> x = users_.factors_of(raw(query.user));
    for (std::size_t d = 0; d < x.size(); ++d) out[d] = x[d] / kept_;
  }

  // The predicted rating less what is the same for all items of the user.
  void score(std::span<const Query> queries, MatRef<float> out) const override { score_packed(*this, queries, out); }

  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  // Clipped to the range of the training ratings.
  void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const override {
    SEGUE_CHECK(users.size() == items.size() && users.size() == out.size(),
                "users, items and ratings differ in length");
    for (std::size_t n = 0; n < out.size(); ++n) {
      const std::size_t u = raw(users[n]), i = raw(items[n]);
      const float score = users_.bias_of(u) + items_.bias_of(i) + lane_dot(users_.factors_of(u), items_.factors_of(i));
      out[n] = std::clamp(mean_ + deviation_ * (score / kept_), lowest_, highest_);
    }
  }

  void save(ArchiveWriter& archive) const override {
    save_side(archive, "user", users_);
    save_side(archive, "item", items_);
    for (const auto& [name, value] : numbers(*this)) archive.put_value(name, static_cast<double>(*value));
  }

  void load(const ArchiveReader& archive) override {
    load_side(archive, "user", users_);
    load_side(archive, "item", items_);
    for (const auto& [name, value] : numbers(*this)) *value = static_cast<float>(archive.value(name));
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    const Csr<ItemIdx>& events = data.train.by_user();
    standardise(events);
    by_user_ = rated_rows(events, static_cast<double>(mean_), static_cast<double>(deviation_));
    by_item_ = rated_rows(events.transposed<UserIdx>(), static_cast<double>(mean_), static_cast<double>(deviation_));
    alpha_ = 1;
    const Implicit implicit = params_.implicit;
    begin_side(user_side_, "user", by_user_, implicit == Implicit::kUsers || implicit == Implicit::kBoth, ctx, users_);
    begin_side(item_side_, "item", by_item_, implicit == Implicit::kItems || implicit == Implicit::kBoth, ctx, items_);
    kept_ = 1;
    hand_over();
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const auto sweep = static_cast<std::uint64_t>(epoch);
    receive();
    draw_side(item_side_, by_item_, by_user_, ctx.rng, sweep, ctx.exec);
    draw_rows(item_side_, by_item_, user_side_.rows, alpha_, ctx.rng, sweep, ctx.exec);
    draw_side(user_side_, by_user_, by_item_, ctx.rng, sweep, ctx.exec);
    const double squares = draw_rows(user_side_, by_user_, item_side_.rows, alpha_, ctx.rng, sweep, ctx.exec);
    const double n = static_cast<double>(by_user_.values.size());
    Rng draw = ctx.rng.stream("noise", sweep);
    alpha_ = draw_gamma(1 + n / 2, draw) / (1 + squares / 2);
    hand_over();
    keep(epoch);
    return {{"train rmse", static_cast<double>(deviation_) * std::sqrt(squares / std::max(1.0, n))},
            {"noise", static_cast<double>(deviation_) / std::sqrt(alpha_)}};
  }

  void prepare_scoring() override {
    item_bias_.resize(items_.bias.size());
    for (std::size_t i = 0; i < item_bias_.size(); ++i) item_bias_[i] = items_.bias[i] / kept_;
    packed_items_ = PackedRows(items_.factors);
  }

  std::vector<std::span<float>> state() override {
    std::vector<std::span<float>> out{{&kept_, 1}};
    for (KeptSide* side : {&users_, &items_}) {
      out.push_back({side->factors.data(), static_cast<std::size_t>(side->factors.size())});
      out.insert(out.end(), {side->bias, side->unknown, {&side->unknown_bias, 1}});
    }
    return out;
  }

  // The samples so far, and the present draw: of the hyperparameters, only those that a sweep uses before it draws them
  // anew.
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out = state();
    for (BayesSide* side : {&user_side_, &item_side_}) {
      for (Matrix<float>* m : {&side->rows, &side->features, &side->shift})
        out.push_back({m->data(), static_cast<std::size_t>(m->size())});
    }
    out.push_back(carried_);
    return out;
  }

 private:
  using Carried = std::array<double, 3>;
  void hand_over() {
    carried_ = std::bit_cast<CarriedBits>(Carried{alpha_, user_side_.feature_ridge, item_side_.feature_ridge});
  }
  void receive() {
    const auto carried = std::bit_cast<Carried>(carried_);
    alpha_ = carried[0];
    user_side_.feature_ridge = carried[1];
    item_side_.feature_ridge = carried[2];
  }

  template <class Self>
  static std::vector<std::pair<const char*, decltype(&std::declval<Self&>().mean_)>> numbers(Self& self) {
    return {{"mean", &self.mean_},
            {"deviation", &self.deviation_},
            {"lowest_rating", &self.lowest_},
            {"highest_rating", &self.highest_},
            {"kept", &self.kept_}};
  }

  static void save_side(ArchiveWriter& archive, const std::string& name, const KeptSide& side) {
    archive.put_matrix(name + "_factors", side.factors);
    archive.put(name + "_bias", std::span<const float>(side.bias));
    archive.put("unknown_" + name, std::span<const float>(side.unknown));
    archive.put_value("unknown_" + name + "_bias", static_cast<double>(side.unknown_bias));
  }

  static void load_side(const ArchiveReader& archive, const std::string& name, KeptSide& side) {
    side.factors = archive.matrix(name + "_factors");
    side.bias = archive.floats(name + "_bias");
    side.unknown = archive.floats("unknown_" + name);
    side.unknown_bias = static_cast<float>(archive.value("unknown_" + name + "_bias"));
  }

  // The constants of Salakhutdinov & Mnih's priors are meant for values of about one.
  void standardise(const Csr<ItemIdx>& events) {
    double sum = 0, squares = 0;
    lowest_ = std::numeric_limits<float>::max();
    highest_ = std::numeric_limits<float>::lowest();
    for (std::size_t n = 0; n < events.nnz(); ++n) {
      const float weight = events.has_values() ? events.all_values()[n] : 1.0f;
      sum += static_cast<double>(weight);
      squares += static_cast<double>(weight) * static_cast<double>(weight);
      lowest_ = std::min(lowest_, weight);
      highest_ = std::max(highest_, weight);
    }
    if (events.nnz() == 0) lowest_ = highest_ = 0;
    const double n = std::max(1.0, static_cast<double>(events.nnz())), mean = sum / n;
    mean_ = static_cast<float>(mean);
    deviation_ = highest_ > lowest_ ? static_cast<float>(std::sqrt(std::max(0.0, squares / n - mean * mean))) : 1.0f;
    if (!(deviation_ > 0)) deviation_ = 1;
  }

  void begin_side(BayesSide& side, std::string_view name, const RatedRows& ratings, bool implicit, FitContext& ctx,
                  KeptSide& kept) const {
    const auto n = static_cast<Eigen::Index>(ratings.rows()), d = static_cast<Eigen::Index>(params_.factors);
    side = {};
    side.name = name;
    side.rows = side.expected = Matrix<float>::Zero(n, d + 1);
    ctx.exec.for_blocks(ratings.rows(), 256, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r)
        ctx.rng.stream(side.name, r).fill_normal(row_span(side.rows, r).first(static_cast<std::size_t>(d)), 0, 0.1f);
    });
    side.has_features = implicit;
    if (implicit) {
      side.features = Matrix<float>::Zero(static_cast<Eigen::Index>(ratings.others), d + 1);
      side.shift = Matrix<float>::Zero(n, d + 1);
    }
    const Eigen::Index slots = std::min(params_.samples, params_.epochs - burn_in());
    kept.factors = Matrix<float>::Zero(n, slots * d);
    kept.bias.assign(ratings.rows(), 0.0f);
    kept.unknown.assign(static_cast<std::size_t>(slots * d), 0.0f);
    kept.unknown_bias = 0;
  }

  int burn_in() const { return static_cast<int>(params_.burn_in * static_cast<float>(params_.epochs)); }

  // Keeps the sweep's draw where a sample is due: number k of K after k / K of the sweeps behind the burn-in. Until the
  // first one is due, the present draw stands in for it.
  void keep(int epoch) {
    const std::int64_t slots = static_cast<std::int64_t>(users_.unknown.size()) / params_.factors;
    const std::int64_t usable = params_.epochs - burn_in(), done = epoch - burn_in();
    const std::int64_t due = done <= 0 ? 0 : done * slots / usable;
    if (due > 0 && due == (done - 1) * slots / usable) return;
    const std::size_t slot = due == 0 ? 0 : static_cast<std::size_t>(due - 1);
    kept_ = static_cast<float>(slot + 1);
    // Users by their conditional means given the items: the same expectation as their draws, with less variance.
    keep_side(user_side_, by_user_, false, slot, users_);
    keep_side(item_side_, by_item_, true, slot, items_);
  }

  void keep_side(const BayesSide& side, const RatedRows& ratings, bool draws, std::size_t slot, KeptSide& kept) const {
    const auto d = static_cast<std::size_t>(params_.factors);
    if (slot == 0) {
      std::fill(kept.bias.begin(), kept.bias.end(), 0.0f);
      kept.unknown_bias = 0;
    }
    for (std::size_t r = 0; r < ratings.rows(); ++r) {
      const std::span<const float> x = row_span(draws && ratings.count(r) > 0 ? side.rows : side.expected, r);
      std::copy_n(x.begin(), d, row_span(kept.factors, r).subspan(slot * d).begin());
      kept.bias[r] += x[d];
    }
    for (std::size_t j = 0; j < d; ++j)
      kept.unknown[slot * d + j] = static_cast<float>(side.prior.mean[static_cast<Eigen::Index>(j)]);
    kept.unknown_bias += static_cast<float>(side.prior.mean[params_.factors]);
  }

  BayesianMfParams params_;
  RatedRows by_user_, by_item_;
  BayesSide user_side_, item_side_;
  double alpha_ = 1;  // precision of the noise, of standardised ratings
  using CarriedBits = std::array<float, 6>;
  CarriedBits carried_{};                                      // the bits of what sweeps hand over in double
  KeptSide users_, items_;                                     // standardised
  float kept_ = 1;                                             // samples in them
  float mean_ = 0, deviation_ = 1, lowest_ = 0, highest_ = 0;  // of the training ratings
  std::vector<float> item_bias_;                               // mean over the samples
  PackedRows packed_items_;
};

}  // namespace

SEGUE_ALGORITHM(
    bayesian_mf, BayesianMf, BayesianMfParams,
    {.name = "bayesian_mf",
     .summary = "Bayesian matrix factorisation of ratings by Gibbs sampling, with implicit feedback (SVD++)",
     .citation = "Salakhutdinov & Mnih 2008, Bayesian probabilistic matrix factorization using Markov chain "
                 "Monte Carlo, ICML",
     .family = "factors",
     .predicts_ratings = true,
     .iterative = true,
     .embeddings = true})

}  // namespace segue
