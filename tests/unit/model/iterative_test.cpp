#include "framework/model/iterative.hpp"

#include <cmath>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/memory_checkpoints.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::MemoryCheckpoints;
using test::message_of;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A "model" whose parameters are the number of the epoch; scoring sees what prepare_scoring() copied.
class Counter : public IterativeRecommender {
 public:
  explicit Counter(int epochs) : epochs_(epochs) {}
  void score(std::span<const Query>, MatRef<float>) const override {}
  std::size_t n_items() const override { return 1; }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

  int began = 0, prepared = 0, ran = 0;
  float ready = -1;     // of the last prepare_scoring()
  double bad_loss = 0;  // added to the loss of epoch 3
  std::vector<float> left{0, 0}, right{0}, speed{0};
  std::vector<int> parts;      // stages, where there are several
  std::map<int, float> begun;  // of these epochs: what left[0] was at their beginning

 protected:
  int epochs() const override { return epochs_; }
  std::vector<int> stages() const override { return parts.empty() ? IterativeRecommender::stages() : parts; }
  void begin(const TrainData&, FitContext&) override { ++began; }
  Losses run_epoch(int epoch, const TrainData&, FitContext&) override {
    EXPECT_GT(epoch, ran);
    EXPECT_TRUE(!parts.empty() || epoch == ran + 1);
    ran = epoch;
    if (begun.contains(epoch)) begun[epoch] = left[0];
    left = {static_cast<float>(epoch), static_cast<float>(10 * epoch)};
    right = {static_cast<float>(-epoch)};
    speed[0] = speed[0] / 2 + static_cast<float>(epoch);
    return {{"loss", 1.0 / epoch + (epoch == 3 ? bad_loss : 0)}, {"other", static_cast<double>(epoch)}};
  }
  void prepare_scoring() override {
    ++prepared;
    ready = left[0];
  }
  std::vector<std::span<float>> state() override { return {left, right}; }
  std::vector<std::span<float>> training_state() override { return {left, right, speed}; }

 private:
  int epochs_;
};

struct Log : Progress {
  std::map<std::string, std::vector<std::pair<int, double>>> points;
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  int timed = 0;
  void step(std::size_t done, std::size_t total, std::string_view unit) override {
    EXPECT_EQ(unit, "epochs");
    steps.emplace_back(done, total);
  }
  void record(std::string_view series, int epoch, double value) override {
    points[std::string(series)].emplace_back(epoch, value);
  }
  void epoch_seconds(double seconds) override {
    EXPECT_GE(seconds, 0);
    ++timed;
  }
};

// The validation metric of epoch e is values[e - 1].
Log fit(Counter& model, const std::vector<double>& values, StoppingPolicy stopping,
        Checkpoints* checkpoints = nullptr) {
  Log log;
  const Executor exec(1);
  const Interactions train;
  const Histories histories;
  const Facets facets;
  FitContext ctx{exec, Rng(1), log};
  ctx.stopping = stopping;
  ctx.checkpoints = checkpoints;
  if (!values.empty())
    ctx.validate = [&values](const Recommender& r) {
      const auto& m = dynamic_cast<const Counter&>(r);
      EXPECT_EQ(m.ready, m.left[0]) << "validated before prepare_scoring()";
      return values.at(static_cast<std::size_t>(m.ran) - 1);
    };
  static_cast<Recommender&>(model).fit({train, histories, facets}, ctx);
  return log;
}

TEST(Iterative, RunsEveryEpochAndRecordsTheCurve) {
  Counter model(4);
  const Log log = fit(model, {}, {});
  EXPECT_EQ(model.began, 1);
  EXPECT_EQ(model.ran, 4);
  EXPECT_EQ(model.prepared, 1);
  EXPECT_EQ(model.ready, 4);
  EXPECT_THAT(log.points.at("loss"), ElementsAre(Pair(1, 1), Pair(2, 0.5), Pair(3, 1 / 3.0), Pair(4, 0.25)));
  EXPECT_EQ(log.points.at("other").size(), 4u);
  EXPECT_EQ(log.points.size(), 2u);
  EXPECT_THAT(log.steps, ElementsAre(Pair(1, 4), Pair(2, 4), Pair(3, 4), Pair(4, 4)));
  EXPECT_EQ(log.timed, 4);
}

TEST(Iterative, WithoutPatienceTheLastEpochIsKept) {
  Counter model(5);
  const Log log = fit(model, {0.3, 0.9, 0.5, 0.4, 0.1}, {.patience = 0, .every = 2});
  EXPECT_EQ(model.ran, 5);
  EXPECT_EQ(model.left[0], 5);
  EXPECT_THAT(log.points.at("validation"), ElementsAre(Pair(2, 0.9), Pair(4, 0.4), Pair(5, 0.1)));  // the last, always
  EXPECT_FALSE(log.points.contains("best epoch"));
}

TEST(Iterative, StopsAfterPatienceAndRestoresTheBestState) {
  Counter model(50);
  std::vector<double> values(50, 0.1);
  values[1] = 0.5, values[3] = 0.7, values[6] = 0.7;  // an equal value is no improvement
  const Log log = fit(model, values, {.patience = 4, .every = 1});
  EXPECT_EQ(model.ran, 8);
  EXPECT_THAT(model.left, ElementsAre(4, 40));
  EXPECT_THAT(model.right, ElementsAre(-4));
  EXPECT_EQ(model.ready, 4) << "scoring must be prepared again for the restored state";
  EXPECT_THAT(log.points.at("best epoch"), ElementsAre(Pair(4, 0.7)));
  EXPECT_EQ(log.points.at("validation").size(), 8u);
}

TEST(Iterative, PatienceCountsChecksNotEpochs) {
  Counter model(50);
  std::vector<double> values(50, 0.1);
  values[2] = 0.5;
  fit(model, values, {.patience = 2, .every = 3});
  EXPECT_EQ(model.ran, 9);
  EXPECT_EQ(model.left[0], 3);
}

TEST(Iterative, TheBestOfAllEpochsIsKeptWherePatienceNeverEnds) {
  Counter model(4);
  fit(model, {-4, -2, -3, -5}, {.patience = 10, .every = 1});  // an error metric, with its sign turned
  EXPECT_EQ(model.ran, 4);
  EXPECT_EQ(model.left[0], 2);
}

// A fresh object, resumed behind `epoch`.
Counter resumed(int epochs, MemoryCheckpoints checkpoints, int epoch, const std::vector<double>& values,
                StoppingPolicy stopping, Log* log = nullptr) {
  Counter model(epochs);
  model.ran = epoch;  // as far as it counts itself
  checkpoints.resume_behind(epoch);
  const Log seen = fit(model, values, stopping, &checkpoints);
  if (log != nullptr) *log = seen;
  return model;
}

TEST(Iterative, ResumesBehindTheEpochThatWasSaved) {
  Counter whole(7);
  MemoryCheckpoints checkpoints({3, 7});
  const Log all = fit(whole, {}, {}, &checkpoints);
  EXPECT_EQ(checkpoints.asked, 7);
  ASSERT_EQ(checkpoints.kept().size(), 2u);
  EXPECT_EQ(checkpoints.kept().at(3).epochs, 7);
  Log log;
  const Counter model = resumed(7, checkpoints, 3, {}, {}, &log);
  EXPECT_EQ(model.began, 1);
  EXPECT_EQ(model.ran, 7);
  EXPECT_EQ(model.speed, whole.speed) << "what is no parameter goes with it too";
  EXPECT_EQ(model.left, whole.left);
  EXPECT_THAT(log.points.at("loss"), ElementsAre(Pair(4, 0.25), Pair(5, 0.2), Pair(6, 1 / 6.0), Pair(7, 1 / 7.0)));
  EXPECT_THAT(log.steps.front(), Pair(4, 7));

  const Counter done = resumed(7, checkpoints, 7, {}, {}, &log);
  EXPECT_EQ(done.ran, 7) << "nothing is left to do";
  EXPECT_EQ(done.ready, 7) << "but for preparing scores";
  EXPECT_TRUE(log.points.empty());
}

TEST(Iterative, EarlyStoppingRemembersItsBestAcrossProcesses) {
  std::vector<double> values(50, 0.1);
  values[1] = 0.5, values[3] = 0.7, values[6] = 0.7;
  const StoppingPolicy stopping{.patience = 4, .every = 1};
  Counter whole(50);
  MemoryCheckpoints checkpoints({1, 3, 5, 8});
  const Log all = fit(whole, values, stopping, &checkpoints);
  ASSERT_EQ(checkpoints.kept().size(), 4u);
  EXPECT_EQ(checkpoints.kept().at(5).best_epoch, 4);
  EXPECT_EQ(checkpoints.kept().at(5).since_best, 1);
  for (const int epoch : {1, 3, 5, 8}) {
    Log log;
    const Counter model = resumed(50, checkpoints, epoch, values, stopping, &log);
    EXPECT_EQ(model.ran, 8) << "behind epoch " << epoch;
    EXPECT_THAT(model.left, ElementsAre(4, 40));
    EXPECT_THAT(model.right, ElementsAre(-4));
    EXPECT_EQ(model.ready, 4);
    EXPECT_THAT(log.points.at("best epoch"), ElementsAre(Pair(4, 0.7)));
  }
}

TEST(Iterative, AnInterruptionLeavesBehindItsCheckpoint) {
  struct Stopper : Progress {
    void step(std::size_t done, std::size_t, std::string_view) override {
      if (done == 3) throw Error(ExitCode::kInterrupted, "interrupted");
    }
  } stopper;
  Counter model(7);
  MemoryCheckpoints checkpoints({1, 2, 3, 4});
  const Executor exec(1);
  const Interactions train;
  const Histories histories;
  const Facets facets;
  FitContext ctx{exec, Rng(1), stopper};
  ctx.checkpoints = &checkpoints;
  EXPECT_THROW(static_cast<Recommender&>(model).fit({train, histories, facets}, ctx), Error);
  EXPECT_EQ(checkpoints.kept().rbegin()->first, 3);
}

TEST(Iterative, AStageBeginsWithTheBestOfTheOneBefore) {
  const std::vector<double> values{1, 3, 2, 2, 9, 9, 5, 6, 4};
  const StoppingPolicy stopping{.patience = 2, .every = 1};
  const auto counter = [] {
    Counter model(9);
    model.parts = {6, 3};
    model.begun = {{7, 0}};
    return model;
  };
  Counter model = counter();
  MemoryCheckpoints checkpoints({3, 6, 7, 8});
  const Log log = fit(model, values, stopping, &checkpoints);
  // The first stage stops behind epoch 4, the best is 2, and the second begins there as epoch 7.
  EXPECT_THAT(log.points.at("validation"),
              ElementsAre(Pair(1, 1), Pair(2, 3), Pair(3, 2), Pair(4, 2), Pair(7, 5), Pair(8, 6), Pair(9, 4)));
  EXPECT_THAT(log.points.at("best epoch"), ElementsAre(Pair(2, 3), Pair(8, 6)));
  EXPECT_EQ(model.begun.at(7), 2);
  EXPECT_EQ(model.ready, 8);
  ASSERT_EQ(checkpoints.kept().size(), 4u);
  for (const int epoch : {3, 6, 7, 8}) {
    Counter again = counter();
    again.ran = epoch;
    MemoryCheckpoints resumed = checkpoints;
    resumed.resume_behind(epoch);
    fit(again, values, stopping, &resumed);
    EXPECT_EQ(again.ready, 8) << epoch;
    EXPECT_EQ(again.begun.at(7), epoch < 7 ? 2 : 0) << epoch;
  }
}

TEST(Iterative, DivergenceIsAnErrorOfItsEpoch) {
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    Counter model(5);
    model.bad_loss = bad;
    EXPECT_EQ(message_of<UsageError>([&] { fit(model, {}, {}); }),
              fmt::format("training diverged: loss is {} after epoch 3; lower the learning rate or raise the "
                          "regularisation",
                          bad));
    EXPECT_EQ(model.ran, 3);
  }
}

TEST(Iterative, AMetricWithoutAValueCannotStopTraining) {
  Counter model(5);
  const std::vector<double> values{0.1, std::nan(""), 0.2, 0.2, 0.2};
  EXPECT_EQ(message_of<UsageError>([&] { fit(model, values, {.patience = 2, .every = 1}); }),
            "early stopping: the validation metric has no value after epoch 2; is there validation truth left after "
            "exclusions?");
  Counter free(5);
  fit(free, values, {});  // only recorded
  EXPECT_EQ(free.ran, 5);
}

}  // namespace
}  // namespace segue
