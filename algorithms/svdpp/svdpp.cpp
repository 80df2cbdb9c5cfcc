// SVD++: matrix factorisation of ratings where the choice of what to rate counts too (Koren 2008). See README.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "algorithms/svdpp/svdpp_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct SvdppParams {
  int factors = 31;
  int epochs = 20;
  float reg = 1.6f;
  float bias_reg = 0.3f;
  float implicit_reg = 6.0f;
  float reg_exponent = 0.5f;
  float init_stddev = 0.1f;

  // With D = factors + 1, both sides: nnz D^2 to build the systems, D^3 / 3 to solve one; six products with the events.
  double fit_flop(const DataShape& s) const {
    const double d = factors + 1;
    return epochs * (2 * s.events * d * (d + 6) + (s.users + s.items) * d * d * d / 3);
  }
  static Schema<SvdppParams> schema() {
    using P = SvdppParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions; with the bias they best fill vectors of 16, as 31 and 63 do")
        .range(1, 4095)
        .search_choices({15, 31, 47, 63});
    s.field("epochs", &P::epochs, "passes; one solves every item, the implicit factors, then every user")
        .range(1, 10000)
        .search(linear, 10, 60);
    s.field("reg", &P::reg, "L2 penalty on p_u and q_i, scaled as reg_exponent says")
        .above(0.0f)
        .search(log_scale, 0.3, 10);
    s.field("bias_reg", &P::bias_reg, "L2 penalty on b_u and b_i, scaled likewise")
        .above(0.0f)
        .search(log_scale, 0.03, 3);
    s.field("implicit_reg", &P::implicit_reg, "L2 penalty on y_j, scaled likewise")
        .above(0.0f)
        .search(log_scale, 1, 100);
    s.field("reg_exponent", &P::reg_exponent,
            "nu: the penalty of a row with n ratings is reg n^nu; 0 is plain, 1 Koren's, as of gradients per rating")
        .range(0.0f, 1.0f);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first user factors").range(1e-6f, 10.0f);
    return s;
  }
};

class Svdpp final : public IterativeRecommender, public EmbeddingSpace, public RatingPredictor {
 public:
  explicit Svdpp(SvdppParams params)
      : params_(params), penalties_{params.reg, params.bias_reg, params.implicit_reg, params.reg_exponent} {}

  std::size_t n_items() const override { return item_bias_.size(); }
  const RatingPredictor* ratings() const override { return this; }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return item_factors_; }
  const PackedRows* packed_items() const override { return &packed_items_; }
  std::span<const float> item_biases() const override { return item_bias_; }

  // Somebody without training ratings is what the model makes of the choice of the history alone: p_u = 0.
  void query_vector(const Query& query, std::span<float> out) const override {
    const std::size_t u = raw(query.user);
    if (u < rated_.size() && rated_[u] != 0) {
      std::copy_n(row_span(users_, u).begin(), out.size(), out.begin());
      return;
    }
    std::fill(out.begin(), out.end(), 0.0f);
    std::vector<ItemIdx> items;
    for (ItemIdx i : query.history)
      if (raw(i) < n_items()) items.push_back(i);
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    if (items.empty()) return;
    for (ItemIdx i : items)
      for (std::size_t d = 0; d < out.size(); ++d) out[d] += row_span(implicit_, raw(i))[d];
    for (float& x : out) x /= std::sqrt(static_cast<float>(items.size()));
  }

  // Mean and user bias are left out: they do not change a user's ranking.
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    score_packed(*this, queries, out);
  }

  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  // Clipped to the range of the training ratings. Whatever is unknown contributes nothing, down to the mean rating.
  void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const override {
    SEGUE_CHECK(users.size() == items.size() && users.size() == out.size(),
                "users, items and ratings differ in length");
    for (std::size_t n = 0; n < out.size(); ++n) {
      const std::size_t u = raw(users[n]), i = raw(items[n]);
      float s = mean_;
      if (u < rated_.size()) s += row_span(users_, u).back();
      if (i < item_bias_.size()) s += item_bias_[i];
      if (u < rated_.size() && i < item_bias_.size())
        s += lane_dot(row_span(users_, u).first(packed_items_.dims()), row_span(item_factors_, i));
      out[n] = std::clamp(s, lowest_, highest_);
    }
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_matrix("users", users_);
    archive.put_matrix("items", items_);
    archive.put_matrix("implicit", implicit_);
    archive.put("rated", std::span<const std::uint32_t>(rated_));
    archive.put_value("mean", static_cast<double>(mean_));
    archive.put_value("lowest_rating", static_cast<double>(lowest_));
    archive.put_value("highest_rating", static_cast<double>(highest_));
  }

  void load(const ArchiveReader& archive) override {
    users_ = archive.matrix("users");
    items_ = archive.matrix("items");
    implicit_ = archive.matrix("implicit");
    rated_ = archive.u32("rated");
    mean_ = static_cast<float>(archive.value("mean"));
    lowest_ = static_cast<float>(archive.value("lowest_rating"));
    highest_ = static_cast<float>(archive.value("highest_rating"));
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    const Csr<ItemIdx>& events = data.train.by_user();
    double sum = 0;
    lowest_ = std::numeric_limits<float>::max();
    highest_ = std::numeric_limits<float>::lowest();
    for (std::size_t n = 0; n < events.nnz(); ++n) {
      const float weight = events.has_values() ? events.all_values()[n] : 1.0f;
      sum += static_cast<double>(weight);
      lowest_ = std::min(lowest_, weight);
      highest_ = std::max(highest_, weight);
    }
    if (events.nnz() == 0) lowest_ = highest_ = 0;
    mean_ = static_cast<float>(sum / std::max(1.0, static_cast<double>(events.nnz())));
    by_user_ = rated_rows(events, static_cast<double>(mean_), 1);
    by_item_ = rated_rows(events.transposed<UserIdx>(), static_cast<double>(mean_), 1);
    const Eigen::Index users = static_cast<Eigen::Index>(events.rows()),
                       items = static_cast<Eigen::Index>(events.cols());
    const Eigen::Index dims = params_.factors + 1;
    users_ = centre_ = Matrix<float>::Zero(users, dims);
    items_ = implicit_ = Matrix<float>::Zero(items, dims);
    rated_.assign(events.rows(), 0);
    ctx.exec.for_blocks(events.rows(), 256, [&](std::size_t first, std::size_t last) {
      for (std::size_t u = first; u < last; ++u) {
        if (by_user_.count(u) == 0) continue;
        rated_[u] = 1;
        ctx.rng.stream("user factors", u)
            .fill_normal(row_span(users_, u).first(static_cast<std::size_t>(params_.factors)), 0, params_.init_stddev);
      }
    });
  }

  Losses run_epoch(int, const TrainData&, FitContext& ctx) override {
    svdpp_solve_rows(by_item_, users_, penalties_, nullptr, items_, ctx.exec);
    svdpp_implicit_round(by_user_, by_item_, users_, penalties_, implicit_, centre_, ctx.exec);
    const double squares = svdpp_solve_rows(by_user_, items_, penalties_, &centre_, users_, ctx.exec);
    const double loss = squares + svdpp_penalty(by_user_, users_, &centre_, penalties_, params_.reg, params_.bias_reg) +
                        svdpp_penalty(by_item_, items_, nullptr, penalties_, params_.reg, params_.bias_reg) +
                        svdpp_penalty(by_item_, implicit_, nullptr, penalties_, params_.implicit_reg, 0);
    const double n = std::max(1.0, static_cast<double>(by_user_.values.size()));
    return {{"loss", loss / n}, {"train rmse", std::sqrt(squares / n)}};
  }

  void prepare_scoring() override {
    item_factors_ = items_.leftCols(items_.cols() - 1);
    item_bias_.resize(static_cast<std::size_t>(items_.rows()));
    for (std::size_t i = 0; i < item_bias_.size(); ++i) item_bias_[i] = row_span(items_, i).back();
    packed_items_ = PackedRows(item_factors_);
  }

  std::vector<std::span<float>> state() override {
    std::vector<std::span<float>> out;
    for (Matrix<float>* m : {&users_, &items_, &implicit_, &centre_})
      out.push_back({m->data(), static_cast<std::size_t>(m->size())});
    return out;
  }

 private:
  SvdppParams params_;
  SvdppPenalties penalties_;
  RatedRows by_user_, by_item_;
  Matrix<float> users_, items_;                // x_u and b_u; q_i and b_i
  Matrix<float> implicit_, centre_;            // y_j; n_u^-1/2 times the sum of y_j; a last column of zeros
  std::vector<std::uint32_t> rated_;           // whether a user has training ratings
  float mean_ = 0, lowest_ = 0, highest_ = 0;  // of the training ratings
  Matrix<float> item_factors_;                 // items_ without the bias
  std::vector<float> item_bias_;
  PackedRows packed_items_;
};

}  // namespace

SEGUE_ALGORITHM(svdpp, Svdpp, SvdppParams,
                {.name = "svdpp",
                 .summary = "matrix factorisation of ratings where what a user chose to rate counts too",
                 .citation = "Koren 2008, Factorization meets the neighborhood: a multifaceted collaborative filtering "
                             "model, KDD",
                 .family = "factors",
                 .predicts_ratings = true,
                 .iterative = true,
                 .embeddings = true})

}  // namespace segue
