#include "framework/param/schema.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "framework/param/yaml.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

enum class Similarity { kCosine, kPearson };

struct Params {
  int factors = 64;
  std::int64_t epochs = 15;
  std::uint64_t seed = 1;
  float reg = 0.1f;
  double alpha = 40;
  bool bias = true;
  std::string loss = "bpr";
  Similarity similarity = Similarity::kCosine;
  std::vector<int> hidden = {64, 32};
  std::vector<double> weights;
  std::vector<std::string> tags = {"rock"};
  std::optional<double> dropout;
  std::optional<int> limit = 3;

  static Schema<Params> schema() {
    using P = Params;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 16, 256);
    s.field("epochs", &P::epochs, "passes").at_least(0);
    s.field("seed", &P::seed, "seed");
    s.field("reg", &P::reg, "L2 penalty").range(0, 1e6f).search(log_scale, 1e-3, 1e2);
    s.field("alpha", &P::alpha, "confidence").above(0).search(linear, 1, 80);
    s.field("bias", &P::bias, "with biases").search_choices({true, false});
    s.field("loss", &P::loss, "loss").choices({"bpr", "warp"});
    s.field("similarity", &P::similarity, "similarity")
        .choices({{"cosine", Similarity::kCosine}, {"pearson", Similarity::kPearson}});
    s.field("hidden", &P::hidden, "layer widths").range(1, 1024);
    s.field("weights", &P::weights, "weights");
    s.field("tags", &P::tags, "tags").choices({"rock", "jazz"});
    s.field("dropout", &P::dropout, "dropout rate").range(0, 1);
    s.field("limit", &P::limit, "limit");
    return s;
  }
};

const std::string kWhat = "algorithm 'implicit_als'";

Params read(const std::string& text) { return Params::schema().parse(parse_yaml(text, "suite.yaml"), kWhat); }
std::string refused(const std::string& text) {
  return refusal([&] { read(text); });
}

TEST(Schema, DefaultsComeFromTheStruct) {
  const Params p = Params::schema().parse(Value::null(), kWhat);
  EXPECT_EQ(p.factors, 64);
  EXPECT_EQ(p.reg, 0.1f);
  EXPECT_EQ(p.hidden, (std::vector<int>{64, 32}));
  EXPECT_FALSE(p.dropout);
  EXPECT_EQ(p.limit, 3);
  EXPECT_EQ(Params::schema().non_default(p).text(), "{}");
  EXPECT_EQ(Params::schema().to_value(p).text(),
            "{factors: 64, epochs: 15, seed: 1, reg: 0.1, alpha: 40.0, bias: true, loss: bpr, similarity: cosine, "
            "hidden: [64, 32], "
            "weights: [], tags: [rock], dropout: null, limit: 3}");
}

TEST(Schema, EveryTypeIsReadAndWrittenBack) {
  const std::string text =
      "{factors: 8, epochs: 9000000000, seed: 9223372036854775807, reg: 1, alpha: 0.5, bias: false, loss: warp, "
      "similarity: pearson, "
      "hidden: [], weights: [1, 0.5], tags: [jazz, rock], dropout: 0.25, limit: null}";
  const Params p = read(text);
  EXPECT_EQ(p.factors, 8);
  EXPECT_EQ(p.epochs, 9000000000);
  EXPECT_EQ(p.seed, 9223372036854775807u);
  EXPECT_EQ(p.reg, 1.0f);
  EXPECT_EQ(p.alpha, 0.5);
  EXPECT_FALSE(p.bias);
  EXPECT_EQ(p.loss, "warp");
  EXPECT_EQ(p.similarity, Similarity::kPearson);
  EXPECT_TRUE(p.hidden.empty());
  EXPECT_EQ(p.weights, (std::vector<double>{1, 0.5}));
  EXPECT_EQ(p.tags, (std::vector<std::string>{"jazz", "rock"}));
  EXPECT_EQ(p.dropout, 0.25);
  EXPECT_FALSE(p.limit);
  const Value written = Params::schema().to_value(p);
  EXPECT_EQ(written.canonical(), parse_yaml(text, "x").canonical());
  EXPECT_EQ(Params::schema().non_default(p), written);  // every field was changed
}

TEST(Schema, ErrorsNamePlaceFieldAndWhatWouldHaveWorked) {
  const std::string in = " in algorithm 'implicit_als'";
  EXPECT_EQ(refused("reg: 0.1\nfactor: 3\n"), "suite.yaml:2:1: unknown key 'factor'" + in +
                                                  "; did you mean 'factors'? known: factors, epochs, seed, reg, alpha, "
                                                  "bias, loss, similarity, hidden, weights, tags, dropout, limit");
  EXPECT_EQ(refused("factors: 0"), "suite.yaml:1:10: factors = 0 is out of range [1, 4096]" + in);
  EXPECT_EQ(refused("factors: 4097"), "suite.yaml:1:10: factors = 4097 is out of range [1, 4096]" + in);
  EXPECT_EQ(refused("factors: 64.0"), "suite.yaml:1:10: factors needs an integer, got real 64.0 (write 64)" + in);
  EXPECT_EQ(refused("factors: 1.5"), "suite.yaml:1:10: factors needs an integer, got real 1.5" + in);
  EXPECT_EQ(refused("factors: .inf"), "suite.yaml:1:10: factors needs an integer, got real .inf" + in);
  EXPECT_EQ(refused("factors: '64'"), "suite.yaml:1:10: factors needs an integer, got string '64'" + in);
  EXPECT_EQ(refused("factors:"), "suite.yaml:1:1: factors needs an integer, got null" + in);
  EXPECT_EQ(refused("factors: [32, 64]"), "suite.yaml:1:10: factors needs an integer, got list [32, 64]" + in);
  EXPECT_EQ(refused("epochs: -1"), "suite.yaml:1:9: epochs = -1 is out of range [0, inf)" + in);
  EXPECT_EQ(refused("limit: 5000000000"),
            "suite.yaml:1:8: limit = 5000000000 is out of range [-2147483648, 2147483647]" + in);
  EXPECT_EQ(refused("seed: -1"), "suite.yaml:1:7: seed = -1 is out of range [0, 9223372036854775807]" + in);
  EXPECT_EQ(refused("alpha: 0"), "suite.yaml:1:8: alpha = 0 is out of range (0, inf)" + in);
  EXPECT_EQ(refused("alpha: .inf"), "suite.yaml:1:8: alpha = .inf is out of range (0, inf)" + in);
  EXPECT_EQ(refused("alpha: .nan"), "suite.yaml:1:8: alpha = .nan is not a number" + in);
  EXPECT_EQ(refused("alpha: abc"), "suite.yaml:1:8: alpha needs a number, got string 'abc'" + in);
  EXPECT_EQ(refused("reg: -1e-3"), "suite.yaml:1:6: reg = -0.001 is out of range [0, 1000000]" + in);
  EXPECT_EQ(refused("reg: 1e300"), "suite.yaml:1:6: reg = 1e+300 is out of range [0, 1000000]" + in);
  EXPECT_EQ(refused("weights: [1, .inf]"), "suite.yaml:1:14: weights = .inf is not a finite number" + in);
  EXPECT_EQ(refused("bias: yes"), "suite.yaml:1:7: bias needs true or false, got string 'yes'" + in);
  EXPECT_EQ(refused("loss: warpp"),
            "suite.yaml:1:7: loss = 'warpp' is not a choice" + in + "; did you mean 'warp'? known: bpr, warp");
  EXPECT_EQ(refused("similarity: 3"),
            "suite.yaml:1:13: similarity needs a string, got integer 3 (in quotes it is one: \"3\")" + in);
  EXPECT_EQ(refused("hidden: 64"), "suite.yaml:1:9: hidden needs a list of integers, got integer 64 (write [64])" + in);
  EXPECT_EQ(refused("hidden: [64, 0]"), "suite.yaml:1:14: hidden = 0 is out of range [1, 1024]" + in);
  EXPECT_EQ(refused("tags: [rock, jaz]"),
            "suite.yaml:1:14: tags = 'jaz' is not a choice" + in + "; did you mean 'jazz'? known: rock, jazz");
  EXPECT_EQ(refused("dropout: 1.5"), "suite.yaml:1:10: dropout = 1.5 is out of range [0, 1]" + in);
  EXPECT_EQ(refused("[1]"), "suite.yaml:1:1: expected a map in algorithm 'implicit_als', got list [1]");
}

TEST(Schema, FieldInfosDescribeTheTable) {
  const std::vector<FieldInfo> fields = Params::schema().fields();
  ASSERT_EQ(fields.size(), 13u);
  const auto row = [&](std::size_t i) {
    const FieldInfo& f = fields[i];
    return fmt::format("{} | {} | {} | {} | {} | {}", f.name, f.type, f.default_text, f.range_text,
                       fmt::join(f.choices, "/"), f.search_text);
  };
  EXPECT_EQ(row(0), "factors | integer | 64 | [1, 4096] |  | pow2 [16, 256]");
  EXPECT_EQ(row(1), "epochs | integer | 15 | [0, inf) |  | ");
  EXPECT_EQ(row(2), "seed | integer | 1 |  |  | ");
  EXPECT_EQ(row(3), "reg | real | 0.1 | [0, 1000000] |  | log [0.001, 100]");
  EXPECT_EQ(row(4), "alpha | real | 40 | (0, inf) |  | linear [1, 80]");
  EXPECT_EQ(row(5), "bias | boolean | true |  |  | {true, false}");
  EXPECT_EQ(row(7), "similarity | string | cosine |  | cosine/pearson | ");
  EXPECT_EQ(row(8), "hidden | list of integers | [64, 32] | [1, 1024] |  | ");
  EXPECT_EQ(row(11), "dropout | real or null | null | [0, 1] |  | ");
  EXPECT_EQ(fields[0].doc, "latent dimensions d");
  EXPECT_TRUE(fields[3].has_search);
  EXPECT_EQ(fields[3].scale, SearchScale::kLog);
  EXPECT_EQ(fields[3].low, 1e-3);
  EXPECT_EQ(fields[3].high, 1e2);
  EXPECT_FALSE(fields[1].has_search);
  EXPECT_EQ(fields[5].search_values.size(), 2u);
}

TEST(AnySchema, CanonicalisesAndDropsDefaults) {
  const AnySchema schema = AnySchema::of<Params>();
  const Value given = parse_yaml("{alpha: 40, reg: 0.10000000149011612, dropout: 1, factors: 64}", "x");
  EXPECT_EQ(schema.non_default(given, kWhat).canonical(), "{\"dropout\":1}");
  EXPECT_EQ(schema.canonicalise(given, kWhat), Params::schema().to_value(Params::schema().parse(given, kWhat)));
  EXPECT_EQ(schema.canonicalise(Value::null(), kWhat), Params::schema().to_value(Params{}));
  EXPECT_EQ(schema.list_fields(), (std::vector<std::string>{"hidden", "weights", "tags"}));
  EXPECT_EQ(refusal([&] { schema.non_default(parse_yaml("factors: 0", "x"), kWhat); }),
            "x:1:10: factors = 0 is out of range [1, 4096] in algorithm 'implicit_als'");
  EXPECT_EQ(refusal([&] { AnySchema().canonicalise(parse_yaml("a: 0", "x"), "algorithm 'popular'"); }),
            "x:1:1: unknown key 'a' in algorithm 'popular'; it takes no keys");
}

TEST(AnySchema, JsonSchemaIsAnObjectThatClosesItsKeys) {
  const Value json = Value::from_json(AnySchema::of<Params>().json_schema());
  EXPECT_EQ(json.find("type")->as_string(), "object");
  EXPECT_FALSE(json.find("additionalProperties")->as_bool());
  const Value& properties = *json.find("properties");
  EXPECT_EQ(properties.find("factors")->text(),
            "{type: integer, minimum: 1, maximum: 4096, description: latent dimensions d, default: 64}");
  EXPECT_EQ(properties.find("alpha")->text(),
            "{type: number, exclusiveMinimum: 0.0, description: confidence, default: 40.0}");
  EXPECT_EQ(properties.find("similarity")->text(),
            "{type: string, enum: [cosine, pearson], description: similarity, default: cosine}");
  EXPECT_EQ(
      properties.find("hidden")->text(),
      "{type: array, items: {type: integer, minimum: 1, maximum: 1024}, description: layer widths, default: [64, 32]}");
  EXPECT_EQ(properties.find("limit")->text(), "{type: [integer, \"null\"], description: limit, default: 3}");
}

TEST(Schema, InfinityPassesOnlyWhereTheRangeHoldsIt) {
  struct P {
    float cap = std::numeric_limits<float>::infinity();
    float free = 0;
  };
  Schema<P> s;
  s.field("cap", &P::cap, "cap").range(0, std::numeric_limits<float>::infinity());
  s.field("free", &P::free, "free");
  EXPECT_EQ(s.fields()[0].range_text, "[0, inf]");
  EXPECT_EQ(s.parse(parse_yaml("cap: .inf", "x"), "p").cap, std::numeric_limits<float>::infinity());
  EXPECT_EQ(refusal([&] { s.parse(parse_yaml("cap: .nan", "x"), "p"); }), "x:1:6: cap = .nan is not a number in p");
  // Beyond float, and so not what infinity means.
  EXPECT_EQ(refusal([&] { s.parse(parse_yaml("cap: 1e39", "x"), "p"); }),
            "x:1:6: cap = 1e+39 is out of range [0, inf] in p");
  EXPECT_EQ(refusal([&] { s.parse(parse_yaml("free: 1e39", "x"), "p"); }),
            "x:1:7: free = 1e+39 is out of range [-3.4028235e+38, 3.4028235e+38] in p");
  EXPECT_EQ(s.parse(parse_yaml("free: 3.4028235e38", "x"), "p").free, std::numeric_limits<float>::max());
}

TEST(Schema, MistakesInADeclarationAreLogicErrors) {
  struct P {
    int a = 0;
    Similarity s = Similarity::kPearson;
    std::string t = "x";
  };
  Schema<P> range;
  range.field("a", &P::a, "").range(1, 2);
  EXPECT_THROW(range.fields(), LogicError);
  EXPECT_THROW(range.field("a", &P::a, ""), LogicError);
  EXPECT_THROW(range.field("b", &P::a, "").range(2, 1), LogicError);
  EXPECT_THROW(range.field("c", &P::a, "").search(log_scale, 0, 1), LogicError);
  Schema<P> names;
  names.field("s", &P::s, "").choices({{"cosine", Similarity::kCosine}});
  EXPECT_THROW(names.parse(Value::null(), "p"), LogicError);
  Schema<P> choice;
  choice.field("t", &P::t, "").choices({"y"});
  EXPECT_THROW(choice.parse(Value::null(), "p"), LogicError);
}

}  // namespace
}  // namespace segue
