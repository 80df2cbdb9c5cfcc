#include "framework/param/overrides.hpp"

#include <gtest/gtest.h>

#include "framework/param/yaml.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

const char* const kSuite =
    "model: {size: 1, deep: {x: 2}, none: }\n"
    "algorithms:\n"
    "  - popular\n"
    "  - implicit_als: {factors: 128}\n"
    "    label: big\n"
    "  - implicit_als:\n"
    "  - {name: item_knn, neighbours: 20}\n"
    "  - {name: slim, params: {reg: 1}}\n"
    "seeds: [1, 2]\n";

std::string after(const std::string& text, const std::string& top = "algorithms") {
  Value root = parse_yaml(kSuite, "suite.yaml");
  apply_override(root, text);
  const Value* found = root.find(top);
  return found ? found->text() : "(gone)";
}
std::string refused(const std::string& text) {
  Value root = parse_yaml(kSuite, "suite.yaml");
  const std::string message = refusal([&] { apply_override(root, text); });
  EXPECT_EQ(root, parse_yaml(kSuite, "suite.yaml")) << "a refused override must change nothing: " << text;
  return message;
}

TEST(Override, TuneIsNoParameter) {
  Value root = parse_yaml("algorithms: [popular, {slim: {reg: 1}, tune: true}]", "suite.yaml");
  const auto set = [&](const std::string& text) {
    apply_override(root, text);
    return root.find("algorithms")->text();
  };
  EXPECT_EQ(set("algorithms.slim.tune.trials=9"), "[popular, {slim: {reg: 1}, tune: {trials: 9}}]");
  EXPECT_EQ(set("algorithms.slim.reg=2"), "[popular, {slim: {reg: 2}, tune: {trials: 9}}]");
  EXPECT_EQ(set("algorithms.slim.tune.seed=3"), "[popular, {slim: {reg: 2}, tune: {trials: 9, seed: 3}}]");
  EXPECT_EQ(set("algorithms.slim.tune=false"), "[popular, {slim: {reg: 2}, tune: false}]");
  EXPECT_EQ(set("algorithms.popular.tune=true"), "[{popular: {}, tune: true}, {slim: {reg: 2}, tune: false}]");
}

TEST(Override, ChangesAddsAndRemovesInMaps) {
  EXPECT_EQ(after("model.size=3", "model"), "{size: 3, deep: {x: 2}, none: null}");
  EXPECT_EQ(after("model.deep.x=[1, a]", "model"), "{size: 1, deep: {x: [1, a]}, none: null}");
  EXPECT_EQ(after("+model.new=true", "model"), "{size: 1, deep: {x: 2}, none: null, new: true}");
  EXPECT_EQ(after("+model.none.a.b=1", "model"), "{size: 1, deep: {x: 2}, none: {a: {b: 1}}}");
  EXPECT_EQ(after("+a\\.b.c=1", "a.b"), "{c: 1}");
  EXPECT_EQ(after("~model.deep", "model"), "{size: 1, none: null}");
  EXPECT_EQ(after("~model", "model"), "(gone)");
  EXPECT_EQ(after("model=", "model"), "");
  EXPECT_EQ(after("model=a=b", "model"), "a=b");
  EXPECT_EQ(after("seeds.1=9", "seeds"), "[1, 9]");
  EXPECT_EQ(after("+seeds.2=9", "seeds"), "[1, 2, 9]");
  EXPECT_EQ(after("~seeds.0", "seeds"), "[2]");
}

TEST(Override, ACommaListIsAList) {
  EXPECT_EQ(after("seeds=32,64", "seeds"), "[32, 64]");
  EXPECT_EQ(after("seeds=[32,64]", "seeds"), "[32, 64]");
  EXPECT_EQ(after("seeds=[1,2],[3]", "seeds"), "[[1, 2], [3]]");
  EXPECT_EQ(after("seeds='a,b'", "seeds"), "a,b");
  EXPECT_EQ(after("seeds='a,b',\"c,\\\"d\"", "seeds"), "[\"a,b\", \"c,\\\"d\"]");
  EXPECT_EQ(after("seeds=don't,can't", "seeds"), "[\"don't\", \"can't\"]");
  EXPECT_EQ(refused("seeds=1,,2"), "command line 'seeds=1,,2': an item of the comma list is empty");
}

TEST(Override, EntriesOfAListAreFoundByLabelNameOrMainKey) {
  const std::string rest = ", {name: item_knn, neighbours: 20}, {name: slim, params: {reg: 1}}]";
  EXPECT_EQ(after("algorithms.big.factors=64"),
            "[popular, {implicit_als: {factors: 64}, label: big}, {implicit_als: null}" + rest);
  EXPECT_EQ(after("algorithms.1.factors=64"),
            "[popular, {implicit_als: {factors: 64}, label: big}, {implicit_als: null}" + rest);
  EXPECT_EQ(after("algorithms.1.implicit_als.reg=1"),
            "[popular, {implicit_als: {factors: 128, reg: 1}, label: big}, {implicit_als: null}" + rest);
  EXPECT_EQ(after("algorithms.2.factors=32,64"),
            "[popular, {implicit_als: {factors: 128}, label: big}, {implicit_als: {factors: [32, 64]}}" + rest);
  EXPECT_EQ(after("algorithms.big.label=huge"),
            "[popular, {implicit_als: {factors: 128}, label: huge}, {implicit_als: null}" + rest);
  EXPECT_EQ(after("~algorithms.big.factors"), "[popular, {implicit_als: {}, label: big}, {implicit_als: null}" + rest);
  EXPECT_EQ(after("~algorithms.big"), "[popular, {implicit_als: null}" + rest);
  EXPECT_EQ(after("algorithms.big={factors: 1}"),
            "[popular, {implicit_als: {factors: 1}, label: big}, {implicit_als: null}" + rest);

  const std::string head = "[popular, {implicit_als: {factors: 128}, label: big}, {implicit_als: null}, ";
  EXPECT_EQ(after("algorithms.item_knn.neighbours=5"),
            head + "{name: item_knn, neighbours: 5}, {name: slim, params: {reg: 1}}]");
  EXPECT_EQ(after("algorithms.item_knn.shrink=5"),
            head + "{name: item_knn, neighbours: 20, shrink: 5}, {name: slim, params: {reg: 1}}]");
  EXPECT_EQ(after("algorithms.slim.l1=5"),
            head + "{name: item_knn, neighbours: 20}, {name: slim, params: {reg: 1, l1: 5}}]");
  EXPECT_EQ(after("algorithms.slim.params.l1=5"),
            head + "{name: item_knn, neighbours: 20}, {name: slim, params: {reg: 1, l1: 5}}]");
  EXPECT_EQ(after("algorithms.slim=random"), head + "{name: item_knn, neighbours: 20}, random]");
}

TEST(Override, AStringEntryBecomesAMapWhenSomethingIsPutBeneathIt) {
  const std::string rest =
      ", {implicit_als: {factors: 128}, label: big}, {implicit_als: null}, {name: item_knn, neighbours: 20}, {name: "
      "slim, params: {reg: 1}}]";
  EXPECT_EQ(after("algorithms.popular.window=7"), "[{popular: {window: 7}}" + rest);
  EXPECT_EQ(after("+algorithms.0.window=7"), "[{popular: {window: 7}}" + rest);
  EXPECT_EQ(after("algorithms.popular.label=p"), "[{popular: {}, label: p}" + rest);
  EXPECT_EQ(after("algorithms.popular={window: 7}"), "[{popular: {window: 7}}" + rest);
  const std::string all = after("+algorithms.random.seed=7");
  EXPECT_EQ(all.substr(all.size() - 22), ", {random: {seed: 7}}]");
}

TEST(Override, ValuesSayWhereTheyComeFrom) {
  Value root = parse_yaml(kSuite, "suite.yaml");
  apply_override(root, "algorithms.big.factors=64,32");
  const Value::Entry& factors = root.find("algorithms")->items()[1].entries()[0].value.entries()[0];
  EXPECT_EQ(factors.key_mark.str(), "command line 'algorithms.big.factors=64,32'");
  EXPECT_EQ(factors.value.items()[1].mark().str(), "command line 'algorithms.big.factors=64,32'");
}

TEST(Override, RefusalsSayWhatWouldHaveWorked) {
  EXPECT_EQ(refused("modle.x=1"),
            "command line 'modle.x=1': there is no 'modle'; did you mean 'model'? known: model, algorithms, seeds; use "
            "+modle.x=1 to add it");
  EXPECT_EQ(refused("model.sise=1"),
            "command line 'model.sise=1': there is no 'sise' in 'model'; did you mean 'size'? known: size, deep, none; "
            "use +model.sise=1 to add it");
  EXPECT_EQ(refused("~model.sise"),
            "command line '~model.sise': there is no 'sise' in 'model'; did you mean 'size'? known: size, deep, none");
  EXPECT_EQ(
      refused("+model.size=2"),
      "command line '+model.size=2': 'model.size' exists already (suite.yaml:1:15); leave the '+' out to change it");
  EXPECT_EQ(refused("model.size.x=2"),
            "command line 'model.size.x=2': there is nothing beneath integer 1 in 'model.size'");
  EXPECT_EQ(refused("algorithms.poplar.x=2"),
            "command line 'algorithms.poplar.x=2': there is no 'poplar' in 'algorithms'; did you mean 'popular'? "
            "known: popular, big, "
            "implicit_als, item_knn, slim; use +algorithms.poplar.x=2 to add it");
  EXPECT_EQ(refused("algorithms.implicit_als.x=2"),
            "command line 'algorithms.implicit_als.x=2': 'implicit_als' names 2 entries in 'algorithms'; use a label "
            "or a position (1, 2)");
  EXPECT_EQ(
      refused("algorithms.7.x=2"),
      "command line 'algorithms.7.x=2': there is no position 7 in 'algorithms', which has 5 entries counted from 0");
  EXPECT_EQ(refused("seeds.99999999999999999999=2"),
            "command line 'seeds.99999999999999999999=2': there is no position 99999999999999999999 in 'seeds', which "
            "has 2 entries counted from 0");
  EXPECT_EQ(refused("~algorithms.big.reg"),
            "command line '~algorithms.big.reg': there is no 'reg' in 'algorithms.big'; known: factors");
  EXPECT_EQ(
      refused("~algorithms.popular.reg"),
      "command line '~algorithms.popular.reg': there is nothing beneath string 'popular' in 'algorithms.popular'");
  EXPECT_EQ(refused("model.size"),
            "command line 'model.size': an override is written a.b=1 (change), +a.b=1 (add) or ~a.b (remove)");
  EXPECT_EQ(refused("~model.size=1"), "command line '~model.size=1': a removal takes no value; write ~model.size");
  EXPECT_EQ(refused("model..x=1"), "command line 'model..x=1': the path 'model..x' has an empty part");
  EXPECT_EQ(refused("=1"), "command line '=1': the path '' has an empty part");
  EXPECT_EQ(refused("++a=1"), "command line '++a=1': '++' is not supported; use a.b=1 to change and +a.b=1 to add");
  EXPECT_EQ(refused("model.size=[1"), "command line 'model.size=[1': the '[' opened here is never closed");
}

}  // namespace
}  // namespace segue
