// A default outside its own range: a mistake in the declaration, found while the plugin registers itself.
#include "tests/plugin/plugins/stub.hpp"

namespace {

struct Params {
  int factors = 0;
  static segue::Schema<Params> schema() {
    segue::Schema<Params> s;
    s.field("factors", &Params::factors, "latent dimensions").range(1, 8);
    return s;
  }
};

class BadlyDeclared final : public segue::test::StubRecommender {
 public:
  explicit BadlyDeclared(Params) {}
  void fit(const segue::TrainData&, segue::FitContext&) override {}
};
}  // namespace

SEGUE_ALGORITHM(
    plugin_badly_declared, BadlyDeclared, Params,
    {.name = "plugin_badly_declared", .summary = "its default is out of range", .citation = "", .family = "baseline"})
