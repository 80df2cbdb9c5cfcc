// Recency-weighted popularity: an event counts half after every half-life. A working start; change it into yours.
#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/model/registry.hpp"

namespace {
using namespace segue;

struct MyAlgorithmParams {
  double half_life = 30;
  static Schema<MyAlgorithmParams> schema() {
    using P = MyAlgorithmParams;
    Schema<P> s;
    s.field("half_life", &P::half_life, "days until an event counts half").above(0).search(log_scale, 1, 365);
    return s;
  }
};

class MyAlgorithm final : public Recommender {
 public:
  explicit MyAlgorithm(MyAlgorithmParams params) : params_(params) {}

  void fit(const TrainData& data, FitContext&) override {
    const std::span<const ItemIdx> items = data.histories.items();
    const std::span<const std::int64_t> times = data.histories.times();  // seconds
    const std::int64_t newest = times.empty() ? 0 : *std::max_element(times.begin(), times.end());
    std::vector<double> sums(data.train.n_items(), 0);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const double days = times.empty() ? 0 : static_cast<double>(newest - times[i]) / 86400;
      sums[raw(items[i])] += std::exp2(-days / params_.half_life);
    }
    scores_.assign(sums.begin(), sums.end());
  }

  // One row a query, one column an item; here every row is the same.
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    const Eigen::Map<const Eigen::RowVectorXf> row(scores_.data(), Eigen::Index(scores_.size()));
    for (std::size_t q = 0; q < queries.size(); ++q) out.row(Eigen::Index(q)) = row;
  }

  std::size_t n_items() const override { return scores_.size(); }
  void save(ArchiveWriter& archive) const override { archive.put("scores", std::span<const float>(scores_)); }
  void load(const ArchiveReader& archive) override { scores_ = archive.floats("scores"); }

 private:
  MyAlgorithmParams params_;
  std::vector<float> scores_;
};

}  // namespace

SEGUE_ALGORITHM(my_algorithm, MyAlgorithm, MyAlgorithmParams,
                {.name = "my_algorithm",
                 .summary = "popularity in which recent events count more",
                 .citation = "",
                 .family = "baseline",
                 .personalised = false})
