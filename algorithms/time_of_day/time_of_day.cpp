// Another algorithm's scores, and what is heard at this hour of the day. See README.md.
#include <cmath>
#include <memory>
#include <vector>

#include "algorithms/time_of_day/time_of_day_math.hpp"
#include "framework/model/components.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/score_fusion.hpp"
#include "framework/model/stages.hpp"

namespace segue {

namespace {

struct TimeOfDayParams : HourSettings {
  AlgorithmSpec of = "item_knn";
  double weight = 1;
  bool tags = true;

  std::vector<AlgorithmSpec> components() const { return {of}; }
  double fit_flop(const DataShape& s) const { return 2 * s.events + 24 * 24 * s.items; }
  static Schema<TimeOfDayParams> schema() {
    using P = TimeOfDayParams;
    Schema<P> s;
    s.field("of", &P::of, "the algorithm that knows what a user likes");
    s.field("weight", &P::weight,
            "of the hour against a standard deviation of the algorithm's scores; 0: its own order")
        .range(0.0, 100.0)
        .search(linear, 0, 3);
    s.field("bandwidth", static_cast<double P::*>(&HourSettings::bandwidth),
            "hours around its own for which a play counts (standard deviation); 0: its own alone")
        .range(0.0, 12.0)
        .search(linear, 0.5, 4);
    s.field("prior", static_cast<double P::*>(&HourSettings::prior),
            "plays that an item is given besides its own, at the hours of its tags")
        .range(0.01, 1e6)
        .search(log_scale, 1, 200);
    s.field("tags", &P::tags, "whether tags say when an item is heard that has few plays; where items have tags");
    return s;
  }
};

class TimeOfDay final : public Recommender, public StagedScores {
 public:
  TimeOfDay(TimeOfDayParams params, std::vector<Component> components)
      : params_(std::move(params)), maker_(std::move(components.front())) {}

  void fit(const TrainData& data, FitContext& ctx) override {
    lifts_ = hour_lifts(data.histories, data.train.n_items(), params_.tags ? data.facets.find<ItemTags>() : nullptr,
                        params_);
    model_ = fit_component(maker_, 0, data, ctx);
  }

  std::size_t n_items() const override { return static_cast<std::size_t>(lifts_.rows()); }

  void score(std::span<const Query> queries, MatRef<float> out) const override { score_each(queries, out); }

  void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const override {
    model_->score({&query, 1}, Eigen::Map<Matrix<float>>(out.data(), 1, static_cast<Eigen::Index>(out.size())));
    lap(maker_.name);
    standardise_scores(out);
    const Eigen::Index hour = hour_of(query.now);
    const auto weight = static_cast<float>(params_.weight);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += weight * lifts_(static_cast<Eigen::Index>(i), hour);
    lap("time of day");
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_matrix("lifts", lifts_);
    save_component(archive, 0, *model_);
  }
  void load(const ArchiveReader& archive) override {
    lifts_ = archive.matrix("lifts");
    model_ = load_component(archive, 0, maker_);
  }

 private:
  TimeOfDayParams params_;
  Component maker_;
  std::unique_ptr<Recommender> model_;
  Matrix<float> lifts_;  // items x 24
};

}  // namespace

SEGUE_ALGORITHM(
    time_of_day, TimeOfDay, TimeOfDayParams,
    {.name = "time_of_day",
     .summary = "another algorithm's scores, raised for what is heard at this hour of the day",
     .citation =
         "Panniello, Tuzhilin, Gorgoglione, Palmisano & Pedone 2009, Experimental comparison of pre- vs. "
         "post-filtering "
         "approaches in context-aware recommender systems, RecSys; Baltrunas & Amatriain 2009, Towards time-dependant "
         "recommendation based on implicit feedback, CARS workshop",
     .family = "hybrid",
     .needs = {std::string(kNeedsTimes)}})

}  // namespace segue
