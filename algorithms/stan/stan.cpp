#include <algorithm>
#include <cmath>

#include "framework/base/day.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/session_knn.hpp"

namespace segue {
namespace {

constexpr double kDay = double{kSecondsPerDay};

struct StanParams : SessionKnnParams {
  double query_decay = 2;
  double recency_decay = 20;
  double distance_decay = 2;

  static Schema<StanParams> schema() {
    using P = StanParams;
    Schema<P> s;
    fields(s);
    s.field("query_decay", &P::query_decay,
            "lambda 1: an item x places before the last of the current session weighs exp(-x / lambda); 0: all alike")
        .range(0.0, 1e6)
        .search(log_scale, 0.2, 10);
    s.field("recency_decay", &P::recency_decay,
            "lambda 2: a session x days older than the newest weighs exp(-x / lambda); 0: all alike")
        .range(0.0, 1e6)
        .search(log_scale, 1, 100);
    s.field("distance_decay", &P::distance_decay,
            "lambda 3: a neighbour's item x places from the latest common one gains exp(-x / lambda); 0: all alike")
        .range(0.0, 1e6)
        .search(log_scale, 0.2, 10);
    return s;
  }
};

double decay(double distance, double lambda) { return lambda > 0 ? std::exp(-distance / lambda) : 1; }

class Stan final : public SessionKnn {
 public:
  explicit Stan(const StanParams& params) : SessionKnn(params), params_(params) {}

 protected:
  double weight_of(const Known& item) const override { return decay(item.steps_back(), params_.query_decay); }
  // Age is counted from the newest session that shares an item, not from the question: the factor between the two is
  // the same for every neighbour, and without it no weight vanishes because a question comes late.
  double similarity(double common, std::size_t distinct, std::uint32_t session, std::uint32_t newest) const override {
    const double size = static_cast<double>(places(session).size());
    const double age = static_cast<double>(sessions().end(newest) - sessions().end(session)) / kDay;
    return common / std::sqrt(static_cast<double>(distinct) * size) * decay(age, params_.recency_decay);
  }
  void vote(const Neighbour& neighbour, std::span<const Place> items, std::span<float> out) const override {
    const auto latest = std::find_if(items.begin(), items.end(),
                                     [&](const Place& place) { return place.item == neighbour.latest->item; });
    for (const Place& place : items) {
      const double distance = std::abs(static_cast<double>(place.position) - static_cast<double>(latest->position));
      add(out, place.item, neighbour.similarity * decay(distance, params_.distance_decay));
    }
  }

 private:
  StanParams params_;
};

}  // namespace

SEGUE_ALGORITHM(
    stan, Stan, StanParams,
    {.name = "stan",
     .summary = "nearest neighbours among sessions: recent items, recent sessions, and items close to the common one",
     .citation = "Garg, Gupta, Malhotra, Vig & Shroff 2019, Sequence and time aware neighborhood for "
                 "session-based recommendations: STAN, SIGIR",
     .family = "sequence",
     .version = 2})

}  // namespace segue
