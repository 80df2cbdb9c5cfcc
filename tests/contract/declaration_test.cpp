// What an algorithm and a data set say about themselves: parameters, capabilities, documentation.
#include <filesystem>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/download/sources.hpp"
#include "framework/linalg/matrix.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The sentence of the UsageError, or empty (and a failure) where there is none.
template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const UsageError& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

// One key with one value, written at suite.yaml:3:5.
Value one_key(const std::string& key, Value value) {
  const Mark mark{"suite.yaml", 3, 5};
  value.set_mark(mark);
  Value map = Value::map(mark);
  map.set(key, std::move(value), mark);
  return map;
}

void expect_documented(const AnySchema& schema) {
  for (const FieldInfo& field : schema.fields()) {
    EXPECT_GE(field.doc.size(), 3u) << field.name;
    EXPECT_FALSE(field.type.empty()) << field.name;
  }
}

// Parsing what was printed changes nothing, through canonical text and through JSON; defaults are no difference.
void expect_round_trip(const AnySchema& schema) {
  const Value defaults = schema.canonicalise(Value::map(), "test");
  ASSERT_EQ(defaults.entries().size(), schema.fields().size());
  for (const FieldInfo& field : schema.fields()) {
    const Value* value = defaults.find(field.name);
    ASSERT_NE(value, nullptr) << field.name;
    EXPECT_EQ(*value, field.default_value) << field.name;
  }
  EXPECT_EQ(schema.canonicalise(defaults, "test"), defaults);
  EXPECT_EQ(schema.canonicalise(Value::from_json(defaults.to_json()), "test").canonical(), defaults.canonical());
  EXPECT_TRUE(schema.non_default(defaults, "test").entries().empty()) << schema.non_default(defaults, "test").text();
}

void expect_refusals(const AnySchema& schema) {
  const std::string nearly = schema.fields().empty() ? "factor" : schema.fields().front().name + "x";
  const std::string unknown = refusal([&] { schema.canonicalise(one_key(nearly, Value::integer(1)), "'test'"); });
  EXPECT_THAT(unknown, StartsWith("suite.yaml:3:5: unknown key '" + nearly + "' in 'test'"));
  if (!schema.fields().empty()) {
    EXPECT_THAT(unknown, HasSubstr("did you mean '" + schema.fields().front().name + "'?"));
  }
  for (const FieldInfo& field : schema.fields()) {
    const bool text = field.type.find("string") != std::string::npos || field.type == "algorithm";
    if (text && field.choices.empty()) continue;  // takes any text, or any name: the registry knows which
    const std::string wrong =
        refusal([&] { schema.canonicalise(one_key(field.name, Value::string("no such thing")), "'test'"); });
    EXPECT_THAT(wrong, StartsWith("suite.yaml:3:5: ")) << field.name;
    EXPECT_THAT(wrong, HasSubstr(field.name));
    for (const std::string& choice : field.choices) EXPECT_THAT(wrong, HasSubstr(choice));
  }
}

class Declaration : public testing::TestWithParam<std::string> {
 protected:
  const Registry::Entry& entry() const { return all_algorithms().find(GetParam()); }
};

TEST_P(Declaration, EverythingIsDocumented) {
  const AlgorithmInfo& info = entry().info;
  EXPECT_EQ(info.name, GetParam());
  for (const std::string& text : {info.summary, info.citation, info.family}) EXPECT_FALSE(text.empty()) << info.name;
  EXPECT_EQ(info.summary.find('\n'), std::string::npos);
  EXPECT_GE(info.version, 1);
  EXPECT_TRUE(info.ranks || info.predicts_ratings) << "it can do nothing";
  expect_documented(entry().schema);
  if (entry().origin == "built in") {
    EXPECT_TRUE(std::filesystem::exists(std::string(SEGUE_SOURCE_DIR) + "/algorithms/" + info.name + "/README.md"));
  }
}

TEST_P(Declaration, DefaultParametersRoundTrip) {
  expect_round_trip(entry().schema);
  EXPECT_NE(all_algorithms().make(entry().info.name, Value::map()), nullptr);
  EXPECT_NE(all_algorithms().make(entry().info.name, entry().schema.canonicalise(Value::map(), "test")), nullptr);
}

TEST_P(Declaration, UnknownKeysAndWrongValuesAreRefused) {
  expect_refusals(entry().schema);
  const std::string text = refusal([&] { all_algorithms().make(entry().info.name, one_key("factorz", Value::integer(1))); });
  EXPECT_THAT(text, StartsWith("suite.yaml:3:5: unknown key 'factorz' in algorithm '" + GetParam() + "'"));
}

TEST_P(Declaration, EstimatesItsOwnCost) {
  if (!entry().fit_flop) {
    EXPECT_NE(entry().origin, "built in") << "give the parameters a 'double fit_flop(const DataShape&) const'";
    return;  // a plugin may go without
  }
  const double flop = entry().fit_flop(Value::map(), {1000, 500, 20000});
  const double more = entry().fit_flop(Value::map(), {1000, 500, 40000});
  EXPECT_TRUE(std::isfinite(flop));
  if (entry().info.family == "baseline") {  // a baseline may have nothing to compute
    EXPECT_GE(flop, 0);
    EXPECT_GE(more, flop);
  } else {
    EXPECT_GT(flop, 20000) << "less than one operation an event";
    EXPECT_GT(more, flop);
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithm, Declaration, testing::ValuesIn(algorithm_names()),
                         [](const auto& one) { return one.param; });

class DatasetDeclaration : public testing::TestWithParam<std::string> {
 protected:
  const DatasetRegistry::Entry& entry() const { return all_datasets().find(GetParam()); }
};

TEST_P(DatasetDeclaration, EverythingIsDocumented) {
  const DatasetInfo& info = entry().info;
  EXPECT_EQ(info.name, GetParam());
  for (const std::string& text : {info.summary, info.licence, info.source}) {
    EXPECT_FALSE(text.empty()) << info.name;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
  EXPECT_GE(info.version, 1);
  expect_documented(entry().schema);
  EXPECT_TRUE(std::filesystem::exists(std::string(SEGUE_SOURCE_DIR) + "/datasets/" + info.name + "/README.md"));
  for (const std::string& name : info.fetchable) EXPECT_NO_THROW(find_source(name)) << name;
}

TEST_P(DatasetDeclaration, ParametersRoundTripAndMistakesAreRefused) {
  expect_round_trip(entry().schema);
  expect_refusals(entry().schema);
}

// Nothing is there: the loader generates its data, or says what is missing or which parameter it needs.
TEST_P(DatasetDeclaration, WithoutFilesItSaysWhatIsMissing) {
  const TempFolder empty;
  const DataRoots roots{{empty.path()}};
  try {
    const auto files = entry().make()->files(Value::map(), roots);
    EXPECT_TRUE(files.empty()) << "it claims to have found " << files.front();
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == ExitCode::kData || e.code() == ExitCode::kUsage) << e.what();
    const std::string text = e.what();
    EXPECT_GT(text.size(), 20u) << text;
    if (e.code() == ExitCode::kData) {
      EXPECT_THAT(text, HasSubstr(empty.path().string()));  // where it looked
    }
    // What it tells people to type must work.
    static const std::regex advice("segue data fetch ([A-Za-z0-9_.-]+)");
    if (std::smatch named; std::regex_search(text, named, advice)) {
      EXPECT_NO_THROW(find_source(named[1].str())) << text;
    } else {
      EXPECT_TRUE(entry().info.fetchable.empty()) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dataset, DatasetDeclaration, testing::ValuesIn(all_datasets().names()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace segue::test
