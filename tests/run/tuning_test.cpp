// Tuning through the real program: resumed, up to date, the same for any number of jobs, blind to test data, and not
// stopped by failures.
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/run/bench.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A small world with a validation part.
std::string tuned_suite(const std::string& algorithms, const std::string& rest = "") {
  std::string text = small_suite(algorithms, rest);
  const std::string split = "test: 0.2, per: user";
  return text.replace(text.find(split), split.size(), "test: 0.2, validation: 0.2, per: user");
}

const std::string kAls =
    "{implicit_als: {epochs: 3}, tune: {space: {factors: [4, 8, 16], reg: {log: [0.01, 10]}, alpha: {log: [0.5, "
    "50]}}}}";
const std::string kKnn =
    "{item_knn: {normalise: false}, tune: {strategy: grid, space: {neighbours: [3, 10, 30], shrinkage: [0, 20]}}}";

Json manifest(const Bench& bench) {
  std::ifstream in(bench.results() / "plan.json");
  return Json::parse(in);
}

// {label: parameters} of the rows that were tuned.
Json winners(const Bench& bench) {
  Json out = Json::object();
  for (const Json plan = manifest(bench); const Json& t : plan["trials"])
    if (t.contains("tuned")) out[t["label"].get<std::string>()] = t["params"];
  return out;
}

// Trials as other programs read them.
Json tuning(const Bench& bench) {
  const Outcome outcome = bench.segue({"tuning", bench.results().string(), "--format", "json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return Json::parse(outcome.out);
}

// What was tried, by id, with what it brought; times left out.
std::string results_of(const Bench& bench) {
  std::string out;
  for (const Json& t : tuning(bench))
    out += fmt::format("{} {} {} {}\n", t["fit"].get<std::string>(), t["settings"].get<std::string>(),
                       t["validation"].dump(), t["status"].get<std::string>());
  return out;
}

TEST(Tuning, PutsTunedBesideDefaultWithWhatWasTried) {
  const Bench bench(tuned_suite("[popular, " + kAls + ", " + kKnn + "]", "tune: {trials: 6}\nseeds: [1, 2]\n"));
  const Outcome dry = bench.run({"--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("6 tuning trials"));
  EXPECT_THAT(dry.out, HasSubstr("22 of 22 trials to run, 12 of them for tuning"));
  EXPECT_TRUE(bench.trial_files().empty());

  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("best so far"));
  EXPECT_THAT(outcome.err, HasSubstr("on validation, the best of 6"));
  for (const char* label : {"implicit_als", "item_knn"}) {
    const Json row = bench.row(label), tuned = bench.row(std::string(label) + " (tuned)");
    EXPECT_EQ(row["tried"], 1);
    EXPECT_EQ(row["tuned"], false);
    EXPECT_EQ(tuned["tried"], 6);
    EXPECT_EQ(tuned["tuned"], true);
    EXPECT_EQ(tuned["trials"], 2);
    EXPECT_EQ(tuned["status"], "ok");
  }
  EXPECT_EQ(bench.row("implicit_als (tuned)")["params"]["epochs"], 3) << "given in the entry, not tuned";
  EXPECT_THAT(outcome.out, HasSubstr("tried: of a tuned row, settings that its tuner compared on validation data"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("flattered")));
  // Tuning trials are kept, with neither lists nor a model. The best on validation data is what was fitted.
  const Json listed = tuning(bench);
  EXPECT_EQ(listed.size(), 12u);
  std::map<std::string, double> best;
  for (const Json& t : listed) {
    const double value = t["validation"];
    if (!best.contains(t["label"])) {
      EXPECT_EQ(t["status"], "winner");
      best[t["label"]] = value;
    }
    EXPECT_LE(value, best[t["label"]]);
  }
  for (const Json plan = manifest(bench); const Json& t : plan["tuning"]) EXPECT_EQ(t["trials"].size(), 6u);
  // popular, and each entry's own settings and winner, for two seeds.
  EXPECT_EQ(bench.trial_files().size(), 12u + 2 * 5);
  // A name means the entry's own settings; the tuned ones have theirs.
  EXPECT_EQ(
      bench.segue({"recommend", "implicit_als (tuned)", "--results", bench.results().string(), "--user", "user 1"})
          .exit_code,
      bench.segue({"recommend", "implicit_als", "--results", bench.results().string(), "--user", "user 1"}).exit_code);

  const auto files = bench.trial_files();
  const Outcome again = bench.run();
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("up to date"));
  EXPECT_EQ(bench.trial_files(), files);
  EXPECT_THAT(bench.run({"--dry-run"}).out, HasSubstr("0 of 22 trials to run"));
  // A larger budget keeps what was tried.
  const Outcome more = bench.run({"tune.trials=8", "--only", "implicit_als"});
  EXPECT_EQ(more.exit_code, 0) << more.err;
  EXPECT_THAT(more.err, HasSubstr("[1/2] implicit_als (tuned) 7:"));
}

TEST(Tuning, IsTheSameForAnyNumberOfJobsAndThreads) {
  const std::string suite = tuned_suite("[" + kAls +
                                            ", {sgd_mf: {loss: logistic, factors: 8, epochs: 4}, tune: {strategy: "
                                            "halving, space: {reg: {log: [1e-4, 1]}}}}]",
                                        "tune: {strategy: tpe, trials: 9}\n");
  const std::string text = [&] {
    std::string s = suite;
    const std::string tune = "tune: {space: {factors";
    return s.replace(s.find(tune), tune.size(), "tune: {startup: 4, round: 2, space: {factors");
  }();
  const Bench one(text), two(text), three(text);
  EXPECT_EQ(one.run({"-q", "--threads", "1"}).exit_code, 0);
  EXPECT_EQ(two.run({"-q", "--jobs", "2", "--threads", "2"}).exit_code, 0);
  EXPECT_EQ(three.run({"-q", "--jobs", "3", "--threads", "3"}).exit_code, 0);
  for (const Bench* other : {&two, &three}) {
    EXPECT_EQ(winners(one), winners(*other));
    EXPECT_EQ(results_of(one), results_of(*other));
    EXPECT_EQ(one.hash(), other->hash());
  }
  EXPECT_EQ(winners(one)["sgd_mf (tuned)"]["epochs"], 4);
}

TEST(Tuning, AfterKillNothingFinishedIsRunAgain) {
  const std::string suite = tuned_suite(
      "[{implicit_als: {epochs: 300}, tune: {strategy: tpe, trials: 8, startup: 3, round: 2, space: {factors: [8, 12, "
      "16], reg: {log: [0.01, 10]}}}}]");
  const Bench bench(suite);
  const Running program = bench.start_run();
  ASSERT_TRUE(wait_until([&] { return bench.count("started", "implicit_als (tuned)") == 5; }));
  ::kill(program.pid, SIGKILL);
  EXPECT_EQ(finish(program).exit_code, 128 + SIGKILL);
  const auto before = bench.trial_files();
  ASSERT_EQ(before.size(), 4u) << "killed in the second of three rounds";
  EXPECT_EQ(bench.row("implicit_als (tuned)")["status"], "not run");
  EXPECT_EQ(tuning(bench).size(), 5u);

  EXPECT_EQ(bench.run({"-q"}).exit_code, 0);
  for (const auto& [file, time] : before) EXPECT_EQ(bench.trial_files()[file], time) << file << " was written again";
  EXPECT_EQ(bench.count("finished", "implicit_als (tuned)"), 8u + 1);
  EXPECT_THAT(bench.run().err, HasSubstr("up to date"));
  const Bench undisturbed(suite);
  EXPECT_EQ(undisturbed.run({"-q"}).exit_code, 0);
  EXPECT_EQ(winners(bench).dump(), winners(undisturbed).dump());
  EXPECT_EQ(results_of(bench), results_of(undisturbed));
  EXPECT_EQ(bench.hash(), undisturbed.hash());
}

TEST(Tuning, FailuresAreRowsAndDoNotStopIt) {
  // With a step of 1000 the factors overflow within an epoch.
  const Bench bench(
      tuned_suite("[{sgd_mf: {loss: squared, factors: 8, epochs: 5, reg: 0.01}, tune: {strategy: grid, space: "
                  "{learning_rate: [0.001, 0.01, 1000]}}}, "
                  "{sgd_mf: {loss: squared, factors: 8, epochs: 5, reg: 0.01}, label: hopeless, tune: {strategy: grid, "
                  "space: {learning_rate: [999, 1000]}}}]"));
  const Outcome outcome = bench.run({"--only", "sgd_mf (tuned)"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("sgd_mf (tuned): 1 of 3 tuning trials failed; the first: "));
  std::map<std::string, int> statuses;
  for (const Json& t : tuning(bench)) {
    if (t["label"] != "sgd_mf (tuned)") continue;
    const std::string status = t["status"];
    ++statuses[status == "winner" || status == "ok" ? status : "failed"];
    if (status != "winner" && status != "ok") {
      EXPECT_THAT(status, HasSubstr("diverged"));
      EXPECT_EQ(t["settings"], "learning_rate=1000");
    }
  }
  EXPECT_EQ(statuses, (std::map<std::string, int>{{"winner", 1}, {"ok", 1}, {"failed", 1}}));
  EXPECT_THAT(bench.run({"--only", "sgd_mf (tuned)"}).err, HasSubstr("up to date")) << "what diverged will diverge";

  // Where every setting fails the row says so.
  EXPECT_EQ(bench.run({"-q"}).exit_code, 1);
  const Json row = bench.row("hopeless (tuned)");
  EXPECT_EQ(row["status"], "failed");
  EXPECT_THAT(std::string(row["error"]), HasSubstr("all 2 tuning trials failed; the first: "));
  EXPECT_EQ(bench.row("hopeless")["status"], "ok");
  EXPECT_EQ(bench.run({"-q"}).exit_code, 1) << "and goes on saying so";
}

// Settings that crash, hang or hoard: each is a row with its reason, and the rest goes on.
TEST(Tuning, CrashesAndTimeoutsAreRows) {
  const Bench bench(tuned_suite(
      "[popular, {plugin_fragile: {}, tune: {strategy: grid, space: {mood: [good, aborts, hangs, hoards, nan]}}}]",
      "plugins: [" SEGUE_TEST_PLUGIN_DIR "/plugin_fragile.so]\nlimits: {timeout: 10s, memory: 500M}\n"));
  const Outcome outcome = bench.run();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("plugin_fragile (tuned): 4 of 5 tuning trials failed; the first: "));
  std::map<std::string, std::string> status;
  for (const Json& t : tuning(bench)) status[t["settings"]] = t["status"];
  ASSERT_EQ(status.size(), 5u);
  EXPECT_EQ(status["mood=good"], "winner");
  EXPECT_THAT(status["mood=aborts"], HasSubstr("signal 6"));
  EXPECT_THAT(status["mood=hangs"], HasSubstr("took longer than"));
  EXPECT_THAT(status["mood=hoards"], HasSubstr("cap of 500.0 MiB"));
  EXPECT_THAT(status["mood=nan"], HasSubstr("a score of nan"));
  EXPECT_EQ(bench.row("plugin_fragile (tuned)")["tried"], 5);
  EXPECT_THAT(bench.run().err, HasSubstr("up to date"));
}

// The last event of every user is the test part of this split. Another last event is another data set, with the same
// training and validation data: the same trials, values and winners.
TEST(Tuning, NeverReadsTestData) {
  const auto write = [](const Bench& bench, int shift) {
    std::string text = "user,item,time\n";
    std::uint32_t state = 7;
    const auto draw = [&](std::uint32_t n) { return (state = state * 1664525u + 1013904223u) / 65536u % n; };
    for (int u = 0; u < 60; ++u) {
      std::set<std::uint32_t> seen;
      while (seen.size() < 12)
        seen.insert((draw(12) + static_cast<std::uint32_t>(u % 4) * 10 + draw(3) * draw(4)) % 50);
      int time = 0;
      for (const std::uint32_t item : seen) text += fmt::format("u{},i{},{}\n", u, item, ++time);
      text += fmt::format("u{},i{},{}\n", u, 50 + (u + shift) % 20, ++time);  // the test event: an item of its own
    }
    bench.folder().write("events.csv", text);
  };
  const std::string suite =
      "version: 1\nname: blind\ndataset: {name: delimited, path: events.csv, user: user, item: item, time: time}\n"
      "split: {strategy: leave_last_out, validation: 1}\nalgorithms: [" +
      kAls +
      "]\n"
      "tune: {strategy: tpe, startup: 4, trials: 10}\nevaluate: [{candidates: full, metrics: [ndcg@10]}]\n";
  const Bench one(suite), other(suite);
  write(one, 0);
  write(other, 7);
  const Outcome first = one.run(), second = other.run();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(one.hash(), other.hash()) << "the test data differ";
  EXPECT_EQ(winners(one), winners(other));
  const Json a = tuning(one), b = tuning(other);
  ASSERT_EQ(a.size(), 10u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i]["settings"], b[i]["settings"]);
    EXPECT_EQ(a[i]["validation"], b[i]["validation"]);
    EXPECT_NE(a[i]["fit"], b[i]["fit"]) << "another data set";
  }
}

TEST(Tuning, RefitLearnsFromValidationDataToo) {
  const std::string tune = "tune: {strategy: grid, space: {neighbours: [5, 20]}";
  const Bench bench(tuned_suite("[{item_knn: {normalise: false, shrinkage: 0}, " + tune +
                                "}}, {item_knn: {normalise: false, shrinkage: 0}, label: refit, " + tune +
                                ", refit: true}}]"));
  const Outcome outcome = bench.run({"-q"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(bench.row("item_knn (tuned)")["params"], bench.row("refit (tuned)")["params"]);
  EXPECT_NE(bench.row("item_knn (tuned)")["metrics"]["ndcg@10"]["mean"],
            bench.row("refit (tuned)")["metrics"]["ndcg@10"]["mean"]);
  EXPECT_EQ(bench.row("item_knn (tuned)")["metrics"]["ndcg@10"]["n"],
            bench.row("refit (tuned)")["metrics"]["ndcg@10"]["n"]);
  EXPECT_EQ(bench.count("finished", "refit (tuned)"), 1u) << "the tuning trials are shared, the fit is not";
  EXPECT_THAT(bench.run().err, HasSubstr("up to date"));
}

TEST(Tuning, MistakesNameTheirPlace) {
  const auto error = [](const std::string& algorithms) {
    const Outcome outcome = Bench(tuned_suite(algorithms)).run();
    EXPECT_EQ(outcome.exit_code, 2);
    return outcome.err;
  };
  EXPECT_THAT(error("[{implicit_als: , tune: {trails: 3}}]"),
              HasSubstr("suite.yaml:6:38: unknown key 'trails' in 'tune'; did you mean 'trials'?"));
  EXPECT_THAT(
      error("[{implicit_als: , tune: {space: {factor: [3]}}}]"),
      HasSubstr(
          "suite.yaml:6:46: unknown key 'factor' in the space of algorithm 'implicit_als'; did you mean 'factors'?"));
  const Bench untuned(small_suite("[{implicit_als: , tune: true}]"));
  const Outcome outcome = untuned.run();
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("add for example split: {validation: 0.1}"));
  const Bench plain(small_suite("[popular]"));
  EXPECT_EQ(plain.run({"-q"}).exit_code, 0);
  EXPECT_THAT(plain.segue({"tuning", plain.results().string()}).err, HasSubstr("nothing was tuned in"));
}

}  // namespace
}  // namespace segue::test
