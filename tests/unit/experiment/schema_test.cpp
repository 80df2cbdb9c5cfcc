// The JSON Schema of suites against the suites of experiments/, through a validator of the keywords that it uses.
#include <filesystem>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/cli/builtin.hpp"
#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

class Validator {
 public:
  explicit Validator(const Value& root) : root_(root) {}

  // Empty where the value is valid, else why not.
  std::string check(const Value& value, const Value& schema) const {
    for (const Value::Entry& e : schema.entries())
      if (std::string why = keyword(value, schema, e.key, e.value); !why.empty()) return why;
    return "";
  }
  std::string check(const Value& value) const { return check(value, root_); }

 private:
  static bool is_type(const Value& v, const std::string& type) {
    if (type == "object") return v.is_map();
    if (type == "array") return v.is_list();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.kind() == Value::Kind::kBool;
    if (type == "null") return v.is_null();
    if (type == "integer") return v.kind() == Value::Kind::kInt;
    if (type == "number") return v.is_number();
    ADD_FAILURE() << "unknown type " << type;
    return false;
  }

  std::string keyword(const Value& v, const Value& schema, const std::string& key, const Value& arg) const {
    const auto fail = [&] { return fmt::format("{} breaks {}: {}", v.to_json(), key, arg.to_json().substr(0, 200)); };
    if (key == "$schema" || key == "title" || key == "description" || key == "default" || key == "$defs") return "";
    if (key == "$ref") {
      const std::string path = arg.as_string();
      EXPECT_TRUE(path.starts_with("#/$defs/")) << path;
      return check(v, *root_.find("$defs")->find(path.substr(8)));
    }
    if (key == "type") {
      if (arg.is_string()) return is_type(v, arg.as_string()) ? "" : fail();
      for (const Value& t : arg.items())
        if (is_type(v, t.as_string())) return "";
      return fail();
    }
    if (key == "const") return v == arg ? "" : fail();
    if (key == "enum") {
      for (const Value& one : arg.items())
        if (v == one) return "";
      return fail();
    }
    if (key == "anyOf") {
      std::string all;
      for (const Value& one : arg.items()) {
        const std::string why = check(v, one);
        if (why.empty()) return "";
        all += "\n  " + why;
      }
      return "none of: " + all;
    }
    if (key == "minimum") return !v.is_number() || v.as_real() >= arg.as_real() ? "" : fail();
    if (key == "maximum") return !v.is_number() || v.as_real() <= arg.as_real() ? "" : fail();
    if (key == "exclusiveMinimum") return !v.is_number() || v.as_real() > arg.as_real() ? "" : fail();
    if (key == "pattern")
      return !v.is_string() || std::regex_search(v.as_string(), std::regex(arg.as_string())) ? "" : fail();
    if (key == "minItems")
      return !v.is_list() || v.items().size() >= static_cast<std::size_t>(arg.as_int()) ? "" : fail();
    if (key == "maxItems")
      return !v.is_list() || v.items().size() <= static_cast<std::size_t>(arg.as_int()) ? "" : fail();
    if (key == "items") {
      for (const Value& item : v.items())
        if (std::string why = check(item, arg); !why.empty()) return why;
      return "";
    }
    if (key == "required") {
      for (const Value& name : arg.items())
        if (v.is_map() && v.find(name.as_string()) == nullptr) return fail();
      return "";
    }
    if (key == "properties") {
      for (const Value::Entry& e : v.entries())
        if (const Value* property = arg.find(e.key))
          if (std::string why = check(e.value, *property); !why.empty()) return why;
      return "";
    }
    if (key == "additionalProperties") {
      EXPECT_FALSE(arg.as_bool());
      const Value* known = schema.find("properties");
      for (const Value::Entry& e : v.entries())
        if (known == nullptr || known->find(e.key) == nullptr) return fmt::format("unknown key '{}'", e.key);
      return "";
    }
    ADD_FAILURE() << "the schema uses '" << key << "', which this test does not know";
    return "?";
  }

  const Value& root_;
};

struct Builtin {
  Registry algorithms;
  DatasetRegistry datasets;
  Value schema;
  Builtin() {
    register_builtin(algorithms, datasets);
    schema = Value::from_json(suite_json_schema(algorithms, datasets));
  }
};

TEST(SuiteSchema, AcceptsTheSuitesOfTheProject) {
  const Builtin builtin;
  const Validator validator(builtin.schema);
  int suites = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(SEGUE_SOURCE_DIR) + "/experiments")) {
    // experiments/gates holds floors, not suites.
    if (entry.path().extension() != ".yaml" || entry.path().parent_path().filename() == "gates") continue;
    const Value suite = load_yaml(entry.path());
    EXPECT_EQ(validator.check(suite), "") << entry.path();
    EXPECT_NO_THROW(parse_spec(suite, builtin.algorithms, builtin.datasets)) << entry.path();
    ++suites;
  }
  EXPECT_GE(suites, 6);
}

// The schema and the parser agree on what is a suite.
TEST(SuiteSchema, AgreesWithTheParser) {
  const Value schema = Value::from_json(suite_json_schema(test::toy_algorithms(), test::toy_datasets()));
  const Validator validator(schema);
  const auto agree = [&](const test::Suite& suite, bool good) {
    const Value yaml = parse_yaml(suite.text(), "s.yaml");
    EXPECT_EQ(validator.check(yaml).empty(), good) << suite.text() << validator.check(yaml);
    bool parsed = true;
    try {
      parse_spec(yaml, test::toy_algorithms(), test::toy_datasets());
    } catch (const UsageError&) {
      parsed = false;
    }
    EXPECT_EQ(parsed, good) << suite.text();
  };
  agree({}, true);
  agree({.dataset = "{name: toy, edition: large, label: x}"}, true);
  agree({.dataset = "[toy, {name: plain}]"}, true);
  agree({.algorithms = "[toy_mf: {factors: [8, 16], layers: [3]}, popular: , {popular: , label: p}]"}, true);
  agree({.algorithms = "[toy_mf: {layers: [[3], [4, 4]]}]"}, true);
  agree({.evaluate = "[{metrics: [hr@1]}, {metrics: [hr@1], retrieval: hnsw}, "
                     "{metrics: [hr@1], retrieval: {ivfpq: {probes: 4, code_bytes: 8}}}]"},
        true);
  agree({.evaluate = "[{metrics: [hr@1], candidates: {sampled: 5}, exclude: [], repeats: only, relevance: value}]"},
        true);
  agree({.more = "split: {strategy: global_time, at: 500, validation: 0.1}\nseeds: [1, 2]\nlatency: false"}, true);
  agree({.more = "feedback: {min_value: 3, duplicates: max}\nseeds: 3\nlatency: {batch: [1]}"}, true);
  const std::string figure = "published: [{label: popular, metric: ndcg@10, value: 1, ";
  agree({.more = figure + "tolerance: 0.1, source: s, task: full, note: n}]"}, true);
  agree({.algorithms = "[{popular: , seeds: 3}, {toy_mf: , seeds: [1, 2]}]"}, true);
  agree({.more = "limits: {timeout: 5m}\nplots: [metric_bars]\nstopping: {metric: hr@5}\ndescription: x"}, true);

  const auto tune = [](const std::string& text, const std::string& more = "") {
    return test::Suite{.algorithms = "[{toy_mf: , tune: " + text + "}]", .more = "split: {validation: 1}\n" + more};
  };
  agree(tune("false"), true);
  agree(tune("{trials: 3, refit: true, space: {reg: {log: [0.1, 1]}, factors: [4, 8], layers: [[3], [4, 4]]}}"), true);
  agree(tune("{strategy: grid, space: {reg: {linear: [0, 1], steps: 3}, factors: {pow2: [4, 16]}}}"), true);
  agree(tune("{space: {reg: [0, 1]}}", "tune: {trials: 3, strategy: tpe}\n"), true);
  agree(tune("{trials: 0, space: {reg: [0, 1]}}"), false);
  agree(tune("{strategy: guess, space: {reg: [0, 1]}}"), false);
  agree(tune("{space: {reg: [0, 11]}}"), false);
  agree(tune("{space: {reg: {lg: [0, 1]}}}"), false);
  agree(tune("{space: {reg: {log: [1]}}}"), false);
  agree(tune("{space: {layers: {log: [1, 2]}}}"), false);
  agree(tune("{space: {rg: [1]}}"), false);
  agree(tune("{space: {reg: [0, 1]}}", "tune: {space: {reg: [1]}}\n"), false);
  agree(tune("3"), false);

  agree({.dataset = "toz"}, false);
  agree({.dataset = "{name: toy, editon: large}"}, false);
  agree({.dataset = "{name: toy, edition: huge}"}, false);
  agree({.algorithms = "[]"}, false);
  agree({.algorithms = "[toy_mf: {factors: 0}]"}, false);
  agree({.algorithms = "[toy_mf: {factor: 1}]"}, false);
  agree({.algorithms = "[toy_mf: {factors: 1.5}]"}, false);
  agree({.algorithms = "[nothing]"}, false);
  agree({.evaluate = "[{}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], candidates: some}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], retrieval: tree}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], retrieval: {hnsw: {probes: 2}}}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], retrieval: {sq8: {probes: 0}}}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], candidates: {sampled: 0}}]"}, false);
  agree({.evaluate = "[{metrics: [hr@1], exclude: [test]}]"}, false);
  agree({.more = figure + "tolerance: 0.1}]"}, false);
  agree({.more = figure + "tolerance: -0.1, source: s}]"}, false);
  agree({.more = figure + "tolerance: 0.1, source: s, page: 3}]"}, false);
  agree({.more = "published: 3"}, false);
  agree({.algorithms = "[{popular: , seeds: []}]"}, false);
  agree({.more = "seeds: -1"}, false);
  agree({.more = "seeds: []"}, false);
  agree({.more = "plots: [pie]"}, false);
  agree({.more = "plots: metric_bars"}, false);
  agree({.more = "split: {strategy: none}"}, false);
  agree({.more = "latency: {samples: 0}"}, false);
  agree({.more = "nothing: 1"}, false);
}

}  // namespace
}  // namespace segue
