// See README.md.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/day.hpp"
#include "framework/model/recommender.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct PopularParams {
  enum class By { kUsers, kWeight };
  By by = By::kUsers;
  double half_life = 0;  // days

  std::vector<std::string> needs() const {
    return half_life > 0 ? std::vector<std::string>{std::string(kNeedsTimes)} : std::vector<std::string>{};
  }
  double fit_flop(const DataShape& s) const { return 5 * s.events; }
  static Schema<PopularParams> schema() {
    using P = PopularParams;
    Schema<P> s;
    s.field("by", &P::by, "count the users who have the item, or add up their weights")
        .choices({{"users", By::kUsers}, {"weight", By::kWeight}});
    s.field("half_life", &P::half_life,
            "days after which an event counts half, back from the last in training; 0: all alike")
        .range(0.0, 1e6);
    return s;
  }
};

class Popular final : public Recommender {
 public:
  explicit Popular(PopularParams params) : params_(params) {}

  void fit(const TrainData& data, FitContext&) override {
    const Csr<ItemIdx>& train = data.train.by_user();
    const bool weighted = params_.by == PopularParams::By::kWeight && train.has_values();
    const bool ages = params_.half_life > 0;
    const auto& times = data.histories.times();
    const std::int64_t last = ages && !times.empty() ? *std::max_element(times.begin(), times.end()) : 0;
    std::vector<std::int64_t> latest(train.cols());  // of this user; every item of a row has an event
    std::vector<double> sums(train.cols(), 0);
    for (std::size_t u = 0; u < train.rows(); ++u) {
      if (ages) {
        const HistoryView history = data.histories[u];
        for (std::size_t e = 0; e < history.items.size(); ++e) latest[raw(history.items[e])] = history.times[e];
      }
      for (std::size_t p = 0; p < train.row_size(u); ++p) {
        const std::size_t item = raw(train.indices(u)[p]);
        const double weight = weighted ? double{train.values(u)[p]} : 1.0;
        sums[item] += ages ? weight * remaining(last - latest[item]) : weight;
      }
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
  // What is left of a pair whose latest event lies so many seconds back.
  double remaining(std::int64_t age) const {
    return std::exp2(-static_cast<double>(age) / (params_.half_life * double{kSecondsPerDay}));
  }

  PopularParams params_;
  std::vector<float> popularity_;
};

}  // namespace

SEGUE_ALGORITHM(
    popular, Popular, PopularParams,
    {.name = "popular",
     .summary = "the most popular items, the same for everybody",
     .citation = "Cremonesi, Koren & Turrin 2010, Performance of recommender algorithms on top-N recommendation "
                 "tasks, RecSys (TopPop); Ji, Sun, Zhang & Li 2020, A re-visit of the popularity baseline in "
                 "recommender systems, SIGIR (recent popularity)",
     .family = "baseline",
     .personalised = false})

}  // namespace segue
