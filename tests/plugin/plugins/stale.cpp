// Built with another kAbiVersion (CMakeLists.txt). Its code must never run: a static initialiser would end the process.
#include <cstdlib>

#include "tests/plugin/plugins/stub.hpp"

namespace {

const int kNever = (std::abort(), 0);

class Stale final : public segue::test::StubRecommender {
 public:
  explicit Stale(segue::test::NoParams) {}
  void fit(const segue::TrainData&, segue::FitContext&) override { (void)kNever; }
};
}  // namespace

SEGUE_ALGORITHM(
    plugin_stale, Stale, segue::test::NoParams,
    {.name = "plugin_stale", .summary = "built against another Segue", .citation = "", .family = "baseline"})
