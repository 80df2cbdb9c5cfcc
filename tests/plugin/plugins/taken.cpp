// Claims the name of another plugin.
#include "tests/plugin/plugins/stub.hpp"

namespace {
class Taken final : public segue::test::StubRecommender {
 public:
  explicit Taken(segue::test::NoParams) {}
  void fit(const segue::TrainData& data, segue::FitContext&) override { items_ = data.train.n_items(); }
};
}  // namespace

SEGUE_ALGORITHM(plugin_taken, Taken, segue::test::NoParams,
                {.name = "plugin_good", .summary = "has the name of plugin_good", .citation = "", .family = "baseline"})
