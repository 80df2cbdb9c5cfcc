// Works, or ends in one of the ways in which a trial can, as its only parameter says. Run it under a memory cap and a
// timeout only.
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/plugin/plugins/stub.hpp"

namespace {

struct Params {
  std::string mood = "good";
  static segue::Schema<Params> schema() {
    segue::Schema<Params> s;
    s.field("mood", &Params::mood, "what happens").choices({"good", "aborts", "hangs", "hoards", "nan"});
    return s;
  }
};

class Fragile final : public segue::test::StubRecommender {
 public:
  explicit Fragile(Params params) : params_(std::move(params)) {}
  void fit(const segue::TrainData& data, segue::FitContext&) override {
    items_ = data.train.n_items();
    if (params_.mood == "aborts") std::abort();
    while (params_.mood == "hangs") steps_ = steps_ + 1;
    while (params_.mood == "hoards") blocks_.emplace_back(std::size_t{16} << 20, '\1');
  }
  void score(std::span<const segue::Query>, segue::MatRef<float> out) const override {
    out.setConstant(params_.mood == "nan" ? std::nanf("") : 1.0F);
  }

 private:
  Params params_;
  volatile unsigned steps_ = 0;
  std::vector<std::string> blocks_;
};

}  // namespace

SEGUE_ALGORITHM(plugin_fragile, Fragile, Params,
                {.name = "plugin_fragile", .summary = "works or does not", .citation = "", .family = "baseline"})
