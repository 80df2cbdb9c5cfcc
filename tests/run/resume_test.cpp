// What a crash, a Ctrl-C and a time-out leave behind, and that the same command goes on from there.
#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;

// Three quick fits, then one of a second or two that can be met in its middle, then one more.
const std::string kSuite =
    small_suite("[popular, item_knn, user_knn, {implicit_als: {factors: 16, epochs: 6000}}, {sgd_mf: {epochs: 3}}]");

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

// --- in the middle of a fit

std::filesystem::path checkpoints(const Bench& bench) { return bench.results() / "checkpoints"; }

bool has_checkpoint(const Bench& bench) {
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(checkpoints(bench), none))
    if (file.path().extension() == ".h5") return true;
  return false;
}

// Kills program and trial as soon as a fit has left a checkpoint.
void kill_in_an_epoch(const Bench& bench, const std::vector<std::string>& arguments = {"--checkpoint-every", "epoch"}) {
  const Running program = bench.start_run(arguments);
  ASSERT_TRUE(wait_until([&] { return has_checkpoint(bench); }));
  ::kill(program.pid, SIGKILL);
  EXPECT_EQ(finish(program).exit_code, 128 + SIGKILL);
  ASSERT_TRUE(has_checkpoint(bench));
  ASSERT_TRUE(bench.trial_files().empty()) << "it was killed in its fit";
}

// A validation split, so that early stopping has something to remember.
std::string long_fit(const std::string& algorithm) {
  return small_suite("[" + algorithm + "]", "stopping: {metric: ndcg@10, patience: 1000, every: 50}\n");
}
std::string with_validation(std::string suite) {
  const std::string split = "test: 0.2, ";
  return suite.replace(suite.find(split), split.size(), "test: 0.2, validation: 0.1, ");
}

class InAnEpoch : public testing::TestWithParam<const char*> {};

TEST_P(InAnEpoch, KilledAndResumedItEndsWithTheHashOfAnUndisturbedRun) {
  const std::string suite = with_validation(long_fit(GetParam()));
  const Bench bench(suite), undisturbed(suite);
  kill_in_an_epoch(bench);
  const Outcome resumed = bench.run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::ContainsRegex("\\[1/1\\] .*  resumed after epoch [0-9]+ of [0-9]+\n"));
  EXPECT_FALSE(std::filesystem::exists(checkpoints(bench)));
  EXPECT_EQ(undisturbed.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.hash(), undisturbed.hash());
  EXPECT_THAT(bench.run().err, HasSubstr("up to date"));
}

INSTANTIATE_TEST_SUITE_P(Resume, InAnEpoch,
                         testing::Values("{implicit_als: {factors: 8, epochs: 2000}}", "{bpr: {epochs: 1500}}",
                                         "{sgd_mf: {loss: logistic, epochs: 800}}"),
                         [](const auto& c) { return std::string("Case") + std::to_string(c.index); });

TEST(Resume, CtrlCInAFitLeavesACheckpoint) {
  const std::string suite = small_suite("[{implicit_als: {factors: 16, epochs: 3000}}]");
  const Bench bench(suite), undisturbed(suite);
  const Running program = bench.start_run();
  ASSERT_TRUE(wait_until([&] { return bench.count("started", "implicit_als") == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // into its epochs
  ::kill(program.pid, SIGINT);
  EXPECT_EQ(finish(program).exit_code, 130);
  ASSERT_TRUE(has_checkpoint(bench));
  const Outcome resumed = bench.run();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("implicit_als  resumed after epoch "));
  EXPECT_EQ(undisturbed.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.hash(), undisturbed.hash());
}

TEST(Resume, FreshIgnoresCheckpoints) {
  const Bench bench(small_suite("[{implicit_als: {factors: 8, epochs: 1000}}]"));
  kill_in_an_epoch(bench);
  const Outcome fresh = bench.run({"--fresh"});
  EXPECT_EQ(fresh.exit_code, 0) << fresh.err;
  EXPECT_THAT(fresh.err, testing::Not(HasSubstr("resumed")));
  EXPECT_FALSE(std::filesystem::exists(checkpoints(bench)));
}

TEST(Resume, ADamagedCheckpointIsIgnoredWithAWarning) {
  const std::string suite = small_suite("[{implicit_als: {factors: 8, epochs: 1000}}]");
  const Bench bench(suite), undisturbed(suite);
  kill_in_an_epoch(bench);
  for (const auto& file : std::filesystem::directory_iterator(checkpoints(bench)))
    std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) / 2);
  const Outcome outcome = bench.run({"-q"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("implicit_als: starts anew: the checkpoint "));
  EXPECT_EQ(undisturbed.run({"-q"}).exit_code, 0);
  EXPECT_EQ(bench.hash(), undisturbed.hash());
}

// A time-out is one of the fit, not of each process that works on it.
TEST(Resume, TimeOfEarlierProcessesCounts) {
  const Bench bench(small_suite("[{implicit_als: {epochs: 10000, factors: 128}}]"));
  EXPECT_EQ(bench.run({"--timeout", "2s", "--checkpoint-every", "epoch"}).exit_code, 1);
  ASSERT_TRUE(has_checkpoint(bench));
  const Outcome again = bench.run({"--timeout", "2s"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("resumed after epoch"));
  EXPECT_EQ(bench.row("implicit_als")["error"], "took longer than 2.0 s");
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
