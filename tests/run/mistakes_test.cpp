// Wrong suites and wrong data: one line that says where and what would have worked, and nothing written.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Mistake {
  std::string name;
  std::string suite;
  std::string place;  // "line:column" after the suite's name; empty: no place in the suite
  std::vector<std::string> says;
  int exit_code = 2;
  friend void PrintTo(const Mistake& m, std::ostream* out) { *out << m.name; }
};

const std::string kHead =
    "version: 1\nname: wrong\ndataset: {name: demo, users: 60, artists: 30, tracks: 200, days: 60}\n";  // lines 1-3
const std::string kTail = "evaluate: [{metrics: [ndcg@10]}]\n";

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreOneLineWithItsPlaceAndNothingIsWritten) {
  const Mistake& mistake = GetParam();
  const Bench bench(mistake.suite);
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, mistake.exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.err, StartsWith("segue: "));
  if (!mistake.place.empty()) {
    EXPECT_THAT(outcome.err, HasSubstr("suite.yaml:" + mistake.place + ": "));
  }
  for (const std::string& words : mistake.says) EXPECT_THAT(outcome.err, HasSubstr(words));
  EXPECT_FALSE(std::filesystem::exists(bench.results()));
  // A dry run finds the same.
  EXPECT_EQ(bench.run({"--dry-run"}).err, outcome.err);
}

const std::vector<Mistake> kMistakes{
    {"UnknownParameter",
     kHead + "algorithms:\n  - implicit_als: {factor: 8}\n" + kTail,
     "5:20",
     {"unknown key 'factor' in algorithm 'implicit_als'", "did you mean 'factors'?", "epochs"}},
    {"UnknownSection",
     kHead + "algorithms: [popular]\nsplits: {test: 1}\n" + kTail,
     "5:1",
     {"unknown key 'splits'", "did you mean 'split'?"}},
    {"WrongType",
     kHead + "algorithms:\n  - implicit_als: {factors: many}\n" + kTail,
     "5:29",
     {"factors", "integer", "'many'"}},
    {"OutOfRange",
     kHead + "algorithms:\n  - implicit_als:\n      factors: 0\n" + kTail,
     "6:16",
     {"factors", "[1, 4096]"}},
    {"UnknownAlgorithm",
     kHead + "algorithms: [popular, itm_knn]\n" + kTail,
     "4:23",
     {"'itm_knn'", "did you mean 'item_knn'?"}},
    {"UnknownDataset",
     "version: 1\nname: wrong\ndataset: {name: dmo}\nalgorithms: [popular]\n" + kTail,
     "3:17",
     {"'dmo'", "did you mean 'demo'?"}},
    {"UnknownMetric",
     kHead + "algorithms: [popular]\nevaluate: [{metrics: [ndgc@10]}]\n",
     "5:23",
     {"'ndgc'", "did you mean 'ndcg'?"}},
    {"MetricWithoutCutOff", kHead + "algorithms: [popular]\nevaluate: [{metrics: [ndcg]}]\n", "5:23", {"ndcg@10"}},
    {"DuplicateKey", kHead + "algorithms: [popular]\nname: again\n" + kTail, "5:1", {"name", "2"}},
    {"Tab", kHead + "algorithms:\n\t- popular\n" + kTail, "5:1", {"tab"}},
    {"MetricThatDoesNotFit",
     kHead + "algorithms: [popular]\nevaluate: [{metrics: [rmse]}]\n",
     "5:23",
     {"'rmse'", "does not fit", "feedback: {transform: rating}"}},
    {"RatingsThatAreNot",
     kHead + "feedback: {transform: rating}\nalgorithms: [bias]\nevaluate: [{metrics: [rmse]}]\n",
     "3:17",
     {"star ratings", "binary"}},
    {"TwoAlike", kHead + "algorithms: [popular, popular]\n" + kTail, "4:23", {"'popular'", "label"}},
    {"MissingDataFile",
     "version: 1\nname: wrong\ndataset: {name: delimited, path: nothing_here.csv}\nalgorithms: [popular]\n" + kTail,
     "",
     {"nothing_here.csv"},
     3},
    {"NotYaml", kHead + "algorithms: [popular\n" + kTail, "", {"suite.yaml:"}},
    {"NoAlgorithms", kHead + kTail, "", {"suite.yaml:", "algorithms: [popular, item_knn]"}},
    {"StoppingWithoutValidation",
     kHead + "stopping: {patience: 3}\nalgorithms: [popular]\n" + kTail,
     "4:11",
     {"validation"}},
    {"MissingPlugin", kHead + "plugins: [nothing.so]\nalgorithms: [popular]\n" + kTail, "", {"nothing.so"}},
};

INSTANTIATE_TEST_SUITE_P(Suite, Mistakes, testing::ValuesIn(kMistakes), [](const auto& one) { return one.param.name; });

TEST(Mistake, NoSuchSuite) {
  const Bench bench;
  const Outcome outcome = bench.run();
  EXPECT_TRUE(outcome.exit_code == 2 || outcome.exit_code == 4) << outcome.exit_code;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("suite.yaml"));
}

TEST(Mistake, ABadLineOfDataIsNamedByItsNumber) {
  const Bench bench(
      "version: 1\nname: bad_line\ndataset: {name: delimited, path: plays.csv, user: user, item: item, rating: stars, "
      "time: time}\n"
      "algorithms: [popular]\nevaluate: [{metrics: [ndcg@10]}]\n");
  std::string csv = "user,item,stars,time\n";
  for (int line = 2; line <= 80'000; ++line)
    csv +=
        line == 70'000 ? "u7,i7,four,1\n" : fmt::format("u{},i{},{},{}\n", line % 997, line % 1009, 1 + line % 5, line);
  bench.folder().write("plays.csv", csv);
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("plays.csv:70000: "));
  EXPECT_THAT(outcome.err, HasSubstr("four"));
  EXPECT_FALSE(std::filesystem::exists(bench.results()));
}

}  // namespace
}  // namespace segue::test
