// Truncated singular value decomposition of the training matrix (Cremonesi, Koren & Turrin 2010). See README.md.
#include <algorithm>
#include <cmath>

#include "framework/linalg/scoring.hpp"
#include "framework/linalg/truncated_svd.hpp"
#include "framework/model/linear_items.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

constexpr std::size_t kOversampling = 10;  // Halko et al. 2011, section 1.3: 5 or 10 suffice

struct PureSvdParams {
  int factors = 64;
  int epochs = 6;
  EventWeights weights = EventWeights::kBinary;

  double fit_flop(const DataShape& s) const {
    const double l = factors + 10.0;
    return (epochs + 1) * (4 * s.events * l + 6 * s.items * l * l) + 50 * l * l * l;
  }
  static Schema<PureSvdParams> schema() {
    using P = PureSvdParams;
    Schema<P> s;
    s.field("factors", &P::factors, "singular vectors d; of small data at most a quarter of its users and of its items")
        .range(1, 4096)
        .search(pow2, 8, 256);
    s.field("epochs", &P::epochs, "subspace iterations; more separate singular values that lie close together")
        .range(1, 1000);
    event_weights_field(s);
    return s;
  }
};

class PureSvd final : public LinearItems, public EmbeddingSpace {
 public:
  explicit PureSvd(PureSvdParams params) : LinearItems(params.weights, false), params_(params) {}

  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return vectors_; }
  void query_vector(const Query& query, std::span<float> out) const override { project(row_of(query), out); }

 protected:
  void learn(const Csr<ItemIdx>& x, FitContext& ctx) override {
    // All of them would give x back, with a score of zero for everything that a user does not have.
    const std::size_t most = std::max<std::size_t>(1, std::min(x.rows(), x.cols()) / 4);
    const TruncatedSvd svd = truncated_svd(x, std::min(static_cast<std::size_t>(params_.factors), most), kOversampling,
                                           params_.epochs, ctx.rng, ctx.exec);
    vectors_ = svd.right.cast<float>();
    packed_ = PackedRows(vectors_);
  }

  void product(std::span<const WeightedItems> rows, MatRef<float> out) const override {
    Matrix<float> users(static_cast<Eigen::Index>(rows.size()), vectors_.cols());
    for (std::size_t q = 0; q < rows.size(); ++q) project(rows[q], row_span(users, q));
    packed_.score(users, {}, out);
  }

  void product_of(const WeightedItems& row, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    std::vector<float> user(packed_.dims());
    project(row, user);
    std::vector<std::uint32_t> wanted;
    wanted.reserve(candidates.size());
    for (ItemIdx item : candidates) wanted.push_back(static_cast<std::uint32_t>(item));
    packed_.score_rows(user, {}, wanted, out);
  }

  void save_weights(ArchiveWriter& archive) const override { archive.put_matrix("item_vectors", vectors_); }
  void load_weights(const ArchiveReader& archive) override {
    vectors_ = archive.matrix("item_vectors");
    packed_ = PackedRows(vectors_);
  }

 private:
  // x V
  void project(const WeightedItems& row, std::span<float> out) const {
    std::fill(out.begin(), out.end(), 0.0f);
    for (std::size_t p = 0; p < row.items.size(); ++p) {
      const std::span<const float> item = row_span(vectors_, raw(row.items[p]));
      for (std::size_t d = 0; d < out.size(); ++d) out[d] = std::fma(row.weights[p], item[d], out[d]);
    }
  }

  PureSvdParams params_;
  Matrix<float> vectors_;  // items x d: the right singular vectors V
  PackedRows packed_;
};

}  // namespace

SEGUE_ALGORITHM(
    pure_svd, PureSvd, PureSvdParams,
    {.name = "pure_svd",
     .summary = "truncated singular value decomposition of the training matrix, missing entries as zeros",
     .citation = "Cremonesi, Koren & Turrin 2010, Performance of recommender algorithms on top-N recommendation "
                 "tasks, RecSys",
     .family = "factors",
     .embeddings = true})

}  // namespace segue
