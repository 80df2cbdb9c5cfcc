// Ends its process in fit(), as a failed assert inside a library would.
#include <cstdlib>

#include "tests/plugin/plugins/stub.hpp"

namespace {
class Aborts final : public segue::test::StubRecommender {
 public:
  explicit Aborts(segue::test::NoParams) {}
  void fit(const segue::TrainData&, segue::FitContext&) override { std::abort(); }
};
}  // namespace

SEGUE_ALGORITHM(plugin_aborts, Aborts, segue::test::NoParams,
                {.name = "plugin_aborts", .summary = "calls abort() in fit", .citation = "", .family = "baseline"})
