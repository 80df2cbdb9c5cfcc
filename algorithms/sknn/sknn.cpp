#include <cmath>

#include "framework/model/registry.hpp"
#include "framework/model/session_knn.hpp"

namespace segue {
namespace {

struct SknnParams : SessionKnnParams {
  static Schema<SknnParams> schema() {
    Schema<SknnParams> s;
    fields(s);
    return s;
  }
};

class Sknn final : public SessionKnn {
 public:
  explicit Sknn(const SknnParams& params) : SessionKnn(params) {}

 protected:
  double weight_of(const Known&) const override { return 1; }
  double similarity(double common, std::size_t distinct, std::uint32_t session, std::uint32_t) const override {
    return common / std::sqrt(static_cast<double>(distinct) * static_cast<double>(places(session).size()));
  }
  void vote(const Neighbour& neighbour, std::span<const Place> items, std::span<float> out) const override {
    for (const Place& place : items) add(out, place.item, neighbour.similarity);
  }
};

}  // namespace

SEGUE_ALGORITHM(sknn, Sknn, SknnParams,
                {.name = "sknn",
                 .summary = "what recent sessions with the same items hold: nearest neighbours among sessions",
                 .citation = "Jannach & Ludewig 2017, When recurrent neural networks meet the neighborhood for "
                             "session-based recommendation, RecSys",
                 .family = "sequence",
                 .version = 2})

}  // namespace segue
