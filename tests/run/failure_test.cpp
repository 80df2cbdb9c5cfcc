// Trials that abort, hoard or throw are rows with a reason, and the suite goes on.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string plugins(const std::vector<std::string>& names) {
  std::string out = "plugins: [";
  for (const std::string& name : names)
    out += (out.back() == '[' ? "" : ", ") + (SEGUE_TEST_PLUGIN_DIR "/" + name + ".so");
  return out + "]\n";
}

TEST(Failure, IsARowWithItsReasonAndTheSuiteGoesOn) {
  const Bench bench(small_suite(
      "[popular, plugin_aborts, plugin_hoards, plugin_throws, {plugin_throws: {kind: own}, label: own}, item_knn]",
      plugins({"plugin_aborts", "plugin_hoards", "plugin_throws"}) + "limits: {memory: 500M}\n"));
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  const std::map<std::string, std::vector<std::string>> reasons{{"plugin_aborts", {"ended by signal 6", "Abort"}},
                                                                {"plugin_hoards", {"cap of 500.0 MiB"}},
                                                                {"plugin_throws", {"thrown by a plugin: 7 users"}},
                                                                {"own", {"a type that only the plugin knows"}}};
  for (const auto& [label, words] : reasons) {
    const Json row = bench.row(label);
    EXPECT_EQ(row["status"], "failed") << label;
    EXPECT_EQ(row["trials"], 0);
    EXPECT_EQ(row["failed_trials"], 1);
    EXPECT_TRUE(row["metrics"].empty()) << row;
    for (const std::string& word : words) EXPECT_THAT(row.value("error", ""), HasSubstr(word)) << label;
  }
  for (const char* label : {"popular", "item_knn"}) {
    const Json row = bench.row(label);
    EXPECT_EQ(row["status"], "ok") << label;
    EXPECT_FALSE(row.contains("error"));
    EXPECT_GT(row["metrics"]["ndcg@10"]["mean"], 0.0);
  }
  // Failed rows come last, and the table says why.
  const Json rows = bench.leaderboard()["rows"];
  EXPECT_EQ(rows[0]["status"], "ok");
  EXPECT_EQ(rows[1]["status"], "ok");
  EXPECT_THAT(outcome.out, HasSubstr("7 users"));  // the end of its sentence: tables wrap
  EXPECT_EQ(bench.trial_files().size(), 2u);
  // What failed is tried again; what is done is not.
  EXPECT_EQ(bench.run({"-q"}).exit_code, 1);
  EXPECT_EQ(bench.count("started", "popular"), 1u);
  EXPECT_EQ(bench.count("started", "plugin_throws"), 2u);
}

TEST(Plugin, ThatWorksIsARowLikeAnyOther) {
  const Bench bench(small_suite("[popular, {plugin_good: {epochs: 4}}]", plugins({"plugin_good"})));
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(bench.row("plugin_good")["status"], "ok");
  EXPECT_EQ(bench.row("plugin_good")["algorithm"], "plugin_good");
  EXPECT_THAT(outcome.out, HasSubstr("plugin_good"));
  // Named on the command line instead.
  const Bench other(small_suite("[popular, {plugin_good: {epochs: 4}}]"));
  EXPECT_EQ(other.run({"--plugin", SEGUE_TEST_PLUGIN_DIR "/plugin_good.so"}).exit_code, 0);
  EXPECT_EQ(other.hash(), bench.hash());
  // A plugin's mistakes in the suite are found like a built-in's.
  const Bench wrong(small_suite("[{plugin_good: {epoch: 4}}]", plugins({"plugin_good"})));
  const Outcome refused = wrong.run();
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("did you mean 'epochs'?"));
}

TEST(Plugin, BuiltAgainstAnotherSegueIsRefusedAndNothingRuns) {
  const Bench bench(small_suite("[popular, plugin_stale]", plugins({"plugin_stale"})));
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, StartsWith("segue: "));
  EXPECT_THAT(outcome.err, HasSubstr("plugin_stale.so"));
  EXPECT_THAT(outcome.err, HasSubstr("999"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(bench.results()));
}

}  // namespace
}  // namespace segue::test
