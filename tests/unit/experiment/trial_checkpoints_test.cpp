// When a fit is saved, and what time it says that it has taken.
#include "framework/experiment/trial_checkpoints.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

class Saving : public testing::Test {
 protected:
  Saving() {
    job_.checkpoint = folder_ / "checkpoints/f.h5";
    fit_.epochs = 9;
    fit_.training = {weights_};
  }
  TrialCheckpoints begin(double seconds) {
    job_.checkpoint_seconds = seconds;
    TrialCheckpoints out(
        job_,
        [this] {
          return FitIdentity{{"build of Segue", build_}};
        },
        record_, send_, interrupted_);
    out.restore(fit_);
    return out;
  }

  test::TempFolder folder_;
  std::string build_ = "this one";
  Job job_;
  std::vector<float> weights_ = std::vector<float>(100000, 1.0f);
  FitState fit_;
  TrialRecord record_;
  bool stop_ = false;
  std::vector<TrialMessage> messages_;
  std::function<void(const TrialMessage&)> send_ = [this](const TrialMessage& m) { messages_.push_back(m); };
  std::function<bool()> interrupted_ = [this] { return stop_; };
};

TEST_F(Saving, ByTimeAndOnInterruption) {
  TrialCheckpoints hourly = begin(3600);
  EXPECT_FALSE(hourly.due());
  EXPECT_FALSE(hourly.leaves());
  stop_ = true;
  EXPECT_FALSE(hourly.leaves()) << "not before the epoch's end has been saved";
  EXPECT_TRUE(hourly.due());
  EXPECT_TRUE(hourly.leaves());
  stop_ = false;
  EXPECT_TRUE(begin(1e-9).due());
}

TEST_F(Saving, TakesAtMostAFiftiethOfTheTime) {
  TrialCheckpoints often = begin(1e-9);
  EXPECT_TRUE(often.due()) << "nobody knows yet what it takes";
  often.save(fit_);
  EXPECT_FALSE(often.due()) << "it has only just been saved";
  TrialCheckpoints each = begin(0);
  each.save(fit_);
  EXPECT_TRUE(each.due()) << "whoever asks for every epoch gets it";
  EXPECT_FALSE(begin(-1).due());
}

TEST_F(Saving, IsNoPartOfFitting) {
  weights_.assign(1000000, 1.0f);
  fit_.training = {weights_};
  TrialCheckpoints each = begin(0);
  const double before = each.fit_seconds();
  const Stopwatch watch;
  for (int n = 0; n < 10; ++n) each.save(fit_);
  EXPECT_LT(each.fit_seconds() - before, watch.seconds() / 2) << "nothing was done but writing";
  EXPECT_LE(record_.timing.fit_seconds, each.fit_seconds());
}

// Of two builds without an id nobody knows whether they are one.
TEST_F(Saving, OfAnUnknownBuildIsNotResumed) {
  for (const std::string build : {"this one", "unknown"}) {
    build_ = build;
    messages_.clear();
    fit_.epoch = 3;
    begin(0).save(fit_);
    messages_.clear();
    fit_.epoch = 0;
    begin(0);
    EXPECT_EQ(fit_.epoch, build == "unknown" ? 0 : 3);
    ASSERT_EQ(messages_.size(), 1u);
    EXPECT_EQ(messages_[0].kind, build == "unknown" ? TrialMessage::Kind::kWarning : TrialMessage::Kind::kResumed);
  }
}

TEST_F(Saving, TimeGoesOnWhereItWasLeft) {
  fit_.epoch = 3;
  record_.timing.fit_seconds = 0;
  TrialCheckpoints first = begin(0);
  EXPECT_TRUE(messages_.empty());
  first.save(fit_);
  const double before = record_.timing.fit_seconds;
  EXPECT_GT(before, 0);
  fit_.epoch = 0;
  TrialCheckpoints second = begin(0);
  EXPECT_EQ(fit_.epoch, 3);
  EXPECT_GE(second.fit_seconds(), before);
  ASSERT_EQ(messages_.size(), 1u);
  EXPECT_EQ(messages_[0].kind, TrialMessage::Kind::kResumed);
  EXPECT_EQ(messages_[0].value, before);
  EXPECT_EQ(record_.attributes.at("resumed"), "3");
}

}  // namespace
}  // namespace segue
