// What a crash, a Ctrl-C and a time-out leave behind, and that the same command goes on from there.
#include <chrono>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;

// Three quick fits, then one of about a second that can be met in its middle, then one more.
const std::string kSuite =
    small_suite("[popular, item_knn, user_knn, {implicit_als: {factors: 16, epochs: 3000}}, {sgd_mf: {epochs: 3}}]");

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string undisturbed_hash() {
  const Bench bench(kSuite);
  EXPECT_EQ(bench.run({"-q"}).exit_code, 0);
  return bench.hash();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kUpToDateSeconds = 20;
#else
constexpr double kUpToDateSeconds = 1;
#endif

TEST(Resume, AfterKillNothingFinishedIsRunAgain) {
  const Bench bench(kSuite);
  const Running program = bench.start_run();
  ASSERT_TRUE(wait_until([&] { return bench.count("started", "implicit_als") == 1; }));
  ::kill(program.pid, SIGKILL);
  EXPECT_EQ(finish(program).exit_code, 128 + SIGKILL);
  const auto before = bench.trial_files();
  ASSERT_EQ(before.size(), 3u) << "killed in the middle of the fourth of five trials";
  // Whatever a crash may cut short: a journal line, a file being written, the scratch folder.
  std::ofstream(bench.results() / "journal.jsonl", std::ios::app) << R"({"time":"2026-01-01T00:00:00Z","event":"fin)";
  std::ofstream(bench.results() / "trials" / "0123456789abcdef.h5.tmp-1") << "half a file";
  EXPECT_EQ(bench.leaderboard()["rows"].size(), 5u);  // readable as it stands

  const Outcome resumed = bench.run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("[2/2]"));
  for (const auto& [file, time] : before) EXPECT_EQ(bench.trial_files()[file], time) << file << " was written again";
  for (const char* label : {"popular", "item_knn", "user_knn"}) EXPECT_EQ(bench.count("started", label), 1u) << label;
  EXPECT_EQ(bench.count("started", "implicit_als"), 2u);
  EXPECT_EQ(bench.count("finished", "implicit_als"), 1u);
  EXPECT_FALSE(std::filesystem::exists(bench.results() / ".work"));
  EXPECT_EQ(bench.hash(), undisturbed_hash());

  const auto after = bench.trial_files();
  Outcome third;
  const double seconds = seconds_of([&] { third = bench.run(); });
  EXPECT_EQ(third.exit_code, 0);
  EXPECT_THAT(third.err, HasSubstr("up to date"));
  EXPECT_LT(seconds, kUpToDateSeconds);
  EXPECT_EQ(bench.trial_files(), after);
}

TEST(Resume, AfterCtrlC) {
  const Bench bench(kSuite);
  const Running program = bench.start_run();
  ASSERT_TRUE(wait_until([&] { return bench.count("started", "implicit_als") == 1; }));
  ::kill(program.pid, SIGINT);
  const Outcome interrupted = finish(program);
  EXPECT_EQ(interrupted.exit_code, 130);
  EXPECT_THAT(interrupted.err, HasSubstr("interrupted"));
  EXPECT_THAT(interrupted.err, HasSubstr("The same command goes on where it stopped"));
  EXPECT_EQ(bench.count("interrupted", "implicit_als"), 1u);
  EXPECT_EQ(bench.count("started", "sgd_mf"), 0u);
  EXPECT_EQ(bench.trial_files().size(), 3u);
  EXPECT_EQ(bench.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.count("started", "popular"), 1u);
  EXPECT_EQ(bench.row("implicit_als")["status"], "ok");
  EXPECT_EQ(bench.hash(), undisturbed_hash());
}

TEST(Resume, FreshRunsEverythingAgainWithTheSameResult) {
  const Bench bench(small_suite("[popular, item_knn]"));
  EXPECT_EQ(bench.run().exit_code, 0);
  const std::string hash = bench.hash();
  const Outcome fresh = bench.run({"--fresh", "--only", "popular"});
  EXPECT_EQ(fresh.exit_code, 0);
  EXPECT_EQ(bench.count("finished", "popular"), 2u);
  EXPECT_EQ(bench.count("finished", "item_knn"), 1u);
  EXPECT_EQ(bench.hash(), hash);
}

TEST(Resume, AFitThatTakesTooLongIsARow) {
  const Bench bench(small_suite("[popular, {implicit_als: {epochs: 10000, factors: 128}}, item_knn]"));
  const Outcome outcome = bench.run({"--timeout", "1s"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  const Json row = bench.row("implicit_als");
  EXPECT_EQ(row["status"], "failed");
  EXPECT_EQ(row["error"], "took longer than 1.0 s");
  EXPECT_EQ(row["trials"], 0);
  EXPECT_EQ(bench.count("timeout", "implicit_als"), 1u);
  EXPECT_EQ(bench.row("item_knn")["status"], "ok");
  EXPECT_THAT(outcome.out, HasSubstr("took longer"));
}

}  // namespace
}  // namespace segue::test
