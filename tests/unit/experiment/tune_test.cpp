// `tune:` in a suite, and what a plan makes of the results that are stored.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/experiment/plan.hpp"
#include "framework/experiment/runner.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using test::Suite;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kValidation = "split: {validation: 1}\n";

Suite suite(const std::string& algorithms, const std::string& more = "") {
  return {.algorithms = algorithms, .more = kValidation + more};
}
std::string error(const std::string& tune, const std::string& params = "{}", const std::string& more = "") {
  return suite("[{toy_mf: " + params + ", tune: " + tune + "}]", more).error();
}
std::vector<std::string> labels(const Spec& spec) {
  std::vector<std::string> out;
  for (const AlgorithmEntry& a : spec.algorithms) out.push_back(a.label);
  return out;
}

TEST(Tune, PutsARowBesideTheEntrysOwn) {
  const Spec s = suite(
                     "[popular, {toy_mf: {epochs: 2}, tune: {space: {reg: {log: [0.1, 1]}}}}, {toy_mf: {}, label: mf, "
                     "tune: {trials: 3, seed: 9, metric: hr@5, refit: true, space: {factors: [4, 8]}}}]",
                     "tune: {trials: 7, strategy: tpe, round: 2}\n")
                     .spec();
  EXPECT_THAT(labels(s), ElementsAre("popular", "toy_mf", "toy_mf (tuned)", "mf", "mf (tuned)"));
  EXPECT_FALSE(s.algorithms[1].tune);
  const TuneSpec& first = *s.algorithms[2].tune;
  EXPECT_EQ(first.trials, 7) << "the suite's budget is everybody's";
  EXPECT_EQ(first.strategy, "tpe");
  EXPECT_EQ(first.metric, "ndcg@10");
  EXPECT_EQ(s.algorithms[2].params, s.algorithms[1].params);
  ASSERT_EQ(first.space.dimensions().size(), 1u) << "toy_mf declares no search of its own";
  const TuneSpec& second = *s.algorithms[4].tune;
  EXPECT_EQ(second.trials, 3);
  EXPECT_EQ(second.seed, 9u);
  EXPECT_EQ(second.metric, "hr@5");
  EXPECT_TRUE(second.refit);
  EXPECT_EQ(s.algorithms[4].tuned_from, "mf");
  EXPECT_THAT(labels(suite("[{toy_mf: {}, tune: false}]").spec()), ElementsAre("toy_mf"));
  // The metric follows early stopping where none is given.
  EXPECT_EQ(suite("[{toy_mf: {}, tune: {space: {reg: [0, 1]}}}]", "stopping: {metric: recall@5}\n")
                .spec()
                .algorithms[1]
                .tune->metric,
            "recall@5");
}

TEST(Tune, SaysWhatIsWrong) {
  const std::string space = "space: {reg: [0, 1]}";
  EXPECT_EQ(
      error("40"),
      "s.yaml:4:33: 'tune' is true or a map such as {strategy: random, trials: 40, metric: ndcg@10}, not integer 40");
  EXPECT_THAT(error("{trails: 3}"), HasSubstr("s.yaml:4:34: unknown key 'trails' in 'tune'; did you mean 'trials'?"));
  EXPECT_EQ(error("{trials: 0}"), "s.yaml:4:42: trials = 0 is out of range [1, 100000] in 'tune'");
  EXPECT_THAT(error("{strategy: randm}"),
              HasSubstr("s.yaml:4:44: strategy = 'randm' is not a choice in 'tune'; did you mean 'random'?"));
  EXPECT_EQ(error("{factor: 3, " + space + "}"),
            "s.yaml:4:42: 'factor' belongs to strategy halving, and this is random");
  EXPECT_EQ(error("{strategy: halving, startup: 3, " + space + "}"),
            "s.yaml:4:62: 'startup' belongs to strategy tpe, and this is halving");
  EXPECT_EQ(error("true"),
            "s.yaml:4:33: there is nothing to tune in algorithm 'toy_mf': none of its parameters has a search space; "
            "write for example tune: {space: "
            "{factors: [..., ...]}}");
  EXPECT_THAT(error("{space: {rg: [1]}}"),
              HasSubstr("s.yaml:4:42: unknown key 'rg' in the space of algorithm 'toy_mf'; did you mean 'reg'?"));
  EXPECT_EQ(error("{space: {reg: {log: [1, 20]}}}"),
            "s.yaml:4:57: reg = 20 is out of range [0, 10] in algorithm 'toy_mf'");
  EXPECT_EQ(error("{space: {reg: [0, 1]}}", "{reg: 1}"),
            "s.yaml:4:48: 'reg' is given in algorithm 'toy_mf' and searched here; keep one of the two");
  EXPECT_EQ(error("{space: {reg: [0, 1]}}", "{factors: [4, 8]}"),
            "s.yaml:4:33: factors is a grid in an entry that is tuned; write tune: {space: {factors: [4, 8]}}, or "
            "leave 'tune' out");
  EXPECT_THAT(error("{strategy: grid, space: {reg: {log: [0.1, 1]}}}"),
              HasSubstr("s.yaml:4:63: a grid needs values: reg is searched on log [0.1, 1]"));
  EXPECT_EQ(error("{strategy: grid, trials: 1, " + space + "}"),
            "s.yaml:4:33: the grid of algorithm 'toy_mf' has more points (reg 2) than trials: 1; give more trials, or "
            "fewer values");
  EXPECT_THAT(error("{strategy: halving, space: {reg: [0, 1], epochs: [1, 2]}}"),
              HasSubstr("s.yaml:4:82: halving shares out the epochs itself"));
  EXPECT_EQ(suite("[{rater: {}, tune: {strategy: halving, space: {reg: [0, 1]}}}]", "feedback: {transform: rating}\n")
                .error(),
            "s.yaml:4:32: halving shares out epochs, and algorithm 'rater' is not trained in epochs; use random, grid "
            "or tpe");
  EXPECT_EQ(error("{metric: coverage@10, " + space + "}"),
            "s.yaml:4:42: tuning needs a metric with one value a query, not 'coverage@10'");
  EXPECT_EQ(error("{metric: rmse, " + space + "}"),
            "s.yaml:4:42: tuning on 'rmse' needs feedback: {transform: rating}");
  EXPECT_THAT(error("{metric: ndgc@10, " + space + "}"), HasSubstr("s.yaml:4:42: unknown metric 'ndgc'"));
  EXPECT_EQ(Suite({.algorithms = "[{toy_mf: {}, tune: {" + space + "}}]"}).error(),
            "s.yaml:4:33: tuning compares settings on validation data, and there is none; add for example split: "
            "{validation: 1}");
  EXPECT_EQ((Suite{.algorithms = "[{popular: , tune: true}]", .more = kValidation}.error()),
            "s.yaml:4:32: there is nothing to tune in algorithm 'popular': none of its parameters has a search space; "
            "write for example tune: {space: "
            "{parameter: [..., ...]}}");
  EXPECT_EQ((Suite{.algorithms = "[{rater: {}, tune: {" + space + "}}]",
                   .evaluate = "[{metrics: [rmse]}]",
                   .more = kValidation + "feedback: {transform: rating}\n"}
                 .error()),
            "s.yaml:4:32: tuning by 'ndcg@10' needs ranked lists, and algorithm 'rater' does not; write for example "
            "tune: {metric: rmse}");
}

TEST(Tune, OfTheSuiteSpeaksToTunedEntries) {
  const std::string tuned = "[{toy_mf: {}, tune: {space: {reg: [0, 1]}}}]";
  EXPECT_EQ(suite("[toy_mf]", "tune: {trials: 3}\n").error(),
            "s.yaml:7:7: 'tune' of the suite speaks to entries that are tuned, and none is; write for example {toy_mf: "
            ", tune: true}");
  EXPECT_EQ(suite(tuned, "tune: {space: {reg: [1]}}\n").error(),
            "s.yaml:7:15: a 'space' belongs to one algorithm: write it under 'tune' of its entry");
  EXPECT_THAT(suite(tuned, "tune: true\n").error(), HasSubstr("s.yaml:7:7: 'tune' of the suite is a map"));
  EXPECT_THAT(suite(tuned, "tune: {trial: 3}\n").error(),
              HasSubstr("s.yaml:7:8: unknown key 'trial' in 'tune'; did you mean 'trials'?"));
  // A key of another strategy is no mistake there: it is meant for those whom it concerns.
  EXPECT_NO_THROW(suite(tuned, "tune: {startup: 3}\n").spec());
}

TEST(Tune, SurvivesTheWayThroughTheResultsFolder) {
  const Spec s =
      suite("[{toy_mf: {}, tune: {strategy: tpe, space: {reg: {log: [0.1, 1]}}}}]", "tune: {trials: 5}\n").spec();
  const Spec again = parse_spec(Value::from_json(s.resolved.to_json()), test::toy_algorithms(), test::toy_datasets());
  EXPECT_EQ(again.algorithms[1].tune->trials, 5);
  EXPECT_EQ(again.algorithms[1].tune->space.dimensions()[0].text(), "log [0.1, 1]");
}

// A plan under made-up results.
struct Planned {
  Registry algorithms = test::toy_algorithms();
  DatasetRegistry datasets = test::toy_datasets();
  test::TempFolder folder;
  Spec spec;
  DatasetStore store{datasets, {}, folder.path()};
  std::map<std::string, TuningResult> results;  // by fit
  Plan plan;

  explicit Planned(const Suite& s) : spec(s.spec()) { again(); }
  void again() {
    plan = make_plan(spec, algorithms, store, [&](const std::string& fit) {
      const auto it = results.find(fit);
      return it == results.end() ? std::nullopt : std::optional(it->second);
    });
  }
  // Answers everything that is asked until nothing more is.
  void finish(const std::function<TuningResult(const Value& params)>& objective) {
    for (bool open = true; open; again()) {
      open = false;
      for (const Tuning& t : plan.tunings)
        for (const std::size_t i : t.missing()) results[t.trials[i].fit] = objective(t.trials[i].params), open = true;
    }
  }
};

TuningResult value(double v, int best_epoch = 0) { return {.error = {}, .value = v, .best_epoch = best_epoch}; }
double reg(const Value& params) { return params.find("reg")->as_real(); }
const std::string kReg = "space: {reg: {linear: [0, 10]}}";

TEST(TunedPlan, WaitsForItsTunerAndThenFitsTheWinner) {
  Planned p(suite("[{toy_mf: {factors: 4}, tune: {trials: 6, " + kReg + "}}]", "seeds: [3, 4]\n"));
  ASSERT_EQ(p.plan.tunings.size(), 1u);
  EXPECT_EQ(p.plan.tunings[0].missing().size(), 6u);
  EXPECT_EQ(p.plan.tunings[0].seed, 3u);
  ASSERT_EQ(p.plan.trials.size(), 4u);  // two seeds of two rows
  EXPECT_FALSE(p.plan.trials[1].open);
  EXPECT_TRUE(p.plan.trials[2].open);
  EXPECT_EQ(p.plan.manifest.trials[2].tuned, 0u);
  RunOptions options;
  options.results.root = p.folder / "results";
  EXPECT_EQ(find_work(p.spec, p.plan, p.algorithms, options).size(), 2u);

  p.finish([](const Value& params) { return value(-std::abs(reg(params) - 4)); });
  const Tuning& t = p.plan.tunings[0];
  EXPECT_TRUE(t.finished);
  ASSERT_TRUE(t.winner);
  for (const TuningTrial& other : t.trials) {
    EXPECT_GE(std::abs(reg(other.params) - 4), std::abs(reg(t.trials[*t.winner].params) - 4));
    EXPECT_EQ(other.params.find("factors")->as_int(), 4) << "what the entry fixes is not tuned";
  }
  EXPECT_FALSE(p.plan.trials[2].open);
  EXPECT_EQ(p.plan.trials[2].params, t.trials[*t.winner].params);
  EXPECT_EQ(p.plan.manifest.trials[2].tuned, 6u);
  EXPECT_EQ(p.plan.manifest.tuning[0].winner, t.trials[*t.winner].fit);
  EXPECT_EQ(find_work(p.spec, p.plan, p.algorithms, options).size(), 4u);
  // It is an ordinary fit: the same as if somebody had written these settings.
  const std::string written = fmt::format("[toy_mf: {{factors: 4, reg: {}}}]", reg(p.plan.trials[2].params));
  EXPECT_EQ(Planned(suite(written, "seeds: [3, 4]\n")).plan.trials[0].fit, p.plan.trials[2].fit);
}

TEST(TunedPlan, GoesOnRoundByRoundFromWhatIsStored) {
  Planned p(suite("[{toy_mf: {}, tune: {strategy: tpe, trials: 9, startup: 4, round: 2, " + kReg + "}}]"));
  EXPECT_EQ(p.plan.tunings[0].missing().size(), 4u);
  const auto answer = [](const TuningTrial& t) { return value(-std::abs(reg(t.params) - 4)); };
  // One by one, with a new plan after each: what has a result is not asked again, and the next round waits for the last
  // of its own.
  std::vector<std::size_t> open;
  while (!p.plan.tunings[0].finished) {
    const Tuning& t = p.plan.tunings[0];
    open.push_back(t.missing().size());
    const TuningTrial& next = t.trials[t.missing().back()];
    p.results[next.fit] = answer(next);
    p.again();
  }
  EXPECT_THAT(open, ElementsAre(4, 3, 2, 1, 2, 1, 2, 1, 1));
  Planned at_once(suite("[{toy_mf: {}, tune: {strategy: tpe, trials: 9, startup: 4, round: 2, " + kReg + "}}]"));
  at_once.finish([](const Value& params) { return value(-std::abs(reg(params) - 4)); });
  EXPECT_EQ(at_once.plan.trials[1].fit, p.plan.trials[1].fit);
}

TEST(TunedPlan, LessCanBeBetterAndFailuresNeverWin) {
  const std::string rating = "feedback: {transform: rating}\n";
  Planned p(suite("[{toy_mf: {}, tune: {metric: rmse, trials: 5, " + kReg + "}}]", rating));
  double least = 100;
  p.finish([&](const Value& params) {
    if (reg(params) > 5) return TuningResult{.failed = true, .error = "diverged"};
    least = std::min(least, reg(params));
    return value(reg(params));
  });
  EXPECT_EQ(reg(p.plan.trials[1].params), least);
  p.results.clear();
  p.again();
  p.finish([](const Value&) { return TuningResult{.failed = true, .error = "diverged"}; });
  EXPECT_TRUE(p.plan.tunings[0].finished);
  EXPECT_TRUE(p.plan.trials[1].open);
  EXPECT_EQ(p.plan.manifest.tuning[0].winner, "");
}

TEST(TunedPlan, HalvingTrainsTheBestLonger) {
  Planned p(suite("[{toy_mf: {epochs: 9}, tune: {strategy: halving, trials: 9, " + kReg + "}}]"));
  EXPECT_EQ(p.plan.tunings[0].planned, 13u);
  EXPECT_EQ(p.plan.tunings[0].settings, 9u);
  EXPECT_NEAR(p.plan.tunings[0].rest, 3, 1e-9);
  for (const TuningTrial& t : p.plan.tunings[0].trials) EXPECT_EQ(t.params.find("epochs")->as_int(), 1);
  p.finish([](const Value& params) { return value(-std::abs(reg(params) - 4)); });
  EXPECT_EQ(p.plan.tunings[0].trials.size(), 13u);
  EXPECT_EQ(p.plan.trials[1].params.find("epochs")->as_int(), 9);
  EXPECT_EQ(p.plan.manifest.trials[1].tuned, 9u);
  EXPECT_EQ(p.plan.tunings[0].rest, 0);
}

TEST(TunedPlan, RefitHasAnIdentityOfItsOwnAndTheEpochsThatStoppingKept) {
  const std::string algorithms = "[{toy_mf: {epochs: 50}, tune: {trials: 3, refit: true, " + kReg + "}}]";
  Planned p(suite(algorithms, "stopping: {patience: 2}\n"));
  p.finish([](const Value& params) { return value(reg(params), 17); });
  EXPECT_EQ(p.plan.trials[1].params.find("epochs")->as_int(), 17);
  EXPECT_TRUE(p.plan.manifest.trials[1].refit);
  Planned plain(suite("[{toy_mf: {epochs: 50}, tune: {trials: 3, " + kReg + "}}]", "stopping: {patience: 2}\n"));
  plain.finish([](const Value& params) { return value(reg(params), 17); });
  EXPECT_EQ(plain.plan.trials[1].params.find("epochs")->as_int(), 50) << "it stops by itself";
  EXPECT_NE(plain.plan.trials[1].fit, p.plan.trials[1].fit);
  EXPECT_EQ(plain.plan.tunings[0].trials[0].fit, p.plan.tunings[0].trials[0].fit) << "tuning trials are the same";
}

TEST(TunedPlan, EachFoldHasATunerOfItsOwn) {
  Planned p({.algorithms = "[{toy_mf: {}, tune: {trials: 4, " + kReg + "}}]",
             .more = "split: {strategy: k_fold, folds: 3, validation: 0.1}\n"});
  ASSERT_EQ(p.plan.tunings.size(), 3u);
  std::set<std::string> fits;
  for (const Tuning& t : p.plan.tunings) {
    for (std::size_t i = 0; i < t.trials.size(); ++i) {
      EXPECT_TRUE(fits.insert(t.trials[i].fit).second);
      EXPECT_EQ(t.trials[i].params, p.plan.tunings[0].trials[i].params) << "the same proposals";
    }
  }
}

TEST(TuningId, HoldsWhatTheResultHangsOn) {
  const auto first = [](const std::string& tune, const std::string& more = "",
                        const std::string& evaluate = "[{metrics: [ndcg@10]}]") {
    return Planned({.algorithms = "[{toy_mf: {}, tune: {trials: 3, " + tune + kReg + "}}]",
                    .evaluate = evaluate,
                    .more = more.find("split") == std::string::npos ? kValidation + more : more})
        .plan.tunings[0]
        .trials[0]
        .fit;
  };
  const std::string plain = first("");
  EXPECT_EQ(first("", "stopping: {every: 2}\n"), plain) << "nothing stops";
  EXPECT_EQ(first("refit: true, "), plain);
  EXPECT_EQ(first("", "", "[{metrics: [hr@1], candidates: {sampled: 9}}]"), plain)
      << "how the test set is judged does not matter";
  std::set<std::string> ids{plain};
  EXPECT_TRUE(ids.insert(first("metric: hr@10, ")).second);
  EXPECT_TRUE(ids.insert(first("seed: 2, ")).second);
  EXPECT_TRUE(ids.insert(first("", "seeds: 2\n")).second);
  EXPECT_TRUE(ids.insert(first("", "stopping: {patience: 2}\n")).second);
  EXPECT_TRUE(ids.insert(first("", "split: {validation: 2}\n")).second);
  EXPECT_TRUE(ids.insert(first("", "", "[{metrics: [ndcg@10], repeats: allow}]")).second);
}

TEST(StoredTuning, IsReadBackAndFailuresToo) {
  const test::TempFolder folder;
  const ResultsFolder results{folder.path()};
  const TuningResults read = stored_tuning_results(results);
  EXPECT_FALSE(read("a"));
  TrialRecord record;
  record.attributes["status"] = "ok";
  record.validation["ndcg@10.v1"] = 0.25;
  record.curve_epochs["best epoch"] = {7};
  record.curve_values["best epoch"] = {0.25};
  record.timing.fit_seconds = 1.5;
  write_trial(results.trial_file("a"), record);
  ASSERT_TRUE(read("a"));
  EXPECT_EQ(read("a")->value, 0.25);
  EXPECT_EQ(read("a")->best_epoch, 7);
  EXPECT_EQ(read("a")->seconds, 1.5);
  write_failed_tuning(results.trial_file("b"), {{"fit", "b"}}, "timeout", "took longer than 1 s", 1);
  EXPECT_TRUE(read("b")->failed);
  EXPECT_EQ(read("b")->error, "took longer than 1 s");
}

}  // namespace
}  // namespace segue
