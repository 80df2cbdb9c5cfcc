// Uses what crosses the border: parameters, facets, an optional view found by dynamic_cast, the epoch loop of libsegue.
#include "framework/model/iterative.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct GoodParams {
  int epochs = 3;
  bool need_tags = false;
  static Schema<GoodParams> schema() {
    Schema<GoodParams> s;
    s.field("epochs", &GoodParams::epochs, "passes over the data").range(1, 100);
    s.field("need_tags", &GoodParams::need_tags, "ask for a facet");
    return s;
  }
};

// Item i scores (epochs run) * i.
class Good final : public IterativeRecommender, public RatingPredictor {
 public:
  explicit Good(GoodParams params) : params_(params) {}
  void score(std::span<const Query>, MatRef<float> out) const override {
    for (Eigen::Index q = 0; q < out.rows(); ++q)
      for (Eigen::Index i = 0; i < out.cols(); ++i) out(q, i) = weights_[static_cast<std::size_t>(i)];
  }
  std::size_t n_items() const override { return weights_.size(); }
  void save(ArchiveWriter& archive) const override { archive.put("weights", std::span<const float>(weights_)); }
  void load(const ArchiveReader& archive) override { weights_ = archive.floats("weights"); }
  const RatingPredictor* ratings() const override { return this; }
  void predict(std::span<const UserIdx>, std::span<const ItemIdx>, std::span<float> out) const override {
    for (float& rating : out) rating = 4.5f;
  }

 protected:
  int epochs() const override { return params_.epochs; }
  void begin(const TrainData& data, FitContext&) override {
    if (params_.need_tags) (void)data.facets.require<ItemTags>();
    weights_.assign(data.train.n_items(), 0);
  }
  Losses run_epoch(int epoch, const TrainData&, FitContext&) override {
    for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] += static_cast<float>(i);
    return {{"loss", 1.0 / epoch}};
  }
  void prepare_scoring() override {}
  std::vector<std::span<float>> state() override { return {weights_}; }

 private:
  GoodParams params_;
  std::vector<float> weights_;
};

}  // namespace

SEGUE_ALGORITHM(plugin_good, Good, GoodParams,
                {.name = "plugin_good",
                 .summary = "a plugin that works",
                 .citation = "none: made for tests",
                 .family = "baseline",
                 .predicts_ratings = true,
                 .personalised = false,
                 .iterative = true})

}  // namespace segue
