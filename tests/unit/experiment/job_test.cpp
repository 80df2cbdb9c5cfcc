#include "framework/experiment/job.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

TEST(Job, SurvivesJson) {
  const Spec spec =
      test::Suite{.algorithms = "[toy_mf: {reg: 0.3}]",
                  .evaluate =
                      "[{metrics: [hr@1, auc], candidates: {sampled: 5}, exclude: [train], name: x}, "
                      "{metrics: [rmse], clip: [1, 4.5]}]",
                  .more =
                      "feedback: {transform: rating}\nsplit: {validation: 1}\n"
                      "stopping: {metric: recall@7, patience: 3, every: 2}\nlatency: {batch: [3], seconds: 0.5}"}
          .spec();
  Job job;
  job.snapshot = "/tmp/a \"quoted\" ü.snap";
  job.train_snapshot = "/tmp/refit.snap";
  job.tuning = "hr@1";
  job.output = "/tmp/out.h5";
  job.checkpoint = "/tmp/checkpoint.h5";
  job.checkpoint_seconds = 2.5;
  job.algorithm = "toy_mf";
  job.label = "toy_mf\nreg";
  job.fit = "f";
  job.fold = "f1";
  job.dataset = "toy";
  job.params = spec.algorithms[0].params;
  job.seed = (std::uint64_t{1} << 63) + 1;
  job.views = spec.views;
  job.tasks = {"t1", "t2r"};
  job.latency = spec.latency;
  job.stopping = spec.stopping;
  job.plugins = {"/a.so"};
  job.threads = 3;
  job.memory_limit = 1ull << 40;
  job.spec = spec.resolved.to_json();
  const Job back = Job::from_json(job.to_json());
  EXPECT_EQ(back.snapshot, job.snapshot);
  EXPECT_EQ(back.train_snapshot, job.train_snapshot);
  EXPECT_EQ(back.tuning, job.tuning);
  EXPECT_EQ(back.output, job.output);
  EXPECT_EQ(back.checkpoint, job.checkpoint);
  EXPECT_EQ(back.checkpoint_seconds, 2.5);
  EXPECT_EQ(back.algorithm, job.algorithm);
  EXPECT_EQ(back.label, job.label);
  EXPECT_EQ(back.fit, job.fit);
  EXPECT_EQ(back.fold, job.fold);
  EXPECT_EQ(back.dataset, job.dataset);
  EXPECT_EQ(back.params, job.params);
  EXPECT_EQ(back.seed, job.seed);
  EXPECT_EQ(back.tasks, job.tasks);
  EXPECT_EQ(back.plugins, job.plugins);
  EXPECT_EQ(back.threads, 3);
  EXPECT_EQ(back.memory_limit, job.memory_limit);
  EXPECT_EQ(back.spec, job.spec);
  EXPECT_EQ(back.stopping.metric, "recall@7");
  EXPECT_EQ(back.stopping.patience, 3);
  EXPECT_EQ(back.stopping.every, 2);
  EXPECT_THAT(back.latency.value().batch, ElementsAre(3));
  EXPECT_EQ(back.latency->seconds, 0.5);
  ASSERT_EQ(back.views.size(), 2u);
  for (std::size_t v = 0; v < 2; ++v) {
    EXPECT_EQ(back.views[v].identity(), job.views[v].identity());
    EXPECT_EQ(back.views[v].metrics, job.views[v].metrics);
    EXPECT_EQ(back.views[v].name, job.views[v].name);
    EXPECT_EQ(back.views[v].clip_high, job.views[v].clip_high);
  }
  EXPECT_EQ(back.to_json(), job.to_json());
  job.latency.reset();
  EXPECT_FALSE(Job::from_json(job.to_json()).latency.has_value());
}

TEST(TrialMessage, IsOneLineWhateverItSays) {
  using Kind = TrialMessage::Kind;
  for (const TrialMessage& m :
       {TrialMessage{Kind::kStep, "epochs", 3, 20, 0, ""}, TrialMessage{Kind::kPoint, "loss", 2, 0, -1.25e-300, ""},
        TrialMessage{Kind::kPhase, "fitting", 0, 0, 0, ""}, TrialMessage{Kind::kResumed, "epochs", 12, 60, 8.5, ""},
        TrialMessage{Kind::kWarning, "a checkpoint", 0, 0, 0, ""},
        TrialMessage{Kind::kDone, "", 0, 0, 1.5, "ndcg@10 0.4123"},
        TrialMessage{Kind::kError, "two\nlines \"and\" quotes", 0, 0, 0, ""}}) {
    const std::string line = m.to_line();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.back(), '\n');
    const TrialMessage back = TrialMessage::from_line(line.substr(0, line.size() - 1)).value();
    EXPECT_EQ(back.kind, m.kind);
    EXPECT_EQ(back.text, m.text);
    EXPECT_EQ(back.done, m.done);
    EXPECT_EQ(back.total, m.total);
    EXPECT_EQ(back.value, m.value);
    EXPECT_EQ(back.metric, m.metric);
  }
  const TrialMessage bytes{Kind::kError, "not \xff UTF-8", 0, 0, 0, ""};
  EXPECT_EQ(TrialMessage::from_line(bytes.to_line()).value().text, "not \xef\xbf\xbd UTF-8");
}

TEST(TrialMessage, ForeignLinesAreNone) {
  for (const char* line : {"", "hello", "{", "[]", "3", "{}", R"({"kind": "dance"})", R"({"kind": 3})"})
    EXPECT_FALSE(TrialMessage::from_line(line).has_value()) << line;
  const TrialMessage m = TrialMessage::from_line(R"({"kind": "step", "text": 5, "done": "x", "metric": null})").value();
  EXPECT_EQ(m.text, "");
  EXPECT_EQ(m.done, 0);
}

}  // namespace
}  // namespace segue
