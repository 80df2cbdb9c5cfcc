// Calls a function that no library has, as a plugin does whose author forgot to link something.
#include "tests/plugin/plugins/stub.hpp"

extern "C" void segue_nobody_defines_this();

namespace {
class Unresolved final : public segue::test::StubRecommender {
 public:
  explicit Unresolved(segue::test::NoParams) {}
  void fit(const segue::TrainData&, segue::FitContext&) override { segue_nobody_defines_this(); }
};
}  // namespace

SEGUE_ALGORITHM(plugin_unresolved, Unresolved, segue::test::NoParams,
                {.name = "plugin_unresolved", .summary = "lacks a symbol", .citation = "", .family = "baseline"})
