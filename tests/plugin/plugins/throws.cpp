// Fails in fit() with an error of the framework or of its own.
#include <stdexcept>

#include "framework/base/errors.hpp"
#include "tests/plugin/plugins/stub.hpp"

namespace {

struct Params {
  std::string kind = "usage";
  static segue::Schema<Params> schema() {
    segue::Schema<Params> s;
    s.field("kind", &Params::kind, "which error").choices({"usage", "data", "own"});
    return s;
  }
};

struct OwnError : std::runtime_error {
  using runtime_error::runtime_error;
};

class Throws final : public segue::test::StubRecommender {
 public:
  explicit Throws(Params params) : params_(std::move(params)) {}
  void fit(const segue::TrainData&, segue::FitContext&) override {
    if (params_.kind == "usage") throw segue::UsageError("thrown by a plugin: {} users", 7);
    if (params_.kind == "data") throw segue::DataError::at("u.data", 3, "thrown by a plugin");
    throw OwnError("a type that only the plugin knows");
  }

 private:
  Params params_;
};

}  // namespace

SEGUE_ALGORITHM(plugin_throws, Throws, Params,
                {.name = "plugin_throws", .summary = "throws in fit", .citation = "", .family = "baseline"})
