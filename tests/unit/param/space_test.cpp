#include "framework/param/space.hpp"

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "framework/param/yaml.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

struct Params {
  int factors = 64;
  int epochs = 15;
  float reg = 0.1f;
  double alpha = 1;
  std::string loss = "squared";
  bool biases = true;
  std::vector<int> hidden{64};
  static Schema<Params> schema() {
    using P = Params;
    Schema<P> s;
    s.field("factors", &P::factors, "dimensions").range(1, 4096).search(pow2, 16, 256);
    s.field("epochs", &P::epochs, "epochs").range(1, 100).search(linear, 5, 30);
    s.field("reg", &P::reg, "penalty").above(0).search(log_scale, 1e-3, 1e2);
    s.field("alpha", &P::alpha, "confidence").range(0.0, 1e6);
    s.field("loss", &P::loss, "loss").choices({"squared", "logistic"});
    s.field("biases", &P::biases, "biases").search_choices({true, false});
    s.field("hidden", &P::hidden, "sizes").range(1, 1024);
    return s;
  }
};

SearchSpace space(const std::string& declared = "{}", const std::string& fixed = "{}") {
  return {AnySchema::of<Params>(), parse_yaml(fixed, "s.yaml"), parse_yaml(declared, "s.yaml"), "algorithm 'als'"};
}

std::string text(const SearchSpace& s) {
  std::string out;
  for (const Dimension& d : s.dimensions()) out += (out.empty() ? "" : "; ") + d.name + " " + d.text();
  return out;
}

TEST(SearchSpace, ComesFromTheSchemaWithoutWhatIsFixed) {
  EXPECT_EQ(text(space()), "factors pow2 [16, 256]; epochs linear [5, 30]; reg log [0.001, 100]; biases [true, false]");
  EXPECT_EQ(text(space("{}", "{factors: 32, reg: 1}")), "epochs linear [5, 30]; biases [true, false]");
  EXPECT_EQ(text(space().without("epochs").without("reg")), "factors pow2 [16, 256]; biases [true, false]");
  EXPECT_TRUE(space("{}", "{factors: 32, reg: 1, epochs: 3, biases: true}").empty());
}

TEST(SearchSpace, IsDeclaredOtherwise) {
  EXPECT_EQ(text(space("{factors: [32, 64], reg: {log: [1e-3, 10]}, alpha: {linear: [0, 40], steps: 5}, loss: "
                       "[logistic], hidden: [[8], [8, 4]]}")),
            "factors [32, 64]; epochs linear [5, 30]; reg log [0.001, 10]; alpha linear [0, 40]; loss [logistic]; "
            "biases [true, false]; hidden [[8], [8, 4]]");
}

TEST(SearchSpace, RefusesWhatMakesNoSense) {
  const std::map<std::string, std::string> wrong{
      {"{factor: [3]}", "s.yaml:1:2: unknown key 'factor' in the space of algorithm 'als'; did you mean 'factors'?"},
      {"{reg: 3}",
       "s.yaml:1:7: the space of 'reg' is a list of values such as [0.1], or a range such as {log: [1e-3, 10]}, not "
       "integer 3"},
      {"{reg: {lg: [1, 2]}}", "s.yaml:1:8: unknown key 'lg' in the space of 'reg'; did you mean 'log'?"},
      {"{reg: {steps: 3}}", "s.yaml:1:7: the space of 'reg' needs a scale, such as {log: [1e-3, 10]}"},
      {"{reg: {log: [1, 2], linear: [1, 2]}}", "s.yaml:1:13: the space of 'reg' has one scale, linear, log or pow2"},
      {"{reg: {log: [1, 2, 3]}}", "s.yaml:1:13: a range is written [low, high], not list [1, 2, 3]"},
      {"{reg: {log: [2, 1]}}", "s.yaml:1:13: the range [2, 1] of 'reg' is empty; the lower end comes first"},
      {"{reg: {log: [0, 1]}}", "s.yaml:1:14: reg = 0 is out of range (0, inf) in algorithm 'als'"},
      {"{alpha: {log: [0, 1]}}", "s.yaml:1:15: a log scale needs a lower end above 0, not 0"},
      {"{alpha: {pow2: [5, 7]}}", "s.yaml:1:16: there is no power of two in [5, 7]"},
      {"{alpha: {pow2: [1, 7], steps: 3}}", "s.yaml:1:31: pow2 has its own steps, the powers of two"},
      {"{alpha: {linear: [1, 7], steps: 1}}", "s.yaml:1:33: steps = 1 is out of range [2, 10000]"},
      {"{factors: {linear: [1, 1.5]}}", "s.yaml:1:24: factors needs an integer, got real 1.5 in algorithm 'als'"},
      {"{factors: [1, 5000]}", "s.yaml:1:15: factors = 5000 is out of range [1, 4096] in algorithm 'als'"},
      {"{factors: []}", "s.yaml:1:11: the space of 'factors' is empty; give at least one value"},
      {"{factors: [4, 4]}", "s.yaml:1:15: the value 4 of 'factors' is listed twice"},
      {"{loss: {log: [1, 2]}}", "s.yaml:1:14: 'loss' is a string in algorithm 'als': its space is a list of values"},
      {"{hidden: {log: [1, 2]}}",
       "s.yaml:1:16: 'hidden' is a list of integers in algorithm 'als': its space is a list of values"},
      {"[1]", "s.yaml:1:1: "},
  };
  for (const auto& [declared, message] : wrong) {
    const std::string said = refusal([&] { space(declared); });
    EXPECT_EQ(said.substr(0, message.size()), message);
  }
  EXPECT_EQ(refusal([] { space("{reg: [1]}", "{reg: 2}"); }),
            "s.yaml:1:2: 'reg' is given in algorithm 'als' and searched here; keep one of the two");
}

// Values of n equally spaced coordinates.
std::map<std::string, int> counts(const Dimension& d, int n) {
  std::map<std::string, int> out;
  for (int i = 0; i < n; ++i) ++out[d.value((i + 0.5) / n).text()];
  return out;
}

TEST(Dimension, MapsTheUnitIntervalEvenlyOnItsScale) {
  const auto dims = space("{alpha: {log: [0.01, 100]}, loss: [squared, logistic]}").dimensions();
  EXPECT_EQ(counts(dims[0], 500),
            (std::map<std::string, int>{{"16", 100}, {"32", 100}, {"64", 100}, {"128", 100}, {"256", 100}}));
  const auto epochs = counts(dims[1], 2600);
  EXPECT_EQ(epochs.size(), 26u);
  for (const auto& [value, n] : epochs) EXPECT_EQ(n, 100) << value;
  EXPECT_EQ(counts(dims[4], 10), (std::map<std::string, int>{{"logistic", 5}, {"squared", 5}}));
  // Reals: the quantiles of the scale.
  EXPECT_NEAR(dims[3].value(0.5).as_real(), 1, 1e-9);
  EXPECT_NEAR(dims[3].value(0.25).as_real(), 0.1, 1e-9);
  EXPECT_EQ(dims[3].value(0.3).text(), "0.1585");  // 10^(-2 + 1.2), four digits
  EXPECT_EQ(dims[3].value(0).as_real(), 0.01);
  EXPECT_EQ(dims[3].value(1).as_real(), 100);
  // Integers on a log scale: k with probability log((k + 1) / k) / log(high + 1).
  const Dimension d = space("{epochs: {log: [1, 7]}}").dimensions()[1];
  const auto logs = counts(d, 80000);
  EXPECT_EQ(logs.size(), 7u);
  EXPECT_NEAR(logs.at("1"), 80000 / 3.0, 2);
  EXPECT_NEAR(logs.at("3"), 80000 * std::log(4.0 / 3) / std::log(8.0), 2);
}

TEST(Dimension, KnowsHowManyValuesItHas) {
  const auto dims = space("{loss: [squared, logistic]}").dimensions();
  EXPECT_EQ(dims[0].size(), 5u);
  EXPECT_EQ(dims[1].size(), 26u);
  EXPECT_FALSE(dims[2].size());
  EXPECT_EQ(dims[3].size(), 2u);
  EXPECT_EQ(space("{}", "{reg: 1}").size(), 5u * 26 * 2);
  EXPECT_FALSE(space().size());
}

TEST(Dimension, GridsHaveSteps) {
  const auto texts = [](const Dimension& d) { return Value::list(d.grid("algorithm 'als'")).text(); };
  const auto dims =
      space(
          "{epochs: {linear: [5, 30], steps: 3}, reg: {log: [0.01, 10], steps: 4}, alpha: {linear: [0, 1], steps: 3}}")
          .dimensions();
  EXPECT_EQ(texts(dims[0]), "[16, 32, 64, 128, 256]");
  EXPECT_EQ(texts(dims[1]), "[5, 18, 30]");
  EXPECT_EQ(texts(dims[2]), "[0.01, 0.1, 1.0, 10.0]");
  EXPECT_EQ(texts(dims[3]), "[0.0, 0.5, 1.0]");
  EXPECT_EQ(texts(dims[4]), "[true, false]");
  EXPECT_EQ(texts(space("{epochs: {linear: [1, 3], steps: 9}}").dimensions()[1]), "[1, 2, 3]");
  EXPECT_EQ(refusal([&] { texts(space("{alpha: {log: [1, 2]}}").dimensions()[3]); }),
            "s.yaml:1:9: a grid needs values: alpha is searched on log [1, 2] in algorithm 'als'; write space: {alpha: "
            "{log: [1, 2], steps: 5}}, or a list of "
            "values");
}

TEST(SearchSpace, SettingsAreNamedValues) {
  const SearchSpace s = space("{reg: {log: [0.01, 1]}}", "{epochs: 3}");
  const std::vector<double> point{0.5, 0.5, 0.9};
  EXPECT_EQ(s.settings(point).text(), "{factors: 64, reg: 0.1, biases: false}");
}

}  // namespace
}  // namespace segue
