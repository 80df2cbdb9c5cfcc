#include <cmath>
#include <vector>

#include "framework/model/registry.hpp"
#include "framework/model/session_knn.hpp"

namespace segue {
namespace {

struct VsknnParams : SessionKnnParams {
  double query_power = 1;  // Ludewig & Jannach 2018: linear in the position
  double match_power = 1;
  double idf = 0;
  bool idf_similarity = false;

  static Schema<VsknnParams> schema() {
    using P = VsknnParams;
    Schema<P> s;
    fields(s);
    s.field("query_power", &P::query_power,
            "similarity: an item at position p of n in the current session weighs (p / n) to this; 0: all alike")
        .range(0.0, 100.0)
        .search(linear, 0, 5);
    s.field("match_power", &P::match_power,
            "a neighbour whose latest common item is at position p of n votes with (p / n) to this; 0: all alike")
        .range(0.0, 100.0)
        .search(linear, 0, 5);
    s.field("idf", &P::idf, "an item's votes are multiplied by 1 + idf log(sessions / sessions that have it)")
        .range(0.0, 1000.0)
        .search(linear, 0, 10);
    s.field("idf_similarity", &P::idf_similarity,
            "similarity: common items also weigh log(sessions / sessions that have it)")
        .search_choices({false, true});
    return s;
  }
};

class Vsknn final : public SessionKnn {
 public:
  explicit Vsknn(const VsknnParams& params) : SessionKnn(params), params_(params) {}

 protected:
  void prepare() override {
    idf_.resize(n_items());
    for (std::size_t i = 0; i < idf_.size(); ++i) {
      const std::size_t having = sessions_of(item_at(i)).size();
      idf_[i] = having == 0 ? 0 : std::log(static_cast<double>(n_sessions()) / static_cast<double>(having));
    }
  }
  double weight_of(const Known& item) const override {
    const double weight = std::pow(item.share(), params_.query_power);
    return params_.idf_similarity ? weight * idf_[raw(item.item)] : weight;
  }
  double similarity(double common, std::size_t, std::uint32_t, std::uint32_t) const override { return common; }
  void vote(const Neighbour& neighbour, std::span<const Place> items, std::span<float> out) const override {
    const double vote = neighbour.similarity * std::pow(neighbour.latest->share(), params_.match_power);
    for (const Place& place : items) add(out, place.item, vote * (1 + params_.idf * idf_[raw(place.item)]));
  }

 private:
  VsknnParams params_;
  std::vector<double> idf_;
};

}  // namespace

SEGUE_ALGORITHM(vsknn, Vsknn, VsknnParams,
                {.name = "vsknn",
                 .summary = "nearest neighbours among sessions, the later items of the current one count for more",
                 .citation = "Ludewig & Jannach 2018, Evaluation of session-based recommendation algorithms, UMUAI "
                             "28(4-5); idf: Ludewig, Mauro, Latifi & Jannach 2021, Empirical analysis of session-based "
                             "recommendation algorithms, UMUAI 31(1)",
                 .family = "sequence",
                 .version = 2})

}  // namespace segue
