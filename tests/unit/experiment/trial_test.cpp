// One trial in this process: fit, views, what is kept and what is added later.
#include "framework/experiment/trial.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/data/snapshot.hpp"
#include "framework/experiment/runner.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::Contains;
using testing::ElementsAre;

class Trial {
 public:
  explicit Trial(const test::Suite& suite) : spec_(suite.spec()) {
    const Dataset data = test::ToyLoader().load(spec_.datasets[0].params, {});
    write_snapshot(prepare_fold(data, spec_.task, "all"), folder_ / "fold.snap");
    job.snapshot = folder_ / "fold.snap";
    job.output = folder_ / "trials/f.h5";
    job.algorithm = spec_.algorithms[0].algorithm;
    job.label = spec_.algorithms[0].label;
    job.params = spec_.algorithms[0].params;
    job.seed = 1;
    job.threads = 1;
    job.stopping = spec_.stopping;
    job.latency = spec_.latency;
    for (const ViewSpec& v : spec_.views) {
      job.views.push_back(v);
      job.tasks.push_back("task of " + v.name);
    }
  }
  TrialRecord run() {
    messages.clear();
    run_trial(
        job, algorithms_,
        [&](const TrialMessage& m) {
          messages.push_back(m);
          interrupted = interrupted || (m.kind == TrialMessage::Kind::kPoint && m.done == interrupt_behind);
        },
        [&] { return interrupted; });
    return read_trial(job.output);
  }
  std::vector<std::string> phases() const { return texts(TrialMessage::Kind::kPhase); }
  // Leaves it behind an epoch.
  void interrupt(int epoch) {
    interrupt_behind = epoch;
    EXPECT_THROW(run(), Error);
    interrupted = false;
    interrupt_behind = -1;
  }
  std::vector<std::string> texts(TrialMessage::Kind kind) const {
    std::vector<std::string> out;
    for (const TrialMessage& m : messages)
      if (m.kind == kind) out.push_back(m.text);
    return out;
  }
  std::string hash() const {
    Hasher hasher;
    hash_trial(job.output, hasher);
    return hasher.hex();
  }
  void keep_checkpoints(double seconds) {
    job.checkpoint = folder_ / "checkpoints/f.h5";
    job.checkpoint_seconds = seconds;
  }
  bool has_checkpoint() const { return std::filesystem::exists(job.checkpoint); }
  void set_algorithm_version(int version) { algorithms_ = test::toy_algorithms(version); }

  Job job;
  bool interrupted = false;
  double interrupt_behind = -1;
  std::vector<TrialMessage> messages;

 private:
  test::TempFolder folder_;
  Registry algorithms_ = test::toy_algorithms();
  Spec spec_;
};

const std::string kRatings = "feedback: {transform: rating}\nsplit: {strategy: random_ratio, validation: 0.2}\n";

TEST(RunTrial, FitsOnceAndAddsWhatIsMissing) {
  Trial trial({.algorithms = "[toy_mf]", .evaluate = "[{metrics: [hr@3]}, {metrics: [rmse]}]", .more = kRatings});
  const auto views = trial.job.views;
  const auto tasks = trial.job.tasks;
  trial.job.views.resize(1);
  trial.job.tasks.resize(1);
  const TrialRecord first = trial.run();
  EXPECT_THAT(trial.phases(), ElementsAre("fitting", "evaluating full"));
  ASSERT_EQ(first.views.size(), 1u);
  EXPECT_EQ(first.views[0].task, "task of full");
  EXPECT_EQ(first.views[0].k, 10u);
  EXPECT_EQ(first.attributes.at("algorithm"), "toy_mf");
  EXPECT_EQ(first.attributes.at("status"), "ok");
  EXPECT_EQ(first.timing.epoch_seconds.size(), 3u);
  EXPECT_EQ(trial.messages.back().kind, TrialMessage::Kind::kDone);
  EXPECT_THAT(trial.messages.back().metric, testing::StartsWith("hr@3 0."));

  trial.job.views = views;
  trial.job.tasks = tasks;
  trial.job.latency = LatencySpec{.batch = {1, 3}, .samples = 2};
  const TrialRecord second = trial.run();
  EXPECT_THAT(trial.phases(), ElementsAre("loading", "evaluating ratings", "measuring latency"));
  EXPECT_EQ(second.views[0].scores, first.views[0].scores);
  ASSERT_EQ(second.ratings.size(), 1u);
  EXPECT_EQ(second.ratings[0].predicted.front(), 3.3f);
  EXPECT_EQ(second.ratings[0].clip_low, 1);
  EXPECT_EQ(second.ratings[0].clip_high, 5);
  EXPECT_EQ(second.timing.latency.size(), 2u);
  EXPECT_EQ(second.timing.fit_seconds, first.timing.fit_seconds);
  EXPECT_EQ(second.curve_values, first.curve_values);
}

TEST(RunTrial, StopsByTheMetricWithItsOwnSign) {
  // Every epoch predicts 0.1 more, from 3.1 on: rmse is best somewhere and worse at the end.
  Trial trial({.algorithms = "[toy_mf: {epochs: 30}]",
               .evaluate = "[{metrics: [rmse]}]",
               .more = kRatings + "stopping: {metric: rmse, patience: 4}"});
  const TrialRecord r = trial.run();
  const std::vector<double>& rmse = r.curve_values.at("rmse on validation");
  ASSERT_GE(rmse.size(), 5u);
  const auto best = std::min_element(rmse.begin(), rmse.end());
  EXPECT_GT(*best, 0);
  EXPECT_EQ(rmse.end() - best, 5);
  EXPECT_THAT(r.curve_values.at("best epoch"), ElementsAre(*best));
  EXPECT_EQ(r.ratings[0].predicted[0], static_cast<float>(3 + static_cast<float>(best - rmse.begin() + 1) / 10));
}

TEST(RunTrial, ListsAreMaskedAndKnowTheirTruth) {
  Trial trial({.more = "split: {test: 2}"});
  const TrialRecord r = trial.run();
  const StoredView& v = r.views[0];
  const PreparedFold fold = map_snapshot(trial.job.snapshot);
  const JudgedView view = apply_view(fold, fold.test, trial.job.views[0]);
  ASSERT_EQ(v.queries, view.query.size());
  for (std::size_t q = 0; q < v.queries; ++q) {
    const auto seen = fold.train_histories.of(fold.test.users[view.query[q]]).items;
    for (std::size_t i = 0; i < v.k; ++i) {
      const std::uint32_t item = v.items[q * v.k + i];
      if (item != kPadding) {
        EXPECT_THAT(seen, testing::Not(Contains(ItemIdx{item})));
      }
    }
    for (std::size_t t = v.truth_offsets[q]; t < v.truth_offsets[q + 1]; ++t) {
      EXPECT_THAT(seen, testing::Not(Contains(ItemIdx{v.truth_items[t]})));
      ASSERT_GT(v.truth_rank[t], 0u);
      if (v.truth_rank[t] <= v.k) {
        EXPECT_EQ(v.items[q * v.k + v.truth_rank[t] - 1], v.truth_items[t]);
      }
    }
  }
}

TEST(RunTrial, AnInterruptionLeavesNoFile) {
  Trial trial({.algorithms = "[toy_mf]"});
  trial.interrupted = true;
  try {
    trial.run();
    FAIL() << "it went on";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kInterrupted);
  }
  EXPECT_FALSE(std::filesystem::exists(trial.job.output));
}

// rmse is best in the middle; with early stopping by it.
const test::Suite kStopping{.algorithms = "[toy_mf: {epochs: 30}]",
                            .evaluate = "[{metrics: [rmse]}]",
                            .more = kRatings + "stopping: {metric: rmse, patience: 4}"};

TEST(RunTrial, IsResumedBehindItsLastCheckpoint) {
  Trial trial(kStopping);
  const TrialRecord undisturbed = trial.run();
  const std::string expected = trial.hash();
  std::filesystem::remove(trial.job.output);
  trial.keep_checkpoints(0);
  trial.interrupt(2);
  EXPECT_TRUE(trial.has_checkpoint());
  trial.interrupt(4);
  const TrialRecord r = trial.run();
  EXPECT_EQ(trial.hash(), expected);
  EXPECT_EQ(r.curve_values, undisturbed.curve_values);
  EXPECT_EQ(r.curve_epochs, undisturbed.curve_epochs);
  EXPECT_EQ(r.timing.epoch_seconds.size(), undisturbed.timing.epoch_seconds.size());
  EXPECT_EQ(r.attributes.at("resumed"), "2, 4");
  EXPECT_FALSE(undisturbed.attributes.contains("resumed"));
  EXPECT_FALSE(trial.has_checkpoint()) << "it is of no more use";
  const auto resumed = std::find_if(trial.messages.begin(), trial.messages.end(),
                                    [](const TrialMessage& m) { return m.kind == TrialMessage::Kind::kResumed; });
  ASSERT_NE(resumed, trial.messages.end());
  EXPECT_EQ(resumed->done, 4);
  EXPECT_EQ(resumed->total, 30);
  EXPECT_GT(resumed->value, 0);
  EXPECT_GE(r.timing.fit_seconds, resumed->value);
  double epochs = 0;
  for (const double seconds : r.timing.epoch_seconds) epochs += seconds;
  EXPECT_GE(r.timing.fit_seconds, epochs);
}

TEST(RunTrial, AnInterruptionLeavesACheckpointWhateverTheTime) {
  Trial trial(kStopping);
  trial.keep_checkpoints(1000);
  trial.interrupted = true;
  EXPECT_THROW(trial.run(), Error);
  EXPECT_TRUE(trial.has_checkpoint());
  trial.interrupted = false;
  EXPECT_EQ(trial.run().attributes.at("resumed"), "1");
}

TEST(RunTrial, ACheckpointThatDoesNotFitIsIgnoredWithAWarning) {
  Trial trial(kStopping);
  trial.run();
  const std::string expected = trial.hash();
  const auto starts_anew = [&](const std::string& why) {
    std::filesystem::remove(trial.job.output);
    const TrialRecord r = trial.run();
    EXPECT_THAT(trial.texts(TrialMessage::Kind::kWarning),
                ElementsAre(testing::AllOf(testing::StartsWith("starts anew: the checkpoint " + trial.job.checkpoint),
                                           testing::HasSubstr(why))));
    EXPECT_THAT(trial.texts(TrialMessage::Kind::kResumed), testing::IsEmpty());
    EXPECT_FALSE(r.attributes.contains("resumed"));
    EXPECT_FALSE(trial.has_checkpoint());
  };
  const auto again = [&] {
    std::filesystem::remove(trial.job.output);
    trial.keep_checkpoints(0);
    trial.interrupt(3);
  };
  again();
  trial.job.seed = 2;
  starts_anew("it was written with another seed");
  trial.job.seed = 1;
  again();
  trial.set_algorithm_version(2);
  starts_anew("it was written with another version of the algorithm");
  again();
  std::filesystem::resize_file(trial.job.checkpoint, std::filesystem::file_size(trial.job.checkpoint) / 2);
  starts_anew("it is damaged");
  EXPECT_EQ(trial.hash(), expected);
}

TEST(RunTrial, WithoutADiskForCheckpointsItGoesOn) {
  Trial trial(kStopping);
  trial.run();
  const std::string expected = trial.hash();
  std::filesystem::remove(trial.job.output);
  trial.keep_checkpoints(0);
  std::ofstream(std::filesystem::path(trial.job.checkpoint).parent_path()) << "a file where the folder should be";
  trial.run();
  EXPECT_THAT(trial.texts(TrialMessage::Kind::kWarning),
              ElementsAre(testing::StartsWith("goes on without checkpoints: cannot create")));
  EXPECT_EQ(trial.hash(), expected);
}

TEST(RunTrial, NeverMeansNeitherByTimeNorByInterruption) {
  Trial trial(kStopping);
  trial.keep_checkpoints(-1);
  trial.interrupt(3);
  EXPECT_FALSE(trial.has_checkpoint());
}

TEST(RunTrial, AConfigurationThatPredictsNoRatingsSaysSo) {
  Trial trial({.algorithms = "[toy_mf]", .evaluate = "[{metrics: [rmse]}]", .more = kRatings});
  trial.job.algorithm = "popular";
  trial.job.params = Value::map();
  EXPECT_EQ(message_of<UsageError>([&] { trial.run(); }),
            "this configuration predicts no ratings; its metrics here judge ratings");
}

TEST(TuningTrial, StoresAValidationMetricAndNeitherListsNorAModel) {
  Trial trial({.algorithms = "[toy_mf: {epochs: 30}]", .evaluate = "[{metrics: [rmse]}]", .more = kRatings});
  const PreparedFold whole = map_snapshot(trial.job.snapshot);
  trial.job.tuning = "rmse";
  EXPECT_THAT(message_of<LogicError>([&] { trial.run(); }), testing::HasSubstr("a tuning trial was handed test data"));
  write_snapshot(without_test(whole), trial.job.snapshot + ".tuning");
  trial.job.snapshot += ".tuning";
  const TrialRecord r = trial.run();
  EXPECT_TRUE(r.views.empty());
  EXPECT_TRUE(r.ratings.empty());
  EXPECT_EQ(r.model_bytes, 0u);
  EXPECT_EQ(r.attributes.at("role"), "tuning");
  ASSERT_EQ(r.validation.size(), 1u);
  // The toy predicts 6 for everybody.
  double sum = 0;
  for (const float x : whole.validation.rating_values)
    sum += std::pow(std::clamp(6.0, 1.0, 5.0) - static_cast<double>(x), 2);
  EXPECT_NEAR(r.validation.begin()->second, std::sqrt(sum / static_cast<double>(whole.validation.rating_values.size())),
              1e-9);
  EXPECT_EQ(r.validation.begin()->first, "rmse.v1");
  EXPECT_FALSE(r.curve_values.contains("rmse on validation")) << "without early stopping nobody asks between epochs";
}

TEST(TuningTrial, StopsEarlyAndKnowsWhen) {
  Trial trial({.algorithms = "[toy_mf: {epochs: 30}]",
               .evaluate = "[{metrics: [rmse]}]",
               .more = kRatings + "stopping: {metric: rmse, patience: 4}"});
  const TrialRecord plain = trial.run();
  write_snapshot(without_test(map_snapshot(trial.job.snapshot)), trial.job.snapshot + ".tuning");
  trial.job.snapshot += ".tuning";
  trial.job.output += ".tuning";
  trial.job.tuning = "rmse";
  const TrialRecord r = trial.run();
  EXPECT_EQ(r.curve_epochs.at("best epoch"), plain.curve_epochs.at("best epoch"));
  EXPECT_EQ(r.validation.begin()->second, plain.curve_values.at("best epoch").front());
}

TEST(RunTrial, ARefitLearnsFromItsOwnFoldAndIsJudgedOnTheOther) {
  Trial trial({.more = "split: {validation: 2}"});
  const TrialRecord plain = trial.run();
  const Dataset data = test::ToyLoader().load(Value::map(), {});
  TaskSpec spec;
  spec.split.validation = 2;
  write_snapshot(prepare_refit(data, spec, "all"), trial.job.snapshot + ".refit");
  trial.job.train_snapshot = trial.job.snapshot + ".refit";
  trial.job.output += ".refit";
  const TrialRecord r = trial.run();
  EXPECT_EQ(r.attributes.at("trained_on"), "training and validation data");
  EXPECT_EQ(r.views[0].truth_items, plain.views[0].truth_items);
  EXPECT_NE(r.views[0].scores, plain.views[0].scores);
}

TEST(FindWork, IsWhatIsMissing) {
  const Registry algorithms = test::toy_algorithms();
  const DatasetRegistry datasets = test::toy_datasets();
  const test::TempFolder folder;
  const test::Suite suite{.algorithms = "[popular, {toy_mf: {factors: [4, 8]}, label: mf}]",
                          .evaluate = "[{metrics: [hr@3]}, {metrics: [hr@3], repeats: allow}]",
                          .more = "latency: {batch: [1, 2], samples: 1}"};
  const Spec spec = suite.spec();
  DatasetStore store(datasets, {}, folder / "cache");
  const Plan plan = make_plan(spec, algorithms, store);
  RunOptions options;
  options.results.root = folder / "results";
  const auto work = [&] { return find_work(spec, plan, algorithms, options); };
  ASSERT_EQ(work().size(), 3u);
  for (const Work& w : work()) EXPECT_TRUE(w.fit && w.views && w.latency);
  options.only = {"mf"};
  EXPECT_EQ(work().size(), 2u);
  options.only = {"mf factors=8"};
  EXPECT_EQ(work().size(), 1u);
  options.only.clear();

  TrialRecord r;
  r.attributes["algorithm"] = "popular";
  StoredView v;
  v.task = plan.trials[0].tasks[0];
  v.truth_offsets = {0};
  r.views = {v};
  test::Popular model{test::NoParams()};
  write_trial(options.results.trial_file(plan.trials[0].fit), r, model);
  EXPECT_FALSE(work()[0].fit);
  EXPECT_TRUE(work()[0].views);
  EXPECT_TRUE(work()[0].latency);
  v.task = plan.trials[0].tasks[1];
  r.views.push_back(v);
  r.timing.latency = {{.batch = 1, .microseconds_per_query = {1}, .threads = 1}};
  write_trial(options.results.trial_file(plan.trials[0].fit), r, model);
  EXPECT_FALSE(work()[0].views);
  EXPECT_TRUE(work()[0].latency);
  r.timing.latency.push_back({.batch = 2, .microseconds_per_query = {1}, .threads = 1});
  write_trial(options.results.trial_file(plan.trials[0].fit), r, model);
  EXPECT_FALSE(work()[0].any());
  EXPECT_TRUE(work()[1].fit);
}

}  // namespace
}  // namespace segue
