#include "framework/linalg/rating_bias.hpp"
#include "framework/model/recommender.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct BiasParams {
  double reg_user = 5;  // both: see README.md for how they were chosen
  double reg_item = 2.5;
  int epochs = 10;

  double fit_flop(const DataShape& s) const { return 20.0 * epochs * s.events; }
  static Schema<BiasParams> schema() {
    using P = BiasParams;
    Schema<P> s;
    s.field("reg_user", &P::reg_user, "L2 penalty on user biases, in ratings").range(0, 1e6).search(log_scale, 1, 100);
    s.field("reg_item", &P::reg_item, "L2 penalty on item biases, in ratings").range(0, 1e6).search(log_scale, 1, 100);
    s.field("epochs", &P::epochs, "alternating sweeps").range(1, 10000);
    return s;
  }
};

class Bias final : public Recommender, public RatingPredictor {
 public:
  explicit Bias(BiasParams params) : params_(params) {}

  void fit(const TrainData& data, FitContext& ctx) override {
    bias_ = fit_rating_bias(data.train.by_user(), params_.reg_user, params_.reg_item, params_.epochs, ctx.exec);
  }

  // b_i alone orders as mu + b_u + b_i does, without the ties that rounding the sum would make.
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    const Eigen::Map<const Eigen::RowVectorXf> row(bias_.item.data(), Eigen::Index(bias_.item.size()));
    for (std::size_t q = 0; q < queries.size(); ++q) out.row(Eigen::Index(q)) = row;
  }
  void score_candidates(const Query&, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) out[i] = bias_.item[raw(candidates[i])];
  }

  void predict(std::span<const UserIdx> users, std::span<const ItemIdx> items, std::span<float> out) const override {
    for (std::size_t p = 0; p < users.size(); ++p) out[p] = static_cast<float>(bias_.predict(users[p], items[p]));
  }

  std::size_t n_items() const override { return bias_.item.size(); }
  const RatingPredictor* ratings() const override { return this; }
  void save(ArchiveWriter& archive) const override {
    archive.put_value("mean", bias_.mean);
    archive.put("user", std::span<const float>(bias_.user));
    archive.put("item", std::span<const float>(bias_.item));
  }
  void load(const ArchiveReader& archive) override {
    bias_ = {archive.value("mean"), archive.floats("user"), archive.floats("item")};
  }

 private:
  BiasParams params_;
  RatingBias bias_;
};

}  // namespace

SEGUE_ALGORITHM(
    bias, Bias, BiasParams,
    {.name = "bias",
     .summary = "the rating baseline: overall mean, generosity of the user, quality of the item",
     .citation = "Koren 2010, Factor in the neighbors: scalable and accurate collaborative filtering, TKDD 4(1), "
                 "section 2.1",
     .family = "baseline",
     .predicts_ratings = true,
     .personalised = false})

}  // namespace segue
