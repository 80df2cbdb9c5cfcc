// segue plot: which plots there are, and that each can be drawn from what a suite leaves behind.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<std::string> listed() {
  std::vector<std::string> names;
  std::istringstream lines(segue({"plot", "--list"}).out);
  std::string line;
  for (int i = 0; std::getline(lines, line); ++i)
    if (i >= 2 && !line.starts_with(' ')) names.push_back(line.substr(0, line.find(' ')));
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

TEST(Plots, AreListedAndNamed) {
  const std::vector<std::string> names = listed();
  EXPECT_GE(names.size(), 10u);
  EXPECT_THAT(
      names, testing::IsSupersetOf({"metric_bars", "learning_curves", "critical_difference", "parameter_sensitivity"}));
  std::string known;
  for (const std::string& name : lines_of(segue({"__names", "PLOT"}).out)) known += (known.empty() ? "" : " ") + name;
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  EXPECT_EQ(known, all) << "completion offers what the list shows";
}

TEST(Plots, OfEveryKindAreDrawnFromASuiteWithAGridAndSeeds) {
  if (std::system("command -v gnuplot > /dev/null") != 0) GTEST_SKIP() << "no gnuplot here";
  const Bench bench(
      small_suite("[popular, {item_knn: {neighbours: [5, 20, 50]}}, {implicit_als: {factors: 4, epochs: 3}}, "
                  "{sgd_mf: {factors: 4, epochs: 3}}]",
                  "evaluate: [{candidates: full, metrics: [ndcg@10, coverage@10]}]\nseeds: [1, 2]\n"
                  "latency: {batch: [1], seconds: 0.05, samples: 10}\n"));
  const Outcome run = bench.run({"-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string hash = bench.hash();
  const auto trials = bench.trial_files();
  const fs::path folder = bench.folder() / "plots";
  const Outcome drawn = bench.segue({"plot", bench.results().string(), "--all", "-o", folder.string()});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  std::set<std::string> kinds;
  for (const std::string& png : lines_of(drawn.out)) {
    const fs::path base = fs::path(png).replace_extension();
    const std::string stem = base.filename().string();
    kinds.insert(stem.substr(0, stem.find('-')));
    for (const char* extension : {".svg", ".png", ".pdf", ".gp", ".tsv"}) {
      ASSERT_TRUE(fs::exists(base.string() + extension)) << stem << extension;
      EXPECT_GT(fs::file_size(base.string() + extension), 40u) << stem << extension;
    }
  }
  const std::vector<std::string> names = listed();
  EXPECT_EQ(kinds, std::set<std::string>(names.begin(), names.end())) << "each finds something to show";
  EXPECT_EQ(bench.hash(), hash);
  EXPECT_EQ(bench.trial_files(), trials) << "nothing is trained for a plot";

  // One, of a metric that the suite does not name; and what has nothing to show says why.
  const Outcome one = bench.segue(
      {"plot", bench.results().string(), "p_values", "--metric", "recall@5", "-o", (bench.folder() / "one").string()});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(lines_of(one.out).size(), 1u);
  const Bench plain(small_suite("[popular, random]"));
  ASSERT_EQ(plain.run({"-q"}).exit_code, 0);
  const Outcome none = plain.segue({"plot", plain.results().string(), "parameter_sensitivity"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err,
              testing::AllOf(HasSubstr("no parameter_sensitivity plot for 'full': no entry of the suite is a grid"),
                             HasSubstr("none of these plots has anything to show")));
  EXPECT_THAT(plain.segue({"plot", plain.results().string()}).err,
              HasSubstr("the suite names no plots; name some, or --all"));
}

}  // namespace
}  // namespace segue::test
