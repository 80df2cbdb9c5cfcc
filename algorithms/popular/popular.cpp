#include "framework/model/recommender.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct PopularParams {
  enum class By { kUsers, kWeight };
  By by = By::kUsers;

  double fit_flop(const DataShape& s) const { return 5 * s.events; }
  static Schema<PopularParams> schema() {
    using P = PopularParams;
    Schema<P> s;
    s.field("by", &P::by, "count the users who have the item, or add up their weights")
        .choices({{"users", By::kUsers}, {"weight", By::kWeight}});
    return s;
  }
};

class Popular final : public Recommender {
 public:
  explicit Popular(PopularParams params) : params_(params) {}

  void fit(const TrainData& data, FitContext&) override {
    const Csr<ItemIdx>& train = data.train.by_user();
    const bool weighted = params_.by == PopularParams::By::kWeight && train.has_values();
    std::vector<double> sums(train.cols(), 0);
    for (std::size_t p = 0; p < train.nnz(); ++p) {
      sums[raw(train.all_indices()[p])] += weighted ? double{train.all_values()[p]} : 1.0;
    }
    popularity_.assign(sums.begin(), sums.end());
  }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    const Eigen::Map<const Eigen::RowVectorXf> row(popularity_.data(), Eigen::Index(popularity_.size()));
    for (std::size_t q = 0; q < queries.size(); ++q) out.row(Eigen::Index(q)) = row;
  }
  void score_candidates(const Query&, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) out[i] = popularity_[raw(candidates[i])];
  }

  std::size_t n_items() const override { return popularity_.size(); }
  void save(ArchiveWriter& archive) const override { archive.put("popularity", std::span<const float>(popularity_)); }
  void load(const ArchiveReader& archive) override { popularity_ = archive.floats("popularity"); }

 private:
  PopularParams params_;
  std::vector<float> popularity_;
};

}  // namespace

SEGUE_ALGORITHM(
    popular, Popular, PopularParams,
    {.name = "popular",
     .summary = "the most popular items, the same for everybody",
     .citation = "Cremonesi, Koren & Turrin 2010, Performance of recommender algorithms on top-N recommendation "
                 "tasks, RecSys (TopPop)",
     .family = "baseline",
     .personalised = false})

}  // namespace segue
