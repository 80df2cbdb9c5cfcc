// Implicit-feedback matrix factorisation by alternating least squares (Hu, Koren & Volinsky 2008). See README.md.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "algorithms/implicit_als/implicit_als_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/gram.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/history_row.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct ImplicitAlsParams {
  int factors = 64;
  int epochs = 15;
  float reg = 20.0f;
  float alpha = 5.0f;
  AlsLoss loss = AlsLoss::kConfidence;
  float unobserved_weight = 1.0f;
  float reg_exponent = 0.0f;
  AlsSolver solver = AlsSolver::kCholesky;
  int cg_steps = 3;
  int block_size = 64;
  float init_stddev = 0.1f;

  AlsSettings settings() const {
    return {reg, alpha, unobserved_weight, reg_exponent, loss, solver, cg_steps, block_size};
  }

  // Cholesky: 2 nnz d^2 to build the systems of both sides (half each, two sides), d^3 / 3 to solve each. CG: 4 nnz d +
  // 2 d^2 a product, one for the first residual and one a step. Blocks of b: systems of b, and three products with the
  // events.
  double fit_flop(const DataShape& s) const {
    const double d = factors, b = std::min(block_size, factors), rows = s.users + s.items;
    switch (solver) {
      case AlsSolver::kCholesky:
        break;
      case AlsSolver::kCg:
        return epochs * (cg_steps + 1) * (8 * s.events * d + 2 * rows * d * d);
      case AlsSolver::kBlock:
        return epochs * (2 * s.events * d * (b + 6) + rows * d * (b * b / 3 + 4 * d));
    }
    return epochs * (2 * s.events * d * d + rows * d * d * d / 3);
  }
  double fit_bytes(const DataShape& s) const { return 8 * s.events; }  // the matrix by item
  static Schema<ImplicitAlsParams> schema() {
    using P = ImplicitAlsParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 16, 256);
    s.field("epochs", &P::epochs, "passes; one solves every item, then every user")
        .range(1, 10000)
        .search(linear, 5, 30);
    s.field("reg", &P::reg, "L2 penalty on every factor, scaled as reg_exponent says")
        .above(0.0f)
        .search(log_scale, 0.1, 1000);
    s.field("alpha", &P::alpha, "an event weighs alpha |weight| more than an unobserved pair")
        .range(0.0f, 1e6f)
        .search(log_scale, 0.5, 100);
    s.field("loss", &P::loss,
            "confidence: an event is (unobserved_weight + alpha |weight|) (p - s)^2; separate: alpha |weight| (p - "
            "s)^2 and "
            "unobserved_weight s^2")
        .choices({{"confidence", AlsLoss::kConfidence}, {"separate", AlsLoss::kSeparate}});
    s.field("unobserved_weight", &P::unobserved_weight, "weight a0 of an unobserved pair").range(0.0f, 1e6f);
    s.field("reg_exponent", &P::reg_exponent,
            "nu: the penalty of a row with n events is reg (n + a0 columns)^nu; 0 is plain, 1 frequency-scaled")
        .range(0.0f, 2.0f);
    s.field(
         "solver", &P::solver,
         "cholesky: exact; cg: cg_steps steps of conjugate gradients; block: block_size dimensions at a time (iALS++)")
        .choices({{"cholesky", AlsSolver::kCholesky}, {"cg", AlsSolver::kCg}, {"block", AlsSolver::kBlock}});
    s.field("cg_steps", &P::cg_steps, "conjugate gradient steps a row and epoch (solver: cg)").range(1, 1000);
    s.field("block_size", &P::block_size, "dimensions solved together (solver: block)").range(1, 4096);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first user factors").range(1e-6f, 10.0f);
    return s;
  }
};

class ImplicitAls final : public IterativeRecommender, public EmbeddingSpace {
 public:
  explicit ImplicitAls(ImplicitAlsParams params) : params_(params), settings_(params.settings()) {}

  std::size_t n_items() const override { return static_cast<std::size_t>(item_factors_.rows()); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return item_factors_; }
  const PackedRows* packed_items() const override { return &packed_items_; }

  void query_vector(const Query& query, std::span<float> out) const override {
    if (raw(query.user) < static_cast<std::size_t>(user_factors_.rows())) {
      const std::span<const float> stored = row_span(user_factors_, raw(query.user));
      if (std::any_of(stored.begin(), stored.end(), [](float x) { return x != 0; })) {
        std::copy(stored.begin(), stored.end(), out.begin());
        return;
      }
    }
    const HistoryRow history = history_row(query, n_items());
    AlsRow row(item_factors_, item_base_, settings_);
    row.load<ItemIdx>(history.items, history.weights);
    row.solve(out, AlsSolver::kCholesky);
  }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    score_packed(*this, queries, out);
  }

  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_matrix("user_factors", user_factors_);
    archive.put_matrix("item_factors", item_factors_);
    archive.put_matrix("item_base", item_base_);
  }

  void load(const ArchiveReader& archive) override {
    user_factors_ = archive.matrix("user_factors");
    item_factors_ = archive.matrix("item_factors");
    item_base_ = archive.matrix("item_base");
    packed_items_ = PackedRows(item_factors_);
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    by_item_ = data.train.transposed();
    const Eigen::Index d = params_.factors;
    user_factors_ = Matrix<float>::Zero(static_cast<Eigen::Index>(data.train.n_users()), d);
    item_factors_ = Matrix<float>::Zero(static_cast<Eigen::Index>(data.train.n_items()), d);
    ctx.exec.for_blocks(data.train.n_users(), 256, [&](std::size_t first, std::size_t last) {
      for (std::size_t u = first; u < last; ++u)
        if (!data.train.items(user_at(u)).empty())
          ctx.rng.stream("user factors", u).fill_normal(row_span(user_factors_, u), 0, params_.init_stddev);
    });
    exec_ = &ctx.exec;
    loss_at_zero_ = als_loss_at_zero(data.train.by_user(), settings_, ctx.exec);
  }

  // Items first, so that every user's factor is the exact solution for the items' final factors, as a fold-in's is.
  Losses run_epoch(int, const TrainData& data, FitContext& ctx) override {
    const Matrix<float> user_gram = gram(user_factors_, ctx.exec);
    als_half_step(by_item_, user_factors_, user_gram, settings_, item_factors_, ctx.exec);
    const Matrix<float> item_gram = gram(item_factors_, ctx.exec);
    const double below =
        als_half_step(data.train.by_user(), item_factors_, item_gram, settings_, user_factors_, ctx.exec);
    return {{"loss", loss_at_zero_ - below + als_penalties(by_item_, item_factors_, settings_, ctx.exec)}};
  }

  void prepare_scoring() override {
    item_base_ = params_.unobserved_weight * gram(item_factors_, *exec_);
    packed_items_ = PackedRows(item_factors_);
  }

  std::vector<std::span<float>> state() override {
    return {{user_factors_.data(), static_cast<std::size_t>(user_factors_.size())},
            {item_factors_.data(), static_cast<std::size_t>(item_factors_.size())}};
  }

 private:
  ImplicitAlsParams params_;
  AlsSettings settings_;
  Matrix<float> user_factors_, item_factors_;  // users x d, items x d
  Matrix<float> item_base_;                    // d x d: what unobserved pairs add to a fold-in's system
  double loss_at_zero_ = 0;
  PackedRows packed_items_;
  Csr<UserIdx> by_item_;
  const Executor* exec_ = nullptr;  // of the fit in progress
};

}  // namespace

SEGUE_ALGORITHM(implicit_als, ImplicitAls, ImplicitAlsParams,
                {.name = "implicit_als",
                 .summary = "matrix factorisation of implicit feedback by alternating least squares",
                 .citation = "Hu, Koren & Volinsky 2008, Collaborative filtering for implicit feedback datasets, ICDM",
                 .family = "factors",
                 .version = 2,
                 .iterative = true,
                 .embeddings = true})

}  // namespace segue
